"""Settings of one Kubernetes cluster."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .control_plane import OF_CONTROL_PLANE, ControlPlane
from .errors import Problem
from .exporters import WINDOWS_EXPORTER, KubeStateMetrics, NodeExporter, WindowsExporter
from .external_labels import ExternalLabels
from .issuer import Issuer
from .operator import Operator
from .reserved import NOT_FREE
from .section import Section, Table, empty
from .types import PROJECT, LabelName, LabelValue, Line, WorkloadPool, refused
from .workloads import Workloads

_OF_GKE = re.compile(rf"gke_({PROJECT})_[a-z0-9-]+_.+")
"""A context as gcloud names it."""


def _is_free(label: LabelName) -> LabelName:
    if NOT_FREE.fullmatch(label):
        # Prometheus or this program sets it, and would overwrite the user's value without a word.
        raise refused("is a reserved label", "Use another name, such as region or tier.")
    return label


Labels = Table[Annotated[LabelName, AfterValidator(_is_free)], LabelValue]
Series = Annotated[int, Field(ge=1000, le=50_000_000)]
USUAL_SERIES = 30_000
ON_REQUEST = frozenset({*OF_CONTROL_PLANE, WINDOWS_EXPORTER})
"""Jobs that a cluster has only where its settings ask for them."""


class Kubelet(Section):
    """How Prometheus verifies the kubelets of one cluster."""

    insecure_skip_verify: bool = False
    """Accept kubelet certificates that the cluster's CA did not sign (kubeadm's default); anyone can intercept."""


class Cluster(Section):
    """One Kubernetes cluster; its key in the stack file is its value of the label `cluster`."""

    context: Line
    """Context of the cluster in the kubeconfig."""
    kubeconfig: Line | None = None
    """Path of the kubeconfig; `KUBECONFIG`, then `~/.kube/config`, if left out."""
    labels: Labels = Field(default_factory=empty)
    """Facts about the cluster (region, tier, …), joined to its series through `promfleet_cluster_expected`."""
    external_labels: ExternalLabels = Field(default_factory=empty)
    """Labels that every series scraped in this cluster gets, beside those of `externalLabels` of the stack."""
    series: Series = USUAL_SERIES
    """Active series to plan for: memory, volumes and the WAL follow from it."""
    kubelet: Kubelet = Kubelet()
    workload_pool: WorkloadPool | None = None
    """Workload identity pool of GKE, by which pods get access to a bucket; default from a context `gke_<project>_…`."""
    platform: Literal["gke", "autopilot", "eks", "aks", "openshift", "rke2", "k3s", "kubeadm", "lab"] | None = None
    """Kubernetes distribution; jobs that it does not let anyone scrape are left out, and so are the alerts on them."""
    node_exporter: NodeExporter = NodeExporter()
    kube_state_metrics: KubeStateMetrics = Field(default_factory=KubeStateMetrics)
    windows_exporter: WindowsExporter | None = None
    control_plane: ControlPlane = Field(default_factory=ControlPlane)
    operator: Operator | None = None
    issuer: Issuer | None = None
    """Who signs tokens in this cluster: its agent shows such a token to the hub, and no secret is shared."""
    namespaced: bool = False
    """Prometheus may list pods and Services in the namespaces of its targets only; annotated ones are not scraped."""
    workloads: Workloads = Field(default_factory=Workloads)
    """The same as `workloads` of the stack, for pods of this cluster."""

    def problems(self) -> Iterator[Problem]:
        """The platform permits what is asked for."""
        if self.platform == "autopilot" and self.node_exporter.model_fields_set and self.node_exporter.is_ours:
            rule = "can't run with platform: autopilot, which permits no host ports and no host paths"
            yield Problem(("nodeExporter",), rule, "Remove it, or set existing to one that Google admits.")
        if self.platform == "autopilot" and self.node_exporter.host:
            rule = "can't be with platform: autopilot, whose nodes let nobody install a service"
            yield Problem(("nodeExporter", "host"), rule, "Remove it, or set existing to one that Google admits.")
        for problem in self.control_plane.hidden_by(self.platform) if self.platform else ():
            yield problem.under(("controlPlane",))
        if self.platform == "openshift" and self.operator and self.operator.install:
            rule = "is not supported with platform: openshift, whose own operator has these custom resources"
            yield Problem(("operator", "install"), rule, "Remove operator.", value=True)
        if self.namespaced and self.operator and not self.operator.select.namespaces:
            rule = "needs to know the namespaces whose monitors are used: Prometheus would find no targets in others"
            yield Problem(("namespaced",), rule, "Write operator.select.namespaces.", value=True)

    @property
    def runs_node_exporter(self) -> bool:
        """Whether this program deploys one in the cluster."""
        return self.node_exporter.is_ours and self.platform != "autopilot"

    @property
    def without(self) -> frozenset[str]:
        """The jobs of exporters that the cluster does not have, and those on request that nobody asks for."""
        has = {
            "node-exporter": self.runs_node_exporter or (self.node_exporter.enabled and not self.node_exporter.is_ours),
            "kube-state-metrics": self.kube_state_metrics.enabled,
            WINDOWS_EXPORTER: self.windows_exporter is not None,
            **{job: job in self.control_plane.jobs for job in OF_CONTROL_PLANE},
        }
        return frozenset(job for job, is_there in has.items() if not is_there)

    @property
    def is_of_gke(self) -> bool:
        """Whether it is a cluster of GKE, by `platform` or else by the name of its context."""
        if self.platform is None:
            return _OF_GKE.fullmatch(self.context) is not None
        return self.platform in ("gke", "autopilot")

    @property
    def pool(self) -> str | None:
        """The workload identity pool that its pods are members of, if it is known."""
        of_gke = _OF_GKE.fullmatch(self.context)
        return self.workload_pool or (f"{of_gke[1]}.svc.id.goog" if of_gke else None)
