"""What a stack says about its hub."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from .cluster import USUAL_SERIES, Labels, Series
from .errors import Problem
from .expose import Expose
from .section import OrNames, Section, Table, empty
from .types import COUNTABLE, Count, DnsLabel, DnsName, Duration, Quantity, kept, refused, seconds

Kept = Annotated[str, kept("how long: 42d is the default, and the bucket of thanos has what is older"), COUNTABLE]
_BLOCK = 2 * 3600


def _holds_a_block(retention: Duration) -> Duration:
    if seconds(retention) < _BLOCK:
        raise refused("is shorter than one block", "Write 2h or more.")
    return retention


class Writer(Section):
    """An agent that writes to this hub; of one that another stack deploys, what the hub has to know."""

    series: Series = USUAL_SERIES
    """Active series to plan for, where another stack has the cluster."""
    labels: Labels = Field(default_factory=empty)
    """Facts about the cluster (region, tier, …), where another stack has it; joined as those of `clusters` are."""
    rotation: Count = 0
    """How often its token was renewed; the token before the newest stays valid until the next renewal."""


class Hub(Section):
    """The Prometheus that takes every cluster's samples by remote write, and watches its own cluster."""

    cluster: DnsLabel
    """The cluster it runs in."""
    retention: Annotated[Kept, AfterValidator(_holds_a_block)] = "42d"
    """How long samples are kept."""
    replicas: Annotated[int, Field(ge=1, le=3)] = 1
    """How many Prometheus do the same, so that one may be missed; Thanos folds what they answer."""
    storage: Quantity = "50Gi"
    """Size of each replica's volume; samples take 80 % of it at most."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    expose: Expose
    agents: Annotated[Table[DnsLabel, Writer], OrNames(DnsLabel, Writer)] = Field(default_factory=empty)
    """Clusters of other stacks that may write, or just their names; this stack's `agents` need not be named."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        "rotations": ("is written at each agent", "Write agents: {eu1: {rotation: 1}}.")
    }

    def problems(self) -> Iterator[Problem]:
        """The writers are other clusters."""
        if self.cluster in self.agents:
            instead = "Remove it: the hub scrapes its own cluster itself."
            yield Problem(("agents",), f'names the hub\'s own cluster, "{self.cluster}"', instead)
