"""Every image that the program deploys, by release. The lab builds the same releases from source."""

from .section import Section

PROMETHEUS = "quay.io/prometheus/prometheus:v3.15.0"
KUBE_RBAC_PROXY = "quay.io/brancz/kube-rbac-proxy:v0.22.1"
KUBE_STATE_METRICS = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.19.1"
NODE_EXPORTER = "quay.io/prometheus/node-exporter:v1.12.1"


class Images(Section):
    """Where each container comes from; a mirror or a digest is written in full: `mirror.example/prometheus@sha256:…`."""

    prometheus: str = PROMETHEUS
    kube_rbac_proxy: str = KUBE_RBAC_PROXY
    kube_state_metrics: str = KUBE_STATE_METRICS
    node_exporter: str = NODE_EXPORTER
