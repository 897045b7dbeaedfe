"""As much of a fleet as could be read, so that one mistake does not hide another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from .agent import Agent
from .cluster import Cluster
from .hub import Hub
from .scrape import Scrape
from .section import Section

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class Draft:
    """The sections that rules look at; None is one that is written but broken."""

    clusters: Mapping[str, Cluster | None]
    agents: Mapping[str, Agent | None]
    scrape: Scrape | None
    hub: Hub | None
    hub_cluster: str | None
    """The hub's cluster, which is often readable where the rest of the hub is not."""
    has_hub: bool
    has_agents: bool

    @classmethod
    def of(cls, clusters: Mapping[str, Cluster], agents: Mapping[str, Agent], hub: Hub | None, scrape: Scrape) -> Self:
        """The draft of a fleet that has been read whole."""
        name = hub.cluster if hub else None
        return cls(clusters, agents, scrape, hub, name, has_hub=hub is not None, has_agents=bool(agents))

    @classmethod
    def salvaged(cls, raw: Mapping[str, Any]) -> Self:
        """The draft of a fleet that has not."""
        hub = raw.get("hub")
        cluster = hub.get("cluster") if isinstance(hub, Mapping) else None
        return cls(
            clusters=_salvaged_table(Cluster, raw.get("clusters")),
            agents=_salvaged_table(Agent, raw.get("agents")),
            scrape=salvaged(Scrape, raw.get("scrape", {})),
            hub=salvaged(Hub, hub),
            hub_cluster=cluster if isinstance(cluster, str) else None,
            has_hub=hub is not None,
            has_agents=bool(raw.get("agents")),
        )

    @property
    def local_agents(self) -> tuple[str, ...]:
        """The agents that name no receiver of their own."""
        return tuple(name for name, agent in self.agents.items() if agent and not agent.hub)


def salvaged(section: type[S], raw: object) -> S | None:
    """The section, if nothing in it is wrong."""
    try:
        return section.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _salvaged_table(section: type[S], raw: object) -> dict[str, S | None]:
    if not isinstance(raw, Mapping):
        return {}
    return {name: salvaged(section, value) for name, value in raw.items() if isinstance(name, str)}
