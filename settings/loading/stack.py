"""The fleet of the stack that runs; the only module of this package that knows Pulumi."""

import pulumi
from pulumi.runtime import is_config_secret

from ..errors import FleetError
from ..fleet import Fleet
from .read import read


def from_stack() -> Fleet:
    """The fleet that the stack's configuration describes; on a mistake Pulumi shows the report, not a traceback."""
    config = pulumi.Config("promfleet")

    def given(key: str) -> bool | None:
        return None if config.get_secret(key) is None else is_config_secret(config.full_key(key))

    try:
        return read(config.require_object("fleet"), f"the stack {pulumi.get_stack()}", given)
    except FleetError as error:
        raise pulumi.RunError(error.report()) from None
