"""What a stack says about the limits of containers."""

from typing import Annotated

from pydantic import AfterValidator, Field

from .section import Section
from .types import Quantity, in_bytes, refused

_LEAST = "256Mi"


def _holds_logs(size: Quantity) -> Quantity:
    if in_bytes(size) < in_bytes(_LEAST):
        raise refused(f"is less than {_LEAST}", f"Write {_LEAST} or more: logs count, and a pod over it is evicted.")
    return size


class ContainerLimits(Section):
    """What each container may take at most, beside memory; for namespaces whose ResourceQuota asks for such limits."""

    cpu: Annotated[int, Field(ge=1, le=64)] | None = None
    """CPUs; without a limit if left out, which is better: one throttles scrapes and probes on an idle node."""
    ephemeral_storage: Annotated[Quantity, AfterValidator(_holds_logs)] | None = None
    """Logs and scratch; without a limit if left out."""
