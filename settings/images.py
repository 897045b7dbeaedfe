"""Every image that the program deploys, by release. The lab builds the same releases from source."""

from .section import Section
from .types import Image

PROMETHEUS = "quay.io/prometheus/prometheus:v3.15.0"
KUBE_RBAC_PROXY = "quay.io/brancz/kube-rbac-proxy:v0.22.1"
KUBE_STATE_METRICS = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.19.1"
NODE_EXPORTER = "quay.io/prometheus/node-exporter:v1.12.1"


class Images(Section):
    """Where each container comes from; a mirror or a digest is written in full: `mirror.example/p8s@sha256:…`."""

    prometheus: Image = PROMETHEUS
    kube_rbac_proxy: Image = KUBE_RBAC_PROXY
    kube_state_metrics: Image = KUBE_STATE_METRICS
    node_exporter: Image = NODE_EXPORTER
