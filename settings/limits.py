"""Settings of resource limits of containers."""

from typing import Annotated

from pydantic import AfterValidator, Field

from .section import Section
from .types import Quantity, in_bytes, refused

_LEAST = "256Mi"


def _holds_logs(size: Quantity) -> Quantity:
    if in_bytes(size) < in_bytes(_LEAST):
        raise refused(f"is less than {_LEAST}", f"Write {_LEAST} or more: logs count, and a pod above it is evicted.")
    return size


class ContainerLimits(Section):
    """Further resource limits of every container, for namespaces whose ResourceQuota requires them."""

    cpu: Annotated[int, Field(ge=1, le=64)] | None = None
    """CPUs; no limit if left out, which is better: a limit throttles scrapes and probes even on an idle node."""
    ephemeral_storage: Annotated[Quantity, AfterValidator(_holds_logs)] | None = None
    """Logs and writable layer; no limit if left out."""
