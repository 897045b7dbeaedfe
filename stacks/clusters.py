"""What every cluster of the fleet gets, whoever scrapes it: its namespaces and exporters."""

from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components import KubeStateMetrics, Namespace, NodeExporter
from settings import Fleet, seconds

from .providers import cluster_provider


class Watched(NamedTuple):
    """A cluster that is ready for a Prometheus."""

    provider: k8s.Provider
    namespace: pulumi.Output[str]


def deploy_cluster(fleet: Fleet, name: str) -> Watched:
    """Make one cluster's provider, its namespaces and its exporters."""
    cluster = fleet.clusters[name]
    provider = cluster_provider(name, cluster)
    opts = ResourceOptions(provider=provider)
    namespace = Namespace(name, {"namespace": fleet.namespace, "admits": "restricted"}, opts).namespace
    nodes = Namespace(
        f"{name}.node-exporter", {"namespace": f"{fleet.namespace}-node-exporter", "admits": "privileged"}, opts
    ).namespace
    timeout = seconds(fleet.rollout_timeout)
    KubeStateMetrics(
        name,
        {
            "namespace": namespace,
            "prefix": fleet.namespace,
            "series": cluster.series,
            "image": fleet.images.kube_state_metrics,
            "rollout_timeout": timeout,
        },
        opts,
    )
    NodeExporter(name, {"namespace": nodes, "image": fleet.images.node_exporter, "rollout_timeout": timeout}, opts)
    return Watched(provider, namespace)
