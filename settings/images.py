"""Every container image that the program deploys, by release. The lab builds the same releases from source."""

import re
from typing import Annotated, Self

from pydantic import model_validator

from .section import Section
from .types import Image, Text

PROMETHEUS = "quay.io/prometheus/prometheus:v3.15.0"
KUBE_RBAC_PROXY = "quay.io/brancz/kube-rbac-proxy:v0.22.1"
KUBE_STATE_METRICS = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.19.1"
NODE_EXPORTER = "quay.io/prometheus/node-exporter:v1.12.1"
ALERTMANAGER = "quay.io/prometheus/alertmanager:v0.31.0"
CONFIG_RELOADER = "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0"
PROMETHEUS_OPERATOR = "quay.io/prometheus-operator/prometheus-operator:v0.85.0"
ADMISSION_WEBHOOK = "quay.io/prometheus-operator/admission-webhook:v0.85.0"
PUSHGATEWAY = "quay.io/prometheus/pushgateway:v1.11.1"
BLACKBOX_EXPORTER = "quay.io/prometheus/blackbox-exporter:v0.28.0"
THANOS = "quay.io/thanos/thanos:v0.42.5"
MEMCACHED = "docker.io/library/memcached:1.6.45-alpine"
"""The lab runs Debian's package instead: memcached is written in C."""
ENVOY = "docker.io/envoyproxy/envoy:distroless-v1.40.0"
GRAFANA = "docker.io/grafana/grafana:13.1.3"
"""The only image that the lab does not run: its server is not published as source that can be built."""


Registry = Annotated[
    str,
    Text(
        r"[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)*",
        "is not a registry",
        "Write its host, with port and path if it has them, and without scheme: mirror.acme.example/platform.",
        near=(r"(?:https?://)?([a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)*)/?", r"\1"),
    ),
]
"""A registry, and the path in it under which images are."""


class Images(Section):
    """Container images; write a mirror or a digest in full: `mirror.example/p8s@sha256:…`."""

    registry: Registry | None = None
    """Registry, with a path if wanted, of every image that is not written here: its own path and tag follow."""
    prometheus: Image = PROMETHEUS
    """Prometheus, as a server and as an agent."""
    kube_rbac_proxy: Image = KUBE_RBAC_PROXY
    """kube-rbac-proxy, in front of every port that needs authentication."""
    envoy: Image = ENVOY
    """Envoy, in front of remote write of agents with an issuer."""
    kube_state_metrics: Image = KUBE_STATE_METRICS
    """kube-state-metrics, once per cluster."""
    node_exporter: Image = NODE_EXPORTER
    """node_exporter, on every node."""
    alertmanager: Image = ALERTMANAGER
    """Alertmanager."""
    config_reloader: Image = CONFIG_RELOADER
    """Sidecar that makes Alertmanager reload its configuration, and Prometheus where the operator runs it."""
    prometheus_operator: Image = PROMETHEUS_OPERATOR
    """Prometheus Operator, in clusters with `operator.install`."""
    admission_webhook: Image = ADMISSION_WEBHOOK
    """Admission webhook of the Prometheus Operator, in clusters with `operator.webhook`."""
    pushgateway: Image = PUSHGATEWAY
    """Pushgateway."""
    blackbox_exporter: Image = BLACKBOX_EXPORTER
    """blackbox_exporter, for `probes`."""
    thanos: Image = THANOS
    """Every component of Thanos."""
    memcached: Image = MEMCACHED
    """memcached, as the cache of Thanos."""
    grafana: Image = GRAFANA
    """Grafana."""

    @model_validator(mode="after")
    def _come_from_the_registry(self) -> Self:
        if self.registry:
            for name in type(self).model_fields.keys() - {*self.model_fields_set, "registry"}:
                path = getattr(self, name).partition("/")[2]
                self.__dict__[name] = f"{self.registry}/{path}"  # still one that is not written
        return self


def release(image: Image) -> str | None:
    """The release that an image's tag names, 3.15.0 of v3.15.0; None where the tag is another one, or missing."""
    found = re.search(r":v(\d+\.\d+\.\d+(?:-rc\.\d+)?)(?:@|$)", image)
    return found[1] if found else None
