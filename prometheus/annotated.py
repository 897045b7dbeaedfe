"""Pods and services that ask to be scraped, by annotations `prometheus.io/*`."""

from typing import Any

from settings import Scrape, seconds

from .relabel import POD, SERVICE, Rule, constant, copied, drop, keep

_CHURNING = (
    "pod_template_hash",
    "controller_revision_hash",
    "pod_template_generation",
    "statefulset_kubernetes_io_pod_name",
    "(batch_kubernetes_io_)?controller_uid",
)
"""Labels of pods that change with every rollout and would start every series anew."""
_OURS = ("cluster", "container", "exported_.+", "instance", "job", "namespace", "node", "pod", "service")
_OF_METRICS = ("le", "quantile")
_NOT_MAPPED = "|".join((*_CHURNING, *_OURS, *_OF_METRICS))

_FALLBACK = "PrometheusText0.0.4"
"""What is read from those who do not say what they write; Prometheus 3 refuses them otherwise."""


def annotated_pods(scrape: Scrape) -> dict[str, Any]:
    """Each container port of an annotated pod, or the one that its annotation names."""
    return {
        "job_name": "pods",
        "fallback_scrape_protocol": _FALLBACK,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            keep([_annotation(POD, "scrape")], "true"),
            drop([f"{POD}_phase"], "Succeeded|Failed"),
            drop([f"{POD}_container_init"], "true"),
            _port(POD, f"{POD}_ip", r"(\d+);([\d.]+)", "$2:$1"),
            _port(POD, f"{POD}_ip", r"(\d+);([\da-fA-F]*:[\da-fA-F:.]+)", "[$2]:$1"),
            *_labelled(POD, scrape),
        ],
    }


def annotated_services(scrape: Scrape) -> dict[str, Any]:
    """Each endpoint of an annotated service, or its port that the annotation names."""
    return {
        "job_name": "services",
        "fallback_scrape_protocol": _FALLBACK,
        "kubernetes_sd_configs": [{"role": "endpointslice"}],
        "relabel_configs": [
            keep([_annotation(SERVICE, "scrape")], "true"),
            drop(["__meta_kubernetes_namespace", f"{SERVICE}_name"], "kube-system;kube-dns"),  # the job coredns
            _port(SERVICE, "__address__", r"(\d+);([^:]+|\[.+\])(:\d+)?", "$2:$1"),
            # An endpoint without ports is an address alone, of IPv6 one without brackets.
            _port(SERVICE, "__address__", r"(\d+);([\da-fA-F]*:[\da-fA-F]*:[\da-fA-F:.]*)", "[$2]:$1"),
            *_labelled(SERVICE, scrape),
            copied(f"{SERVICE}_name", "service"),
        ],
    }


def _labelled(kind: str, scrape: Scrape) -> list[Rule]:
    """What annotations and labels say; ours come last, so that nobody can pose as another."""
    return [
        _said(kind, "path", "(/.*)", "__metrics_path__"),
        _said(kind, "scheme", "(https?)", "__scheme__"),
        _said(kind, "interval", "([1-9][0-9]*[smh])", "__scrape_interval__"),
        # Prometheus refuses a target whose timeout is above its interval.
        _said(kind, "interval", f"([1-9][0-9]*[{_units_below(seconds(scrape.timeout))}])", "__scrape_timeout__"),
        _said(kind, "timeout", "([1-9][0-9]*(?:ms|s|m))", "__scrape_timeout__"),
        {"regex": f"{kind}_label_(.+)", "action": "labelmap"},
        {"regex": _NOT_MAPPED, "action": "labeldrop"},
        constant("job", "pods" if kind == POD else "services"),
        copied("__address__", "instance"),
        copied("__meta_kubernetes_namespace", "namespace"),
        copied(f"{POD}_name", "pod"),
        copied(f"{POD}_node_name", "node"),
    ]


def _units_below(timeout: int) -> str:
    return "s" if timeout <= 60 else "smh"


def _annotation(kind: str, name: str) -> str:
    return f"{kind}_annotation_prometheus_io_{name}"


def _said(kind: str, name: str, regex: str, target: str) -> Rule:
    return {"source_labels": [_annotation(kind, name)], "regex": regex, "target_label": target}


def _port(kind: str, address: str, regex: str, replacement: str) -> Rule:
    return {
        "source_labels": [_annotation(kind, "port"), address],
        "regex": regex,
        "target_label": "__address__",
        "replacement": replacement,
    }
