"""Settings of the hub."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from .agent import Shards
from .cluster import USUAL_SERIES, Labels, Series
from .errors import Problem
from .issuer import Issuer
from .prometheus import Server
from .section import OrNames, Section, Table, empty
from .types import Count, DnsLabel


class Writer(Section):
    """An agent that writes to this hub; all but `rotation` is for agents that another stack deploys."""

    series: Series = USUAL_SERIES
    """Active series to plan for, if another stack deploys the agent."""
    labels: Labels = Field(default_factory=empty)
    """Facts about the cluster (region, tier, …), if another stack deploys the agent; like `clusters.*.labels`."""
    issuer: Issuer | None = None
    """Who signs tokens in the cluster, if another stack deploys the agent; like `clusters.*.issuer`."""
    token: bool = False
    """Whether an agent with an issuer may write with a token of the hub too, until it is updated itself."""
    shards: Shards = 1
    """`agents.<name>.shards` of the stack that deploys the agent."""
    rotation: Count = 0
    """Increment it to renew the token; the previous token stays valid until the next renewal."""


class Hub(Server):
    """The Prometheus server that receives samples of agents by remote write, and scrapes its own cluster."""

    section: ClassVar[str] = "hub"

    agents: Annotated[Table[DnsLabel, Writer], OrNames(DnsLabel, Writer)] = Field(default_factory=empty)
    """Agents of other stacks that may write, by cluster, or a list of names; this stack's `agents` may be left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **Server.moved,
        "rotations": ("is now a field of each agent", "Write agents: {eu1: {rotation: 1}}."),
    }

    def problems(self) -> Iterator[Problem]:
        """The writers are other clusters."""
        if self.cluster in self.agents:
            instead = "Remove it: the hub scrapes its own cluster itself."
            yield Problem(("agents",), f'names the hub\'s own cluster, "{self.cluster}"', instead)
