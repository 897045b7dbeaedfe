"""What a stack may say about the fleet, and nothing else."""

from typing import Annotated, Literal

from pydantic import Field

from .images import Images
from .section import Section
from .types import DnsLabel, Duration, Host, HttpsUrl, LabelName, LabelValue, MetricName, Quantity


class Kubelet(Section):
    """How the kubelets of one cluster are reached."""

    insecure_skip_verify: bool = False
    """Accept kubelet certificates that the cluster's CA did not sign (kubeadm's default); the traffic can then be read."""


class Cluster(Section):
    """One Kubernetes cluster; its key in the stack file is its value of the label `cluster`."""

    context: Annotated[str, Field(min_length=1)]
    """Context of the kubeconfig that leads to the cluster."""
    kubeconfig: Annotated[str, Field(min_length=1)] | None = None
    """Path of that kubeconfig; without it `KUBECONFIG`, then `~/.kube/config`."""
    labels: dict[LabelName, LabelValue] = {}
    """Facts about the cluster (region, tier, …), joined to its series through `promfleet_cluster_expected`."""
    series: Annotated[int, Field(ge=1000, le=50_000_000)] = 30_000
    """Active series to plan for: memory, volumes and the WAL follow from it."""
    kubelet: Kubelet = Kubelet()


class Limits(Section):
    """What one scrape may bring at most; a scrape over a limit is refused whole and an alert says so. 0: no limit."""

    samples: Annotated[int, Field(ge=0)] = 200_000
    targets: Annotated[int, Field(ge=0)] = 5_000
    labels: Annotated[int, Field(ge=0)] = 100
    body: Quantity = "128Mi"


class Scrape(Section):
    """What is scraped in every cluster of this stack, how often and how much of it is kept."""

    interval: Duration = "1m"
    timeout: Duration = "10s"
    metrics: Literal["essential", "full"] = "essential"
    """`essential` keeps what rules and dashboards use; `full` keeps everything."""
    keep: list[MetricName] = []
    """Further metrics to keep beside the essential ones."""
    limits: Limits = Limits()


class Tls(Section):
    """The hub's certificate, and what the agents trust it by."""

    secret: DnsLabel | None = None
    """Secret of type kubernetes.io/tls in the hub's namespace."""
    issuer: DnsLabel | None = None
    """cert-manager ClusterIssuer that signs it instead."""
    ca: str | None = None
    """PEM certificates that sign for the hub; without it and `caConfigMap` the public authorities are trusted."""
    ca_config_map: DnsLabel | None = None
    """ConfigMap (key `ca.crt`) with them in each agent's namespace instead, as trust-manager distributes it."""


class NodePorts(Section):
    """Ports on the hub cluster's nodes."""

    write: Annotated[int, Field(ge=30000, le=32767)] = 30443
    read: Annotated[int, Field(ge=30000, le=32767)] = 30444


class Expose(Section):
    """How agents and readers of other clusters reach the hub."""

    host: Host
    """Name in the hub's certificate, which leads to the Service."""
    via: Literal["clusterIP", "nodePort", "loadBalancer"] = "loadBalancer"
    tls: Tls
    node_ports: NodePorts = NodePorts()


class Hub(Section):
    """The Prometheus that takes every cluster's samples by remote write, and watches its own cluster."""

    cluster: DnsLabel
    retention: Duration = "42d"
    storage: Quantity = "50Gi"
    storage_class: DnsLabel | None = None
    expose: Expose
    agents: list[DnsLabel] = []
    """Clusters of other stacks that may write; those of this stack's `agents` need not be named."""
    rotations: dict[DnsLabel, Annotated[int, Field(ge=1)]] = {}
    """How often an agent's token was renewed; the token before the newest stays valid until the next renewal."""


class Receiver(Section):
    """Where an agent's samples go when that is not this stack's hub; exactly one of the two."""

    stack: str | None = None
    """`<organization>/<project>/<stack>` of a promfleet hub."""
    url: HttpsUrl | None = None
    """Remote-write URL of another system; its bearer token is the secret `promfleet:<cluster>Token`."""


class Agent(Section):
    """The Prometheus in agent mode of one cluster; its key is the cluster's."""

    hub: Receiver | None = None
    """Where to write; this stack's hub if left out."""
    outage: Duration = "6h"
    """The longest outage of the hub that costs no sample while the agent itself stays up."""
    storage_class: DnsLabel | None = None


class Fleet(Section):
    """The value of `promfleet:fleet`."""

    clusters: Annotated[dict[DnsLabel, Cluster], Field(min_length=1)]
    namespace: DnsLabel = "promfleet"
    """Namespace in every cluster; made, labelled and deleted by this program."""
    rollout_timeout: Duration = "150s"
    """How long a workload may take to become ready before `pulumi up` fails; a large hub replays its WAL for minutes."""
    scrape: Scrape = Scrape()
    images: Images = Images()
    hub: Hub | None = None
    agents: dict[DnsLabel, Agent] = {}
