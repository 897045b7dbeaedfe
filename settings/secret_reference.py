"""A reference to a credential that the stack file does not contain."""

from .section import Section
from .types import DataKey, DnsName


class SecretKey(Section):
    """A key of a Secret that exists in the hub's namespace."""

    name: DnsName
    """The Secret's name."""
    key: DataKey
    """The key in its data."""
