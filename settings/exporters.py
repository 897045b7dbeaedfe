"""What a stack says about the exporters of one cluster: this program's own, somebody else's, or none."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from .errors import Problem
from .section import Distinct, Section, Table, empty
from .types import DnsLabel, ObjectLabel

NODE_EXPORTER_PORT = 9100


class Existing(Section):
    """An exporter that somebody else runs in the cluster, asked over plain HTTP for /metrics."""

    namespace: DnsLabel
    """Namespace of its Service."""
    service: DnsLabel
    """Name of its Service."""
    port: DnsLabel | None = None
    """Name of the Service's port with the metrics; every port if left out."""


class Exporter(Section):
    """An exporter that this program runs unless it is told otherwise."""

    enabled: bool = True
    """Whether there is one; without it its job and every alert on it go too."""
    existing: Existing | None = None
    """The one to scrape instead of running another, under the same job and with the same labels."""

    def problems(self) -> Iterator[Problem]:
        """What is said of an exporter of one's own is said of none that is off, or somebody else's."""
        written = sorted(self.model_fields_set - {"enabled"})
        if not self.enabled:
            for name in written:
                yield Problem((to_camel(name),), "has no effect with enabled: false", "Remove one of the two.")
        elif self.existing:
            for name in written:
                if name != "existing":
                    yield Problem((to_camel(name),), "is not said of an existing exporter", "Remove it, or existing.")

    @property
    def is_ours(self) -> bool:
        """Whether this program runs it."""
        return self.enabled and self.existing is None


class NodeExporter(Exporter):
    """Metrics of the nodes themselves."""

    port: Annotated[int, Field(ge=1024, le=65535)] = NODE_EXPORTER_PORT
    """Port on every node, where another one has 9100."""


class KubeStateMetrics(Exporter):
    """Metrics of the state of Kubernetes' objects."""

    labels: Table[Literal["nodes", "persistentvolumeclaims", "pods"], Distinct[ObjectLabel]] = Field(
        default_factory=empty
    )
    """Kind of object -> labels of its objects that `kube_<kind>_labels` tells, to join with."""
