"""What the boards have in common: choices, filters, colours, and expressions that more than one shows."""

from .model import Step, Variable

CLUSTER = Variable("cluster", "label_values(promfleet_cluster_expected, cluster)")
"""One cluster; its filter is `ONE`."""
CLUSTERS = CLUSTER._replace(many=True)
"""Clusters, or all; their filter is `MANY`."""
ONE = 'cluster="$cluster"'
MANY = 'cluster=~"$cluster"'

YELLOW, RED = "yellow", "red"
FULL = (Step(0.8, YELLOW), Step(0.9, RED))
"""A share of what there is."""
ANY_IS_BAD = (Step(1, RED),)
ANY_IS_ODD = (Step(1, YELLOW),)
DOWN_IS_BAD = (Step(0, RED), Step(1, "green"))
"""1 is up, 0 is down."""


def cpu_used(where: str, by: str) -> str:
    """Share of the CPU time of nodes that was not idle, 0 to 1."""
    idle = f'sum by ({by}) (rate(node_cpu_seconds_total{{{where}, mode=~"idle|iowait|steal"}}[$__rate_interval]))'
    return f"1 - {idle} / sum by ({by}) (rate(node_cpu_seconds_total{{{where}}}[$__rate_interval]))"


def memory_used(where: str, by: str) -> str:
    """Share of the memory of nodes that is not available to programs, 0 to 1."""
    available = f"sum by ({by}) (node_memory_MemAvailable_bytes{{{where}}})"
    return f"1 - {available} / sum by ({by}) (node_memory_MemTotal_bytes{{{where}}})"


def requested(resource: str, where: str, by: str = "cluster") -> str:
    """What the containers of pods that have not ended ask for; cores or bytes."""
    asked = f'kube_pod_container_resource_requests{{{where}, resource="{resource}"}}'
    alive = f'max by (cluster, namespace, pod) (kube_pod_status_phase{{{where}, phase=~"Pending|Running"}} == 1)'
    return f"sum by ({by}) ({asked} * on (cluster, namespace, pod) group_left () {alive})"


def allocatable(resource: str, where: str, by: str = "cluster") -> str:
    """What nodes have to give to pods; cores or bytes."""
    return f'sum by ({by}) (kube_node_status_allocatable{{{where}, resource="{resource}"}})'
