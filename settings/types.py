"""Named types of the stack file, and what their texts are worth in plain units."""

from typing import Annotated


from pydantic import StringConstraints

Duration = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(s|m|h|d|w|y)$")]
"""A whole number and one unit, as Prometheus writes it: 30s, 6h, 42d."""
Quantity = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(Mi|Gi|Ti)$")]
"""A size of storage as Kubernetes writes it: 512Mi, 20Gi, 2Ti."""
DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""A DNS name or an IPv4 address, without scheme, port or path."""
HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[^\s/?#@]+(/[^\s?#]*)?$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
LabelValue = Annotated[str, StringConstraints(min_length=1, max_length=128)]
MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_BYTES = {"Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def seconds(duration: Duration) -> int:
    """The length of a duration in seconds; a year has 365 days, as in Prometheus."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def in_bytes(quantity: Quantity) -> int:
    """The size of a quantity in bytes."""
    return int(quantity[:-2]) * _BYTES[quantity[-2:]]
