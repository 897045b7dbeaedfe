"""As much of a fleet as could be read, so that one mistake does not hide another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from ..agent import Agent
from ..alertmanager import Alertmanager
from ..alerts import Alerts
from ..beside import Grafana, Pushgateway
from ..cluster import Cluster
from ..hub import Hub
from ..images import Images
from ..scrape import Scrape
from ..section import Section
from ..thanos import Thanos

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The sections that rules look at; None is one that is missing, or written but broken."""

    written: frozenset[str]
    """The sections that the file has, broken or not."""
    clusters: Mapping[str, Cluster | None]
    agents: Mapping[str, Agent | None]
    scrape: Scrape | None
    hub: Hub | None
    hub_cluster: str | None
    """The hub's cluster, which is often readable where the rest of the hub is not."""
    has_agents: bool
    alerts: Alerts | None
    alertmanager: Alertmanager | None
    grafana: Grafana | None
    pushgateway: Pushgateway | None
    thanos: Thanos | None
    images: Images | None

    @classmethod
    def salvaged(cls, raw: Mapping[str, Any]) -> Self:
        """The draft of a fleet that could not be read whole."""
        hub = raw.get("hub")
        cluster = hub.get("cluster") if isinstance(hub, Mapping) else None
        return cls(
            written=frozenset(name for name, value in raw.items() if value is not None),
            clusters=_salvaged_table(Cluster, raw.get("clusters")),
            agents=_salvaged_table(Agent, raw.get("agents")),
            scrape=_salvaged(Scrape, raw.get("scrape", {})),
            hub=_salvaged(Hub, hub),
            hub_cluster=cluster if isinstance(cluster, str) else None,
            has_agents=bool(raw.get("agents")),
            alerts=_salvaged(Alerts, raw.get("alerts", {})),
            alertmanager=_salvaged(Alertmanager, raw.get("alertmanager")),
            grafana=_salvaged(Grafana, raw.get("grafana")),
            pushgateway=_salvaged(Pushgateway, raw.get("pushgateway")),
            thanos=_salvaged(Thanos, raw.get("thanos")),
            images=_salvaged(Images, raw.get("images", {})),
        )

    @property
    def has_hub(self) -> bool:
        """Whether there is a hub, broken or not."""
        return "hub" in self.written

    @property
    def local_agents(self) -> tuple[str, ...]:
        """The agents that name no receiver of their own."""
        return tuple(name for name, agent in self.agents.items() if agent and not agent.hub)

    @property
    def writers(self) -> frozenset[str]:
        """Every cluster whose agent writes to this stack's hub, wherever it is deployed."""
        return frozenset({*self.local_agents, *self.hub.agents}) if self.hub else frozenset()

    @property
    def expected(self) -> tuple[str, ...]:
        """Every cluster that is to report to this stack's hub, in the order of names."""
        return tuple(sorted({self.hub.cluster, *self.local_agents, *self.hub.agents})) if self.hub else ()


def _salvaged(section: type[S], raw: object) -> S | None:
    try:
        return section.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _salvaged_table(section: type[S], raw: object) -> dict[str, S | None]:
    if not isinstance(raw, Mapping):
        return {}
    return {name: _salvaged(section, value) for name, value in raw.items() if isinstance(name, str)}
