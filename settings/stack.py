"""The fleet of the stack that runs; the only module of this package that knows Pulumi."""

import pulumi

from .errors import FleetError
from .fleet import Fleet
from .read import read


def from_stack() -> Fleet:
    """The fleet that the stack's configuration describes; on a mistake Pulumi shows the report, not a traceback."""
    raw = pulumi.Config("promfleet").require_object("fleet")
    try:
        return read(raw, f"the stack {pulumi.get_stack()}")
    except FleetError as error:
        raise pulumi.RunError(error.report()) from None
