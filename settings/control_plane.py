"""Settings of the control plane of one cluster, and of kube-proxy: what is scraped of them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic.alias_generators import to_camel

from .errors import Problem
from .scrape_config import ClientConfig, ClientConfigs
from .section import Section
from .types import DnsName, ObjectLabel, Port

SCHEDULER, CONTROLLER_MANAGER, ETCD, PROXY = "kube-scheduler", "kube-controller-manager", "kube-etcd", "kube-proxy"
OF_CONTROL_PLANE = (SCHEDULER, CONTROLLER_MANAGER, ETCD, PROXY)
"""The label `job` of each; those of kube-prometheus-stack."""
HIDDEN: Mapping[str, frozenset[str]] = {
    "gke": frozenset({SCHEDULER, CONTROLLER_MANAGER, ETCD}),
    "autopilot": frozenset({SCHEDULER, CONTROLLER_MANAGER, ETCD, PROXY}),
    "eks": frozenset({SCHEDULER, CONTROLLER_MANAGER, ETCD}),
    "aks": frozenset({SCHEDULER, CONTROLLER_MANAGER, ETCD}),
    "openshift": frozenset({SCHEDULER, CONTROLLER_MANAGER, ETCD, PROXY}),
}
"""Platform -> what runs outside of the cluster, or behind permissions of the platform's own."""
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


_ENDPOINTS = {
    "endpoints": (
        "is not offered: what is scraped are nodes",
        "Write nodes: a label of these nodes; hosts that are no nodes are a job of scrape.jobs.",
    )
}


class Secured(Section):
    """What asks the API server who may read its metrics; Prometheus shows its ServiceAccount's token."""

    port: Port
    """Port on the internal address of its nodes."""
    nodes: ObjectLabel = _CONTROL_PLANE
    """Label that a node has on which it runs, whatever its value."""
    server_name: DnsName | None = None
    """Name in its certificate; the address of the node, if left out."""
    insecure_skip_verify: bool = False
    """Accept a certificate that the cluster's CA did not sign, as kubeadm's: who intercepts gets the token."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = _ENDPOINTS


class Scheduler(Secured):
    """kube-scheduler."""

    port: Port = 10259


class ControllerManager(Secured):
    """kube-controller-manager."""

    port: Port = 10257


class Etcd(Section):
    """etcd, by `--listen-metrics-urls`, or at its client port with a client certificate."""

    port: Port = 2381
    """Port on the internal address of its nodes."""
    nodes: ObjectLabel = _CONTROL_PLANE
    """Label that a node has on which it runs, whatever its value."""
    client: Annotated[ClientConfig, ClientConfigs()] = ClientConfig()
    """How it is asked, by fields of a `scrape_config`: `scheme`, `tls_config`; plain HTTP if left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = _ENDPOINTS


class KubeProxy(Section):
    """kube-proxy, on every Linux node, over plain HTTP."""

    port: Port = 10249
    """`metricsBindAddress` on the internal address of every node."""


class ControlPlane(Section):
    """What is scraped of the control plane, and kube-proxy; `{}` is each with its usual port, none if left out."""

    scheduler: Scheduler | None = None
    controller_manager: ControllerManager | None = None
    etcd: Etcd | None = None
    kube_proxy: KubeProxy | None = None

    @property
    def jobs(self) -> Mapping[str, Section]:
        """What is scraped, by its job."""
        return {job: part for job, name in _FIELDS.items() if (part := getattr(self, name)) is not None}

    def hidden_by(self, platform: str) -> Iterator[Problem]:
        """What a platform lets nobody scrape."""
        hidden = HIDDEN.get(platform, frozenset())
        for job in self.jobs:
            if job in hidden:
                yield Problem((to_camel(_FIELDS[job]),), f"can't be scraped with platform: {platform}", "Remove it.")


_FIELDS = {
    SCHEDULER: "scheduler",
    CONTROLLER_MANAGER: "controller_manager",
    ETCD: "etcd",
    PROXY: "kube_proxy",
}
"""Job -> its field."""
