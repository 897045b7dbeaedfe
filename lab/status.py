"""What there is of the lab, and whether it is well."""

from dataclasses import dataclass

import psutil

from . import api
from .cluster import Cluster, known
from .links import METADATA_SERVER
from .node import components, held, node_holder

EXPECTED = (
    "containerd",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
    METADATA_SERVER,
)


@dataclass(frozen=True)
class Health:
    """One cluster as it is now."""

    cluster: Cluster
    dead: tuple[str, ...]
    """Components that should run and don't."""
    is_ready: bool
    """Whether the node can take pods."""
    running: int
    pods: int
    memory: int
    """Resident bytes of all that runs in the node."""

    @property
    def is_healthy(self) -> bool:
        return self.is_ready and not self.dead and self.running == self.pods


def status() -> list[Health]:
    """Look at every cluster that the lab knows."""
    return [look(cluster) for cluster in known()]


def look(cluster: Cluster) -> Health:
    """Look at one cluster; nothing is waited for or mended."""
    node = held(node_holder(cluster))
    alive = components(node) if node else {}
    serves = "kube-apiserver" in alive and "etcd" in alive  # else each question would take its full time
    listed = (serves and api.get(cluster, "/api/v1/pods")) or {"items": []}
    pods = [pod for pod in listed["items"] if pod["status"]["phase"] != "Succeeded"]
    return Health(
        cluster=cluster,
        dead=tuple(name for name in EXPECTED if name not in alive),
        is_ready=serves and api.is_node_ready(cluster),
        running=sum(api.condition(pod, "Ready") for pod in pods),
        pods=len(pods),
        memory=sum(_memory(process) for process in node.children(recursive=True)) if node else 0,
    )


def _memory(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
