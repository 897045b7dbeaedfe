"""What a stack may say about the fleet, and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from .agent import Agent
from .alertmanager import Alertmanager
from .alerts import Alerts
from .cluster import Cluster
from .errors import Path, Problem
from .grafana import Grafana
from .hub import Hub
from .images import Images
from .limits import ContainerLimits
from .probes import Probe
from .prometheus import Server
from .pushgateway import Pushgateway
from .scrape import Scrape
from .section import Section, Table, empty
from .standalone import Standalone
from .thanos import Thanos
from .types import DnsLabel, Duration, Namespace
from .validation.capacity import planned_series, written_series
from .validation.partial import PartialFleet
from .validation.rules import broken_rules
from .validation.secrets import needed
from .watcher import Watcher


class Fleet(Section):
    """The value of `promfleet:fleet`."""

    clusters: Annotated[Table[DnsLabel, Cluster], Field(min_length=1)]
    """Every cluster that this stack touches, by its name."""
    namespace: Namespace = "promfleet"
    """Namespace in every cluster; `<namespace>-node-exporter` is made beside it."""
    create_namespace: bool = True
    """Whether this program makes, labels and deletes `namespace`; `false` uses one that exists as it is."""
    protect: bool = True
    """Refuse every update and `pulumi destroy` that would take a namespace or a volume of this stack away."""
    rollout_timeout: Duration = "150s"
    """How long a workload may take to become ready before `pulumi up` fails; a large hub replays its WAL first."""
    scrape: Scrape = Scrape()
    images: Images = Images()
    limits: ContainerLimits = ContainerLimits()
    hub: Hub | None = None
    standalone: Standalone | None = None
    watcher: Watcher | None = None
    agents: Table[DnsLabel, Agent] = Field(default_factory=empty)
    """The agents that this stack deploys, by the name of their cluster."""
    thanos: Thanos | None = None
    """High availability and years of data, beside the Prometheus server."""
    alerts: Alerts = Field(default_factory=Alerts)
    alertmanager: Alertmanager | None = None
    """In the cluster of the Prometheus server, as all that follows."""
    grafana: Grafana | None = None
    pushgateway: Pushgateway | None = None
    probes: Table[DnsLabel, Probe] = Field(default_factory=empty)
    """Endpoints to ask from outside, by a name of one's own; the label `probe`."""

    def problems(self) -> Iterator[Problem]:
        """The rules between sections."""
        yield from broken_rules(self.partial)

    @property
    def node_exporter_namespace(self) -> str:
        """Namespace beside `namespace` that admits what node-exporter needs of its nodes."""
        return f"{self.namespace}-node-exporter"

    @property
    def server(self) -> Server | None:
        """The Prometheus server of this stack, if it has one."""
        return self.hub or self.standalone

    @property
    def evaluator(self) -> str | None:
        """The value of `cluster` of whatever evaluates this stack's rules, if anything does."""
        if self.watcher:
            return self.watcher.name
        return self.server.cluster if self.server else None

    @property
    def local_agents(self) -> tuple[str, ...]:
        """The agents of this stack that write to its own hub."""
        return self.partial.local_agents if self.hub else ()

    @property
    def written_series(self) -> int:
        """Active series to plan for of all that this stack's agents, and those it knows of, write."""
        return written_series(self.partial)

    @property
    def server_series(self) -> int:
        """Active series to plan for at this stack's server: of its own cluster and of all that write to it."""
        return planned_series(self.partial)

    @property
    def expected(self) -> tuple[str, ...]:
        """Every cluster that is to report to this stack's server, in the order of names."""
        return self.partial.expected

    @property
    def secrets(self) -> Mapping[str, Path]:
        """Every secret that the program takes from the stack: key without namespace -> where the file asks for it."""
        return needed(self.partial)

    @property
    def partial(self) -> PartialFleet:
        """The fleet as the rules look at it."""
        return PartialFleet(
            present=frozenset(name for name in self.model_fields_set if getattr(self, name) is not None),
            clusters=self.clusters,
            agents=self.agents,
            scrape=self.scrape,
            hub=self.hub,
            standalone=self.standalone,
            watcher=self.watcher,
            server_cluster=self.server.cluster if self.server else None,
            has_agents=bool(self.agents),
            alerts=self.alerts,
            alertmanager=self.alertmanager,
            grafana=self.grafana,
            pushgateway=self.pushgateway,
            thanos=self.thanos,
            images=self.images,
        )
