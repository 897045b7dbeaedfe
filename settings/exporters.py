"""Settings of the exporters of one cluster: deployed by this program, existing ones, or none."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from .errors import Problem
from .section import Distinct, Section, Table, empty
from .types import DnsLabel, ObjectLabel

NODE_EXPORTER_PORT = 9100


class Existing(Section):
    """An exporter that exists in the cluster already; its /metrics is scraped over plain HTTP."""

    namespace: DnsLabel
    """Namespace of its Service."""
    service: DnsLabel
    """Name of its Service."""
    port: DnsLabel | None = None
    """Name of the Service's port with the metrics; every port if left out."""


class Exporter(Section):
    """An exporter that this program deploys by default."""

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
        elif self.existing:
            for name in written:
                if name != "existing":
                    yield Problem((to_camel(name),), "has no effect with existing", "Remove it, or remove existing.")

    @property
    def is_ours(self) -> bool:
        """Whether this program deploys it."""
        return self.enabled and self.existing is None


class NodeExporter(Exporter):
    """node_exporter: metrics of the nodes."""

    port: Annotated[int, Field(ge=1024, le=65535)] = NODE_EXPORTER_PORT
    """Port on every node; change it where another process has 9100."""


class KubeStateMetrics(Exporter):
    """kube-state-metrics: metrics of Kubernetes objects."""

    labels: Table[Literal["nodes", "persistentvolumeclaims", "pods"], Distinct[ObjectLabel]] = Field(
        default_factory=empty
    )
    """Kind of object -> labels of its objects that `kube_<kind>_labels` exposes, to join with."""
