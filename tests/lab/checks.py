"""What tests of several modules expect of the lab's fleets."""

from alerts import MAINTENANCE, WATCHDOG
from fleet.client import PrometheusClient
from lab.cluster import NAMES

from .catalogue import active_alerts
from .clusters import Lab

CLUSTERS = sorted(NAMES)
FORGOTTEN = 330
"""Seconds until what vanished while its Prometheus restarted is surely gone: no marker ends it before the lookback."""
MEMORY = 600
"""Seconds for which the rules look back at what stood in the lab before."""
JOBS = {"apiserver", "cadvisor", "coredns", "kube-state-metrics", "kubelet", "node-exporter", "prometheus"}
"""What is scraped in every cluster."""


def assert_hub_agrees(lab: Lab, hub: PrometheusClient) -> None:
    """What the hub says of each cluster and namespace is what that cluster's API server says."""
    told = {
        (s.labels["cluster"], s.labels["namespace"]): int(s.value)
        for s in hub.query('sum(kube_pod_info{job="kube-state-metrics"}) by (cluster, namespace)')
    }
    true = {(cluster, ns): n for cluster in CLUSTERS for ns, n in lab.pods(cluster).items()}
    assert told == true


def assert_calm(hub: PrometheusClient) -> None:
    """Nothing fires and nothing is about to, but the heartbeat and what tells of a maintenance."""
    assert active_alerts(hub) == {f"{WATCHDOG} in hub", f"{MAINTENANCE} in us1"}


def assert_nothing_left(lab: Lab) -> None:
    """Neither namespaced nor cluster-wide objects of ours are there."""
    assert lab.left() == {}
