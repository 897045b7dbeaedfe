"""What a cluster's maker lets nobody scrape, so that neither a job nor an alert waits for it."""

from settings import Fleet
from settings.cluster import ON_REQUEST
from settings.watcher import ONLY_IN_CLUSTERS

UNREACHABLE: dict[str, frozenset[str]] = {
    "gke": frozenset({"coredns"}),  # "Service discovery and DNS": kube-dns, or Cloud DNS outside of the cluster
    "autopilot": frozenset({"coredns"}),  # as gke
    "eks": frozenset(),  # the add-on's Service kube-dns has the port 9153
    "aks": frozenset({"coredns"}),  # the Service kube-dns has no port for metrics
    "openshift": frozenset({"coredns"}),  # behind a proxy of its own that wants a right of OpenShift's
    "rke2": frozenset(),
    "k3s": frozenset(),
    "kubeadm": frozenset(),
    "lab": frozenset(),
}
"""Platform -> jobs that it takes away, of those that every cluster has."""

OF_CLUSTERS = ONLY_IN_CLUSTERS | ON_REQUEST | {"node-exporter"}
"""Jobs whose targets are in clusters; a machine that watches clusters has those of them that are listed by hand."""
VIRTUAL = {"eks.amazonaws.com/compute-type": ("fargate",), "type": ("virtual-kubelet",)}
"""Label of a node -> its values on nodes behind which no machine is: their kubelets have no metrics for us."""


def unreachable(fleet: Fleet, cluster: str) -> frozenset[str]:
    """The jobs that a cluster can't have, or is not to have; none where nothing is known of it."""
    if fleet.watcher and cluster == fleet.watcher.name:
        own = {machine.job for machine in fleet.watcher.machines.values() if machine.cluster == cluster}
        return OF_CLUSTERS - own
    known = fleet.clusters.get(cluster)
    if known is None:
        return frozenset()
    hidden = UNREACHABLE[known.platform] if known.platform else frozenset()
    annotated = {"pods", "services"} if known.namespaced else set[str]()
    return hidden | known.without | annotated | _unwatched(fleet, cluster)


def _unwatched(fleet: Fleet, cluster: str) -> frozenset[str]:
    """What a watcher from outside has no right to scrape."""
    watched = fleet.watcher.clusters.get(cluster) if fleet.watcher else None
    return frozenset({"kubelet", "cadvisor"} if watched and not watched.nodes else ())
