"""What a stack says about a Prometheus on a machine outside of all clusters."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from .agent import Receiver
from .cluster import Labels
from .destinations import Destinations
from .errors import Problem
from .instance import Instance
from .prometheus import Retention
from .section import Distinct, OrNames, Section, Table, empty
from .types import (
    Count,
    DnsLabel,
    FilePath,
    Host,
    HostAndPort,
    HttpsUrl,
    MetricsPath,
    Quantity,
    UserName,
    UserPort,
    refused,
)

SELF = "prometheus"
"""User by whose password Prometheus scrapes itself where it is exposed."""
ONLY_IN_CLUSTERS = frozenset({"apiserver", "cadvisor", "coredns", "kube-state-metrics", "kubelet", "pods", "services"})
"""Jobs whose targets are discovered in clusters, and can't be listed by hand as those of node-exporter can."""


class WatchedCluster(Section):
    """How the watcher reaches one cluster; its key is the cluster's."""

    route: Literal["direct", "apiserver"] = "direct"
    """
    `direct`: kubelets and exporters at the addresses of nodes and pods, which the machine must reach. `apiserver`:
    everything through the API server, with rights that `docs/watcher.md` lists.
    """
    nodes: bool = True
    """Whether kubelets are scraped. `route: apiserver` needs `nodes/proxy` for it, which runs commands in any pod."""
    api_server: HttpsUrl | None = None
    """URL of the API server as the machine reaches it; the one in the kubeconfig if left out."""
    rotation: Count = 0
    """How often its token was renewed; the token before the newest stays valid until the next renewal."""

    def problems(self) -> Iterator[Problem]:
        """Only the kubelets' jobs cost a right."""
        if not self.nodes and self.route == "direct":
            instead = "Remove it: with route: direct a kubelet is asked for its metrics and lets nobody do more."
            yield Problem(("nodes",), "saves no right with route: direct", instead, value=False)


def _is_no_clusters_job(job: DnsLabel) -> DnsLabel:
    if job in {*ONLY_IN_CLUSTERS, "prometheus"}:
        raise refused(
            "is a job that the watcher discovers in clusters",
            "Write node-exporter, or a name of your own such as etcd.",
        )
    return job


class Machine(Section):
    """Targets outside of Kubernetes that are listed by hand, such as node-exporter on a machine."""

    job: Annotated[DnsLabel, AfterValidator(_is_no_clusters_job)] = "node-exporter"
    """Value of the label `job`; rules on node-exporter hold for this job too."""
    cluster: DnsLabel
    """The cluster that the targets belong to; the value of their label `cluster`."""
    targets: Annotated[Distinct[HostAndPort], Field(min_length=1)]
    """host:port of each."""
    path: MetricsPath = "/metrics"
    """Path of the metrics."""
    scheme: Literal["http", "https"] = "http"
    """`https` verifies the certificate by the authorities that the machine trusts."""
    labels: Labels = Field(default_factory=empty)
    """Further labels of these targets' series."""


class WatcherTls(Section):
    """Certificate and key of Prometheus, as files on the machine that the user provides and renews."""

    certificate: FilePath = "/etc/promfleet-watcher/tls/tls.crt"
    """PEM file of the certificate with its chain; read anew at every connection."""
    key: FilePath = "/etc/promfleet-watcher/tls/tls.key"
    """PEM file of the private key; the group `prometheus` reads it."""


class WatcherExpose(Section):
    """How people and other servers reach the watcher: over TLS, by name and password."""

    host: Host
    """Name in the certificate."""
    port: UserPort = 9090
    """Port on the machine."""
    users: Annotated[Distinct[UserName], Field(min_length=1)]
    """Names of users. Each has a bcrypt hash as the secret `promfleet:<user>PasswordHash`, from `htpasswd -nBC 12`."""
    tls: WatcherTls = WatcherTls()

    def problems(self) -> Iterator[Problem]:
        """No person is taken for Prometheus itself, which asks by a password that is made for it."""
        for index, user in enumerate(self.users):
            if user == SELF:
                yield Problem(
                    ("users", index), "is the user by which Prometheus scrapes itself", "Use another name.", user
                )


class Watcher(Section):
    """A Prometheus server on a plain machine that scrapes clusters from outside, evaluates rules and sends alerts."""

    section: ClassVar[str] = "watcher"

    name: DnsLabel = "watcher"
    """Value of the label `cluster` of the machine's own series."""
    clusters: Annotated[Table[DnsLabel, WatchedCluster], OrNames(DnsLabel, WatchedCluster), Field(min_length=1)]
    """The clusters that it watches, or just their names."""
    machines: Table[DnsLabel, Machine] = Field(default_factory=empty)
    """Targets outside of Kubernetes, by a name of one's own."""
    retention: Retention = "42d"
    """How long samples are kept."""
    storage: Quantity = "50Gi"
    """Disk space for samples on the machine, under /var/lib; samples take 80 % of it at most."""
    expose: WatcherExpose | None = None
    """Without it Prometheus listens on 127.0.0.1:9090 of its machine only."""
    instance: Instance | None = None
    """The machine, if this stack makes it: a VM in Google Cloud. Without it, it is a machine of your own."""
    hub: Receiver | None = None
    """Where every sample is written to as well: another stack's hub, or any remote-write URL."""
    destinations: Destinations = Field(default_factory=empty)
    """Further receivers of every sample, as entries of Prometheus' `remote_write`, by name; files are the machine's."""

    def problems(self) -> Iterator[Problem]:
        """No target is listed twice, and each belongs to something that is watched."""
        yield from self._instance_problems()
        if self.hub and self.hub.audience:
            rule = "is of tokens of a cluster, and the machine is in none"
            yield Problem(("hub", "audience"), rule, "Write stack instead of url, or remove it.", self.hub.audience)
        seen: dict[tuple[str, str, str], tuple[str, int]] = {}
        for name, machine in self.machines.items():
            for index, target in enumerate(machine.targets):
                first = seen.setdefault((machine.job, target, machine.path), (name, index))
                if first != (name, index):
                    rule = f"is machines.{first[0]}.targets[{first[1]}] too"
                    instead = "Remove one of the two: the same target would be scraped twice."
                    yield Problem(("machines", name, "targets", index), rule, instead, target)
            if machine.cluster not in (*self.clusters, self.name):
                known = ", ".join((*self.clusters, self.name))
                instead = f"Write one of them: {known}."
                yield Problem(("machines", name, "cluster"), "is not a watched cluster", instead, machine.cluster)

    def _instance_problems(self) -> Iterator[Problem]:
        """A firewall has a rule for the port exactly where Prometheus listens on it."""
        if not self.instance:
            return
        path = ("instance", "sourceRanges")
        if self.expose and not self.instance.source_ranges:
            instead = "Write the CIDR ranges of your clients: [203.0.113.0/24]."
            yield Problem(path, f"is missing: no firewall rule would admit anybody to port {self.expose.port}", instead)
        if self.instance.source_ranges and not self.expose:
            instead = "Remove it, or write watcher.expose."
            yield Problem(path, "has no effect: Prometheus listens on the VM's loopback interface only", instead)
