"""What a stack says about the agent of one cluster."""

from collections.abc import Iterator

from .errors import Problem
from .section import Section
from .types import DnsName, Duration, HttpsUrl, StackName, seconds

_ONE_OF_TWO = "Write exactly one of stack (a promfleet hub) and url (another system's remote write)."


class Receiver(Section):
    """Where an agent's samples go when that is not this stack's hub; exactly one of the two."""

    stack: StackName | None = None
    """`<organization>/<project>/<stack>` of a promfleet hub."""
    url: HttpsUrl | None = None
    """Remote-write URL of another system; its bearer token is the secret `promfleet:<cluster>Token`."""

    def problems(self) -> Iterator[Problem]:
        """An agent writes to one place."""
        if self.stack and self.url:
            yield Problem((), "has both stack and url", _ONE_OF_TWO)
        if not self.stack and not self.url:
            yield Problem((), "has neither stack nor url", _ONE_OF_TWO)


class Agent(Section):
    """The Prometheus in agent mode of one cluster; its key is the cluster's."""

    hub: Receiver | None = None
    """Where to write; this stack's hub if left out."""
    outage: Duration = "6h"
    """The longest outage of the hub that costs no sample while the agent itself stays up."""
    storage_class: DnsName | None = None
    """StorageClass of the WAL's volume; the cluster's default if left out."""

    def problems(self) -> Iterator[Problem]:
        """The WAL follows from the outage: a shorter one is no buffer, a longer one is a database."""
        if not 60 <= seconds(self.outage) <= 48 * 3600:
            yield Problem(("outage",), "is not between 1m and 48h", "Write 6h, or 48h at most.", self.outage)
