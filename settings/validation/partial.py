"""The sections of a fleet that could be parsed, so that one mistake does not hide another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar, get_args, get_type_hints

from pydantic import ValidationError

from ..agent import Agent, Receiver
from ..alertmanager import Alertmanager
from ..alerts import Alerts
from ..application import Application
from ..cluster import Cluster
from ..destinations import Destination
from ..errors import Path
from ..grafana import Grafana
from ..hub import Hub
from ..images import Images
from ..probes import Probe
from ..prometheus import Server
from ..pushgateway import Pushgateway
from ..scrape import Scrape
from ..scrape_config import ScrapeConfig
from ..section import Section
from ..standalone import Standalone
from ..thanos import Thanos
from ..watcher import Watcher
from ..workloads import Workloads

S = TypeVar("S", bound=Section)


class Writer(NamedTuple):
    """Who writes to a receiver outside of its stack."""

    name: str
    """Of an agent or the watcher: by it the receiver knows the writer's token."""
    receiver: Receiver
    path: Path
    """Where the stack file names the receiver."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartialFleet:
    """The sections that rules check; None is one that is missing, or present but invalid."""

    present: frozenset[str]
    """The sections that the file has, valid or not."""
    clusters: Mapping[str, Cluster | None]
    agents: Mapping[str, Agent | None]
    applications: Mapping[str, Application | None]
    probes: Mapping[str, Probe | None]
    external_labels: Mapping[str, str]
    """Those of the stack."""
    scrape: Scrape | None
    hub: Hub | None
    standalone: Standalone | None
    watcher: Watcher | None
    server_cluster: str | None
    """The cluster of the hub or standalone server, which is often readable where the rest of the section is not."""
    has_agents: bool
    alerts: Alerts | None
    alertmanager: Alertmanager | None
    grafana: Grafana | None
    pushgateway: Pushgateway | None
    thanos: Thanos | None
    images: Images | None
    workloads: Workloads | None

    @classmethod
    def parsed_leniently(cls, raw: Mapping[str, Any]) -> Self:
        """Parse each section by itself, of a fleet that could not be parsed whole."""
        sections: dict[str, Any] = {
            name: _parsed(section, raw.get(name, _default(name))) for name, section in SECTIONS.items()
        }
        server = raw.get("hub") or raw.get("standalone")
        cluster = server.get("cluster") if isinstance(server, Mapping) else None
        return cls(
            present=frozenset(name for name, value in raw.items() if value is not None),
            clusters=_parsed_table(Cluster, raw.get("clusters")),
            agents=_parsed_table(Agent, raw.get("agents")),
            applications=_parsed_table(Application, raw.get("applications")),
            probes=_parsed_table(Probe, raw.get("probes")),
            external_labels=labels if isinstance(labels := raw.get("externalLabels"), Mapping) else {},
            server_cluster=cluster if isinstance(cluster, str) else None,
            has_agents=bool(raw.get("agents")),
            **sections,
        )

    @property
    def has_hub(self) -> bool:
        """Whether there is a hub, valid or not."""
        return "hub" in self.present

    @property
    def server(self) -> Server | None:
        """The Prometheus server of this stack; None is one that is missing, or present but invalid."""
        return self.hub or self.standalone

    @property
    def cluster_of_server(self) -> Cluster | None:
        """The cluster that the Prometheus server runs in; None where one of the two is missing or invalid."""
        return self.clusters.get(self.server_cluster) if self.server_cluster else None

    @property
    def jobs(self) -> Sequence[ScrapeConfig]:
        """People's own scrape jobs."""
        return self.scrape.jobs if self.scrape else ()

    @property
    def server_section(self) -> str:
        """Key of the section of the Prometheus server, valid or not; empty if there is none."""
        return next((name for name in ("hub", "standalone") if name in self.present), "")

    @property
    def server_noun(self) -> str:
        """Name of the Prometheus server in messages."""
        if self.has_hub or not self.server_section:
            return "hub" if self.has_hub else "watcher"
        return f"{self.server_section} server"

    @property
    def local_agents(self) -> tuple[str, ...]:
        """The agents without a receiver of their own."""
        return tuple(name for name, agent in self.agents.items() if agent and not agent.hub)

    @property
    def outside_writers(self) -> Iterator[Writer]:
        """Every agent, and the watcher, that writes to a receiver outside of this stack."""
        for name, agent in self.agents.items():
            if agent and agent.hub:
                yield Writer(name, agent.hub, ("agents", name, "hub"))
        if self.watcher and self.watcher.hub:
            yield Writer(self.watcher.name, self.watcher.hub, ("watcher", "hub"))

    @property
    def destinations(self) -> Iterator[tuple[Path, str, Destination]]:
        """Each receiver beside a hub: its path, the cluster of whoever writes to it, and what is known of it."""
        for cluster, agent in self.agents.items():
            for name, destination in agent.destinations.items() if agent else ():
                yield ("agents", cluster, "destinations", name), cluster, destination
        if server := self.server:
            for name, destination in server.destinations.items():
                yield (server.section, "destinations", name), server.cluster, destination
        if watcher := self.watcher:
            for name, destination in watcher.destinations.items():
                yield ("watcher", "destinations", name), watcher.name, destination

    @property
    def writers(self) -> frozenset[str]:
        """Every cluster whose agent writes to this stack's hub, wherever it is deployed."""
        return frozenset({*self.local_agents, *self.hub.agents}) if self.hub else frozenset()

    @property
    def shards(self) -> Mapping[str, int]:
        """Cluster -> shards of its agent, of every agent that writes to this stack's hub."""
        elsewhere = {name: writer.shards for name, writer in self.hub.agents.items()} if self.hub else {}
        return {name: agent.shards if (agent := self.agents.get(name)) else elsewhere[name] for name in self.writers}

    @property
    def expected(self) -> tuple[str, ...]:
        """Every cluster whose samples are expected at this stack's server or watcher, in the order of names."""
        if self.watcher:
            return tuple(sorted({self.watcher.name, *self.watcher.clusters}))
        return tuple(sorted({self.server.cluster, *self.writers})) if self.server else ()


SECTIONS: Mapping[str, type[Section]] = {
    name: section
    for name, hint in get_type_hints(PartialFleet).items()
    for section in get_args(hint)
    if isinstance(section, type) and issubclass(section, Section)
}
"""The sections that are one object each."""


def _default(section: str) -> object:
    """Give what stands for a section that is left out: those without a required field are there anyway."""
    return {} if section in ("scrape", "alerts", "images", "workloads") else None


def _parsed(section: type[S], raw: object) -> S | None:
    try:
        return section.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _parsed_table(section: type[S], raw: object) -> dict[str, S | None]:
    if not isinstance(raw, Mapping):
        return {}
    return {name: _parsed(section, value) for name, value in raw.items() if isinstance(name, str)}
