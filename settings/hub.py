"""What a stack says about its hub."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from .cluster import USUAL_SERIES, Labels, Series
from .errors import Problem
from .prometheus import Server
from .section import OrNames, Section, Table, empty
from .types import Count, DnsLabel


class Writer(Section):
    """An agent that writes to this hub; of one that another stack deploys, what the hub has to know."""

    series: Series = USUAL_SERIES
    """Active series to plan for, where another stack has the cluster."""
    labels: Labels = Field(default_factory=empty)
    """Facts about the cluster (region, tier, …), where another stack has it; joined as those of `clusters` are."""
    rotation: Count = 0
    """How often its token was renewed; the token before the newest stays valid until the next renewal."""


class Hub(Server):
    """The Prometheus that takes every cluster's samples by remote write, and watches its own cluster."""

    section: ClassVar[str] = "hub"

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
