"""Pods and services that ask to be scraped, by annotations `prometheus.io/*`."""

from collections.abc import Iterator
from typing import Any

from settings import Scrape, seconds
from settings.reserved import RESERVED
from settings.scrape import TargetTls

from .job import ScrapeJob
from .relabel import ENDED, NAMESPACE, POD, SERVICE, SLICE, Rule, constant, copied, drop, keep

_CHURNING = (
    "pod_template_hash",
    "controller_revision_hash",
    "pod_template_generation",
    "statefulset_kubernetes_io_pod_name",
    "(batch_kubernetes_io_)?controller_uid",
)
"""Labels of pods that change with every rollout and would start every series anew."""
_OURS = ("container", "exported_.+", "instance", "job", "namespace", "node", "pod", "service")
_OF_METRICS = ("le", "quantile")
_NOT_MAPPED = "|".join((*_CHURNING, *_OURS, *_OF_METRICS))
_LONGEST_LABEL = 317
"""Characters of a label's name in Kubernetes, with its prefix."""

AUTHORITY = "/etc/prometheus/targets/ca.crt"
"""Where a ConfigMap is mounted that signs for annotated targets."""
FALLBACK = "PrometheusText0.0.4"
"""What is read from those who do not say what they write; Prometheus 3 refuses them otherwise."""

_NAME, _PROTOCOL, _UNREADABLE = "__tmp_port_name", "__tmp_protocol", "__tmp_unreadable"
_NAMED = r"\s*([a-z0-9-]*[a-z][a-z0-9-]*)\s*"
"""A port's name, as Kubernetes allows it."""
_NUMBERED = r"\s*(\d+)\s*"
_PATH = r"\s*(?:/+([^?#\s]*)|([^/?#\s][^?#\s]*))"
_PARAMETERS = 5
"""Parameters that a path may have. Prometheus encodes them itself, so that none may be encoded already."""
_PARAMETER = r"[^=&#%+\s]+=[^&#%+\s]+"
_READABLE = {
    "port": f"{_NUMBERED}|{_NAMED}",
    "path": rf"(?:{_PATH}|\s*)(?:\?{_PARAMETER}(?:&{_PARAMETER}){{0,{_PARAMETERS - 1}}})?\s*",
    "scheme": r"\s*(?i:https?)\s*",
}
"""Annotation -> what can be done with it. Of one that is not so, the wrong endpoint could be scraped."""


def annotated_pods(scrape: Scrape) -> ScrapeJob:
    """Each container port of an annotated pod, or the one that its annotation names."""
    port = f"{POD}_container_port"
    return ScrapeJob(
        name="pods",
        options={"fallback_scrape_protocol": FALLBACK, **_verified(scrape.tls)},
        discovery=[{"role": "pod"}],
        relabel=[
            keep([_annotation(POD, "scrape")], _TRUE),
            ENDED,
            # Discovery does not tell a sidecar from what ends before the pod runs; the latter has no use for a port.
            drop([f"{POD}_container_init", f"{port}_number", f"{POD}_phase"], "true;(;.*|.*;(Pending|Unknown))"),
            copied(f"{port}_name", _NAME),
            copied(f"{port}_protocol", _PROTOCOL),
            *_reached(POD),
            *_labelled(POD, scrape),
        ],
    )


def annotated_services(scrape: Scrape) -> ScrapeJob:
    """Each endpoint of an annotated service, or its port that the annotation names."""
    port = f"{POD}_container_port"
    return ScrapeJob(
        name="services",
        options={"fallback_scrape_protocol": FALLBACK, **_verified(scrape.tls)},
        discovery=[{"role": "endpointslice"}],
        relabel=[
            keep([_annotation(SERVICE, "scrape")], _TRUE),
            drop([NAMESPACE, f"{SERVICE}_label_k8s_app"], "kube-system;(coredns|kube-dns)"),
            # Discovery adds the ports of the pods that the service does not have.
            drop([_annotation(SERVICE, "port"), f"{SLICE}_port", f"{port}_number"], r"\s*;;.+"),
            copied(f"{port}_name", _NAME),
            copied(f"{port}_protocol", _PROTOCOL),
            _if_any(f"{SLICE}_port_name", _NAME),
            _if_any(f"{SLICE}_port_protocol", _PROTOCOL),
            *_reached(SERVICE),
            *_labelled(SERVICE, scrape),
            copied(f"{SERVICE}_name", "service"),
        ],
    )


def _verified(tls: TargetTls) -> dict[str, Any]:
    """How those are verified that speak TLS."""
    fields = {
        "ca": tls.ca,
        "ca_file": AUTHORITY if tls.ca_config_map else None,
        "server_name": tls.server_name,
        "insecure_skip_verify": tls.insecure_skip_verify,
    }
    chosen = {key: value for key, value in fields.items() if value}
    return {"tls_config": chosen} if chosen else {}


_JOBS = {POD: "pods", SERVICE: "services"}
_TRUE = r"\s*(?i:true)\s*"


def _reached(kind: str) -> list[Rule]:
    """Where the port of an annotation leads; without one, every port that can speak HTTP."""
    wanted = "__tmp_wanted"
    return [
        drop([_annotation(kind, "port"), _PROTOCOL], rf"({_NAMED}|\s*);(UDP|SCTP)"),
        copied(_NAME, wanted),
        _from_annotation(kind, "port", _NAMED, wanted),
        {"source_labels": [wanted], "target_label": _NAME, "action": "keepequal"},
        # An IPv6 address that comes without a port comes without brackets too.
        {
            "source_labels": ["__address__"],
            "regex": r"([^\[\]]*:[^\[\]]*:[^\[\]]*)",
            "target_label": "__address__",
            "replacement": "[$1]",
        },
        {
            "source_labels": [_annotation(kind, "port"), "__address__"],
            "regex": rf"{_NUMBERED};(\[.+\]|[^:]+)(?::\d+)?",
            "target_label": "__address__",
            "replacement": "$2:$1",
        },
    ]


def _labelled(kind: str, scrape: Scrape) -> list[Rule]:
    """What annotations and labels say; ours come last, so that nobody can pose as another."""
    wanted = f".{{1,{min(scrape.limits.label_name, _LONGEST_LABEL)}}}"
    if scrape.pod_labels is not None:
        wanted = "|".join(scrape.pod_labels)
    reserved = "|".join(RESERVED)
    return [
        {**_from_annotation(kind, "path", rf"{_PATH}(?:\?.*)?\s*", "__metrics_path__"), "replacement": "/$1$2"},
        *(_parameter(kind, number) for number in range(_PARAMETERS)),
        {"regex": f"{_annotation(kind, 'param')}_(.+)", "replacement": "__param_$1", "action": "labelmap"},
        _from_annotation(kind, "scheme", r"\s*(?i:(https?))\s*", "__scheme__"),
        {"source_labels": ["__scheme__"], "target_label": "__scheme__", "action": "lowercase"},
        *_paced(kind, scrape),
        {"regex": f"{kind}_label_({wanted})", "action": "labelmap"},
        {"regex": _NOT_MAPPED, "action": "labeldrop"},
        {"regex": f"({reserved})", "replacement": "exported_$1", "action": "labelmap"},
        {"regex": reserved, "action": "labeldrop"},
        constant("job", _JOBS[kind]),
        copied("__address__", "instance"),
        *_unreadable(kind),
        copied(NAMESPACE, "namespace"),
        copied(f"{POD}_name", "pod"),
        copied(f"{POD}_node_name", "node"),
        {"regex": "__tmp_.+", "action": "labeldrop"},
    ]


def _parameter(kind: str, number: int) -> Rule:
    """One of the parameters of a path."""
    before = f"[^&]*&){{{number}}}"
    return {
        "source_labels": [_annotation(kind, "path")],
        "regex": rf"[^?]*\?(?:{before}([^=&]+)=([^&\s]+)(?:&.*)?\s*",
        "target_label": "__param_$1",
        "replacement": "$2",
    }


def _paced(kind: str, scrape: Scrape) -> list[Rule]:
    """How often, and how long at most; what is not a duration changes nothing."""
    in_time = "__scrape_timeout__"
    units = "s" if seconds(scrape.timeout_of(_JOBS[kind])) <= 60 else "smh"
    return [
        _from_annotation(kind, "interval", r"\s*([1-9]\d*[smh])\s*", "__scrape_interval__"),
        # Prometheus refuses a target whose timeout is above its interval.
        _from_annotation(kind, "interval", rf"\s*([1-9]\d*[{units}])\s*", in_time),
        _from_annotation(kind, "timeout", r"\s*([1-9]\d*(?:ms|s|m))\s*", in_time),
    ]


def _unreadable(kind: str) -> Iterator[Rule]:
    """
    A target that can't be scraped, in place of what an annotation may have meant: what is down is noticed.

    Its instance says what is not understood, and its address is none, so that nobody is asked.
    """
    for name, readable in _READABLE.items():
        yield {
            **_from_annotation(kind, name, r"\s*(\S.{0,60}).*", _UNREADABLE),
            "replacement": f"prometheus.io/{name}: $1",
        }
        yield {**_from_annotation(kind, name, rf"{readable}|\s*", _UNREADABLE), "replacement": ""}
        yield {
            "source_labels": [NAMESPACE, f"{kind}_name", _UNREADABLE],
            "regex": "(.*);(.*);(.+)",
            "target_label": "instance",
            "replacement": "$1/$2 $3",
        }
        yield {
            "source_labels": [_UNREADABLE],
            "regex": ".+",
            "target_label": "__address__",
            "replacement": "annotation:unreadable",
        }


def _annotation(kind: str, name: str) -> str:
    return f"{kind}_annotation_prometheus_io_{name}"


def _from_annotation(kind: str, name: str, regex: str, target: str) -> Rule:
    return {"source_labels": [_annotation(kind, name)], "regex": regex, "target_label": target}


def _if_any(source: str, target: str) -> Rule:
    return {"source_labels": [source], "regex": "(.+)", "target_label": target}
