"""Settings of the Prometheus agent of one cluster."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from .destinations import Destinations
from .errors import Problem
from .pem import Certificates
from .section import Section, empty
from .types import DnsName, Duration, HttpsUrl, Quantity, StackName, refused, seconds

_ONE_OF_TWO = "Write exactly one of stack (a promfleet hub) and url (another system's remote write)."

_SHORTEST, _LONGEST = 60, 48 * 3600

AGENT = "prometheus-agent"
"""Name of an agent's objects, and the label `instance` of its own series."""
MOST_SHARDS = 16
"""
Shards that an agent may have.

kube-state-metrics is one target, with up to three tenths of a cluster's series. With more shards, the one that scrapes
it would have four times the series that its log is planned for.
"""
SERIES_OF_SHARD = 1_000_000
"""
Series of one shard, above which `fleet check` proposes more.

Grafana plans 11 GiB of memory for a million series of Alloy, whose scrapes and WAL are Prometheus' own
(https://grafana.com/docs/alloy/latest/set-up/estimate-resource-usage/). A maintainer of Prometheus counted 8 kB a
series (https://github.com/prometheus/prometheus/issues/4553), which is an agent's limit here.
"""
Shards = Annotated[int, Field(ge=1, le=MOST_SHARDS)]


def shard_name(number: int) -> str:
    """Return the name of one of an agent's shards; the first is called as an agent without shards."""
    return f"{AGENT}-shard-{number}" if number else AGENT


AGENTS = frozenset(map(shard_name, range(MOST_SHARDS)))
"""Names of all shards that an agent may have."""


def series_of_shard(series: int, shards: int) -> int:
    """Return the series to plan for in one shard: half more than its share, since targets differ in size."""
    return min(series, series * 3 // (2 * shards))


def _can_be_buffered(outage: Duration) -> Duration:
    if not _SHORTEST <= seconds(outage) <= _LONGEST:
        raise refused("is not between 1m and 48h", "Write 6h, or 48h at most: a WAL is a buffer, not a database.")
    return outage


class Receiver(Section):
    """Remote-write receiver of an agent, other than this stack's hub; exactly one of the two fields."""

    stack: StackName | None = None
    """`<organization>/<project>/<stack>` of a promfleet hub."""
    url: HttpsUrl | None = None
    """Remote-write URL of another system; its bearer token is the secret `promfleet:<cluster>Token`."""
    audience: HttpsUrl | None = None
    """Makes `url` that of a promfleet hub which knows the issuer of the cluster: the agent shows it no secret."""
    ca: Certificates | None = None
    """PEM certificates of the CA that signed the certificate at `url`; a public authority's, if left out."""

    def problems(self) -> Iterator[Problem]:
        """It is one of the two."""
        if self.stack and self.url:
            yield Problem((), "has both stack and url", _ONE_OF_TWO)
        if not self.stack and not self.url:
            yield Problem((), "has neither stack nor url", _ONE_OF_TWO)
        for name in ("audience", "ca"):
            if getattr(self, name) and not self.url:
                yield Problem(
                    (name,), "has no effect without url: the outputs of the hub's stack have it", "Remove it."
                )

    @property
    def is_foreign(self) -> bool:
        """Whether it is another system than a promfleet hub."""
        return self.url is not None and self.audience is None


class Agent(Section):
    """The Prometheus in agent mode of one cluster; its key is the cluster's name."""

    hub: Receiver | None = None
    """Where to write; if left out, this stack's hub, or only `destinations` where the stack has none."""
    destinations: Destinations = Field(default_factory=empty)
    """Further receivers that every sample is written to, as entries of Prometheus' `remote_write`, by name."""
    outage: Annotated[Duration, AfterValidator(_can_be_buffered)] = "6h"
    """The longest outage of the hub, or of a destination, that costs no sample while the agent itself stays up."""
    storage: Quantity | None = None
    """Size of the WAL's volume; follows from the outage and the cluster's series if left out. It can't shrink."""
    storage_class: DnsName | None = None
    """StorageClass of the WAL's volume; the cluster's default if left out."""
    token: bool = False
    """Whether it writes with a token of the hub's cluster, which never expires, instead of one of its own cluster."""
    shards: Shards = 1
    """Prometheus agents among which the targets of a large cluster are divided, each with a volume of its own."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("replicas", "replicaCount"),
        ("is not offered: a hub would get every sample of each", "Remove it; for a large cluster write shards: 2."),
    )

    @property
    def writes_to_own_hub(self) -> bool:
        """Whether it writes to a promfleet hub, of this stack or another."""
        return self.hub is None or self.hub.url is None
