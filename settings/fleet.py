"""The whole fleet: every section of a stack file."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from .agent import Agent
from .alertmanager import Alertmanager
from .alerts import Alerts
from .application import Application
from .cluster import Cluster
from .destinations import Destination
from .errors import Path, Problem
from .external_labels import ExternalLabels
from .grafana import Grafana
from .hub import Hub
from .images import Images
from .limits import ContainerLimits
from .probes import Probe
from .prometheus import Server
from .pushgateway import Pushgateway
from .scrape import Scrape
from .section import Distinct, Section, Table, empty
from .standalone import Standalone
from .thanos import Thanos
from .types import DnsLabel, Duration, Line, Namespace, StackName
from .validation.capacity import planned_series, stored_series
from .validation.partial import SECTIONS, PartialFleet
from .validation.rules import broken_rules
from .validation.secrets import needed
from .watcher import Watcher
from .workloads import Workloads


class Fleet(Section):
    """The value of `promfleet:fleet`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("additionalPodMonitors", "additionalServiceMonitors", "podMonitors", "serviceMonitors"),
        ("is not what targets of your own are called here", "Write applications: {shop: {…}}, or scrape.jobs."),
    )

    include: Distinct[Line] = ()
    """Files with parts of a fleet that several stacks have in common, beside the stack file; `*` is allowed."""
    clusters: Annotated[Table[DnsLabel, Cluster], Field(min_length=1)]
    """Every cluster of this stack, by its name."""
    namespace: Namespace = "promfleet"
    """Namespace in every cluster; a second one, `<namespace>-node-exporter`, is created with it."""
    create_namespace: bool = True
    """Whether this program creates, labels and deletes `namespace`; `false` uses an existing one unchanged."""
    protect: bool = True
    """Refuse every update and `pulumi destroy` that would delete a namespace or a volume of this stack."""
    owner: StackName | None = None
    """Stack that this one was renamed or moved from, `<organization>/<project>/<stack>`: its objects stay annotated."""
    rollout_timeout: Duration = "150s"
    """How long a workload may take to become ready before `pulumi up` fails; a large hub replays its WAL first."""
    external_labels: ExternalLabels = Field(default_factory=empty)
    """Labels that every series scraped in every cluster gets; those of a cluster have precedence."""
    scrape: Scrape = Field(default_factory=Scrape)
    images: Images = Images()
    limits: ContainerLimits = ContainerLimits()
    workloads: Workloads = Field(default_factory=Workloads)
    hub: Hub | None = None
    standalone: Standalone | None = None
    watcher: Watcher | None = None
    agents: Table[DnsLabel, Agent] = Field(default_factory=empty)
    """Agents that this stack deploys, by the name of their cluster."""
    thanos: Thanos | None = None
    """Thanos, in the cluster of the Prometheus server: high availability and long-term storage."""
    alerts: Alerts = Field(default_factory=Alerts)
    alertmanager: Alertmanager | None = None
    grafana: Grafana | None = None
    pushgateway: Pushgateway | None = None
    probes: Table[DnsLabel, Probe] = Field(default_factory=empty)
    """Endpoints to probe with blackbox_exporter, by a name of your choice; the value of the label `probe`."""
    applications: Table[DnsLabel, Application] = Field(default_factory=empty)
    """Applications to scrape behind their Services, by a name of your choice; the value of the label `job`."""

    def problems(self) -> Iterator[Problem]:
        """The rules between sections."""
        yield from broken_rules(self.partial)

    def applications_in(self, cluster: str) -> Mapping[str, Application]:
        """The applications of one cluster."""
        return {name: one for name, one in self.applications.items() if one.cluster == cluster}

    @property
    def node_exporter_namespace(self) -> str:
        """Namespace of node-exporter, which admits privileged pods."""
        return f"{self.namespace}-node-exporter"

    @property
    def server(self) -> Server | None:
        """The Prometheus server of this stack, if it has one."""
        return self.hub or self.standalone

    def labels_of(self, cluster: str) -> Mapping[str, str]:
        """Labels that every series scraped in a cluster, or on the machine of a watcher, gets beside `cluster`."""
        known = self.clusters.get(cluster)
        return {**self.external_labels, **(known.external_labels if known else {})}

    def has_proxy(self, cluster: str) -> bool:
        """Whether pods of a cluster reach what is outside of it by an HTTP proxy."""
        known = self.clusters.get(cluster)
        return bool(self.workloads.proxy or (known and known.workloads.proxy))

    @property
    def evaluator(self) -> str | None:
        """The value of `cluster` of whatever evaluates this stack's rules, if anything does."""
        if self.watcher:
            return self.watcher.name
        return self.server.cluster if self.server else None

    @property
    def only_cluster(self) -> str | None:
        """The cluster of all series that rules of this stack read, if there can be no other: a standalone server's."""
        return self.standalone.cluster if self.standalone else None

    @property
    def local_agents(self) -> tuple[str, ...]:
        """The agents of this stack that write to its own hub."""
        return self.partial.local_agents if self.hub else ()

    def has_receiver(self, cluster: str) -> bool:
        """Whether the agent of a cluster writes to a hub or to the receiver in its place, not to destinations only."""
        return bool(self.hub or self.agents[cluster].hub)

    def destinations_of(self, cluster: str) -> Mapping[str, Destination]:
        """Where the Prometheus in a cluster writes to beside its hub, by name."""
        if self.server and self.server.cluster == cluster:
            return self.server.destinations
        return self.agents[cluster].destinations if cluster in self.agents else {}

    @property
    def stored_series(self) -> int:
        """Active series to plan for in the bucket of Thanos."""
        return stored_series(self.partial)

    @property
    def server_series(self) -> int:
        """Active series to plan for at this stack's server: its own cluster's, and those of agents that write to it."""
        return planned_series(self.partial)

    @property
    def expected(self) -> tuple[str, ...]:
        """Every cluster whose samples are expected at this stack's server, in the order of names."""
        return self.partial.expected

    @property
    def secrets(self) -> Mapping[str, Path]:
        """Every secret that the program reads from the stack: key without namespace -> path that requires it."""
        return needed(self.partial)

    @property
    def partial(self) -> PartialFleet:
        """The sections as the rules between them take them."""
        return PartialFleet(
            present=frozenset(name for name in self.model_fields_set if getattr(self, name) is not None),
            clusters=self.clusters,
            agents=self.agents,
            applications=self.applications,
            probes=self.probes,
            external_labels=self.external_labels,
            server_cluster=self.server.cluster if self.server else None,
            has_agents=bool(self.agents),
            **{name: getattr(self, name) for name in SECTIONS},
        )
