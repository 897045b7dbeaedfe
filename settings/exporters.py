"""Settings of the exporters of one cluster: deployed by this program, existing ones, or none."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field
from pydantic.alias_generators import to_camel

from .errors import Problem
from .scrape_config import ClientConfig, ClientConfigs
from .section import Distinct, Section, Table, empty, not_offered
from .types import DnsLabel, ObjectLabel, Port, PortName, UserPort

NODE_EXPORTER_PORT = 9100
WINDOWS_EXPORTER = "windows-exporter"
"""The label `job` of windows_exporter; that of kube-prometheus-stack."""
LabelledKind = Literal[
    "cronjobs",
    "daemonsets",
    "deployments",
    "ingresses",
    "jobs",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "pods",
    "services",
    "statefulsets",
]
"""Kind of object whose labels kube-state-metrics can expose."""
LABELS_OF: Mapping[str, LabelledKind] = {
    f"kube_{kind.removesuffix('es' if kind == 'ingresses' else 's')}_labels": kind for kind in get_args(LabelledKind)
}
"""Metric with the labels of objects -> their kind."""


class Existing(Section):
    """An exporter that exists in the cluster already; its /metrics is scraped over plain HTTP."""

    namespace: DnsLabel
    """Namespace of its Service."""
    service: DnsLabel
    """Name of its Service."""
    port: PortName | None = None
    """Name of the Service's port with the metrics; every port if left out."""


class HostService(Section):
    """A node_exporter that runs on every Linux node as a service of its own, outside of Kubernetes."""

    port: Port = NODE_EXPORTER_PORT
    """Port on the internal address of every node."""
    client: Annotated[ClientConfig, ClientConfigs()] = ClientConfig()
    """How it is asked, by fields of a `scrape_config`: `scheme`, `basic_auth`, `tls_config`; credentials as there."""


class Exporter(Section):
    """An exporter that this program deploys by default."""

    instead: ClassVar[tuple[str, ...]] = ("existing",)
    """Fields that name another one to scrape."""
    enabled: bool = True
    """Whether the cluster has one; with `false` its scrape job and the alerts on it are removed too."""
    existing: Existing | None = None
    """An existing exporter to scrape instead of deploying one, under the same job and with the same labels."""

    def problems(self) -> Iterator[Problem]:
        """Settings of a deployed exporter have no effect on a disabled or an existing one."""
        written = sorted(self.model_fields_set - {"enabled"})
        if not self.enabled:
            for name in written:
                yield Problem((to_camel(name),), "has no effect with enabled: false", "Remove one of the two.")
        elif instead := next((name for name in self.instead if getattr(self, name)), None):
            for name in written:
                if name != instead:
                    rule = f"has no effect with {instead}"
                    yield Problem((to_camel(name),), rule, f"Remove it, or remove {instead}.")

    @property
    def is_ours(self) -> bool:
        """Whether this program deploys it."""
        return self.enabled and not any(getattr(self, name) for name in self.instead)


class NodeExporter(Exporter):
    """node_exporter: metrics of the nodes."""

    port: UserPort = NODE_EXPORTER_PORT
    """Port on every node; change it where another process has 9100."""
    host: HostService | None = None
    """Scrape the node_exporter of the nodes themselves instead of deploying one; `{}` for plain HTTP on 9100."""

    instead = ("existing", "host")
    moved = not_offered("collectors", instead="Remove it, or scrape one of yours by existing or host.")


class KubeStateMetrics(Exporter):
    """kube-state-metrics: metrics of Kubernetes objects."""

    labels: Table[LabelledKind, Distinct[ObjectLabel]] = Field(default_factory=empty)
    """Kind of object -> labels of its objects that `kube_<kind>_labels` exposes, to join with."""

    moved = not_offered(
        *("collectors", "customResourceState", "metricAnnotationsAllowList", "metricAnnotationsAllowlist"),
        instead="Remove it, and scrape a second kube-state-metrics of yours with scrape.jobs.",
    )


class WindowsExporter(Section):
    """windows_exporter: metrics of Windows nodes. This program deploys none, and scrapes one that exists."""

    existing: Existing
    """Its Service, as the chart prometheus-windows-exporter makes it."""
