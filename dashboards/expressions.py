"""What the dashboards have in common: choices, filters, colours, and expressions that more than one shows."""

from alerts.sources import CADVISOR, DISK, SENDERS, STATE
from alerts.sources import NODE as NODES

from .model import Step, Variable

CLUSTER = Variable("cluster", "label_values(promfleet_cluster_expected, cluster)")
"""One cluster; its filter is `ONE`."""
CLUSTERS = CLUSTER._replace(many=True)
"""Clusters, or all; their filter is `MANY`."""
ONE = 'cluster="$cluster"'
MANY = 'cluster=~"$cluster"'
NAMESPACE = Variable("namespace", f"label_values(kube_namespace_status_phase{{{ONE}, {STATE}}}, namespace)")
NODE = Variable("node", f"label_values(kube_node_info{{{ONE}, {STATE}}}, node)")

TO_POD = ("cluster", "namespace", "pod")
"""The labels of a row that leads to a pod."""

YELLOW, RED = "yellow", "red"
FULL = (Step(0.8, YELLOW), Step(0.9, RED))
"""A share of what there is."""
ANY_IS_BAD = (Step(1, RED),)
ANY_IS_ODD = (Step(1, YELLOW),)
DOWN_IS_BAD = (Step(0, RED), Step(1, "green"))
"""1 is up, 0 is down."""

NO_NODE_EXPORTER = "Nothing came from node-exporter: it or the cluster's agent is down."
NO_KUBE_STATE_METRICS = "Nothing came from kube-state-metrics: it or the cluster's agent is down."
NO_CADVISOR = "There are no samples of the kubelets' cAdvisor: they or the cluster's agent can't be scraped."
NO_AGENT = "No agent writes to this hub: the fleet is the hub's own cluster, or every agent is silent."

DEVICES = 'device!~"lo|veth.*|cni.*|cali.*|docker.*"'
"""The devices of a node's network that are not virtual."""
_POD = f'{CADVISOR}, container="", image="", pod!=""'
"""Selects cAdvisor's series of a pod's cgroup, which is neither a container's nor a sandbox's."""


def pod_cpu(where: str, by: str) -> str:
    """Cores that pods use."""
    return f"sum by ({by}) (rate(container_cpu_usage_seconds_total{{{where}, {_POD}}}[$__rate_interval]))"


def pod_memory(where: str, by: str) -> str:
    """Bytes of pods that can't be taken back from them."""
    return f"sum by ({by}) (container_memory_working_set_bytes{{{where}, {_POD}}})"


def cpu_used(where: str, by: str = "cluster") -> str:
    """Share of the CPU time of nodes that was not idle, 0 to 1."""
    all_modes = f"{where}, {NODES}"
    idle = f'sum by ({by}) (rate(node_cpu_seconds_total{{{all_modes}, mode=~"idle|iowait|steal"}}[$__rate_interval]))'
    return f"1 - {idle} / sum by ({by}) (rate(node_cpu_seconds_total{{{all_modes}}}[$__rate_interval]))"


def memory_used(where: str, by: str = "cluster") -> str:
    """Share of the memory of nodes that is not available to programs, 0 to 1."""
    available = f"sum by ({by}) (node_memory_MemAvailable_bytes{{{where}, {NODES}}})"
    return f"1 - {available} / sum by ({by}) (node_memory_MemTotal_bytes{{{where}, {NODES}}})"


def disk_used(where: str, by: str = "cluster") -> str:
    """Share in use of the fullest file system, 0 to 1."""
    size = f"node_filesystem_size_bytes{{{where}, {DISK}}}"
    return f"max by ({by}) (1 - node_filesystem_avail_bytes{{{where}, {DISK}}} / {size})"


def requested(resource: str, where: str, by: str = "cluster") -> str:
    """What the containers of pods that have not ended ask for; cores or bytes."""
    asked = f'kube_pod_container_resource_requests{{{where}, {STATE}, resource="{resource}"}}'
    placed = f'{where}, {STATE}, phase=~"Pending|Running"'
    alive = f"max by (cluster, namespace, pod) (kube_pod_status_phase{{{placed}}} == 1)"
    return f"sum by ({by}) ({asked} * on (cluster, namespace, pod) group_left () {alive})"


def allocatable(resource: str, where: str, by: str = "cluster") -> str:
    """What nodes have to give to pods; cores or bytes."""
    return f'sum by ({by}) (kube_node_status_allocatable{{{where}, {STATE}, resource="{resource}"}})'


def quantile(share: float, histogram: str, where: str, by: str) -> str:
    """The time that this share of what a histogram counted did not exceed, in seconds."""
    buckets = f"rate({histogram}_bucket{{{where}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (le, {by}) ({buckets}))"


def behind(where: str, by: str) -> str:
    """Delay of remote write in seconds: newest scraped sample less newest sent; 0 before the first request."""
    scraped = f"prometheus_remote_storage_highest_timestamp_in_seconds{{{where}, {SENDERS}}}"
    newest = f"max by (cluster, instance) ({scraped})"
    sent = f"prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{where}, {SENDERS}}} > 0"
    return f"max by ({by}) ({newest} - on (cluster, instance) group_right () ({sent}))"


def rate_by(metric: str, where: str, by: str) -> str:
    """The rate of a counter, summed by labels; `where` are its matchers."""
    return f"sum by ({by}) (rate({metric}{{{where}}}[$__rate_interval]))"
