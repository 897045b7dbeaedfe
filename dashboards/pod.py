"""One pod: what it uses of what it may."""

from alerts.sources import CADVISOR, STATE

from .expressions import (
    ANY_IS_BAD,
    CLUSTER,
    DOWN_IS_BAD,
    NAMESPACE,
    NO_CADVISOR,
    NO_KUBE_STATE_METRICS,
    ONE,
    pod_cpu,
    pod_memory,
    rate_by,
)
from .model import Dashboard, Query, Row, Stat, TimeSeries, Variable

_HERE = f'{ONE}, namespace="$namespace", pod="$pod"'
_STATE = f"{_HERE}, {STATE}"
_POD = Variable("pod", f'label_values(kube_pod_info{{{ONE}, {STATE}, namespace="$namespace"}}, pod)')
_CONTAINER = f'{_HERE}, {CADVISOR}, container!=""'


def _periods(which: str) -> str:
    return rate_by(f"container_cpu_cfs_{which}_total", _CONTAINER, "container")


def _bound(kind: str, resource: str) -> str:
    return f'sum(kube_pod_container_resource_{kind}{{{_STATE}, resource="{resource}"}})'


_NOW = Row(
    "Now",
    (
        Stat(
            title="Ready",
            description="1 when all its containers answer their readiness probes; only then Services send to it.",
            empty="There is no such pod now.",
            expr=f'max(kube_pod_status_ready{{{_STATE}, condition="true"}})',
            unit="bool_yes_no",
            steps=DOWN_IS_BAD,
        ),
        Stat(
            title="Containers ready",
            description="Of all containers that it has.",
            empty="There is no such pod now.",
            expr=f"sum(kube_pod_container_status_ready{{{_STATE}}}) / count(kube_pod_container_info{{{_STATE}}})",
            unit="percentunit",
        ),
        Stat(
            title="Restarts, 1 h",
            description="Any is a crash, a failed liveness probe or memory above the limit.",
            empty=NO_KUBE_STATE_METRICS,
            expr=f"sum(increase(kube_pod_container_status_restarts_total{{{_STATE}}}[1h]))",
            unit="none",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="CPU used",
            description="Cores, now.",
            empty=NO_CADVISOR,
            expr=pod_cpu(_HERE, "pod"),
            unit="none",
        ),
        Stat(
            title="Memory used",
            description="Its working set, now.",
            empty=NO_CADVISOR,
            expr=pod_memory(_HERE, "pod"),
            unit="bytes",
        ),
        Stat(
            title="Age",
            description="Since it was created.",
            empty="There is no such pod now.",
            expr=f"time() - max(kube_pod_created{{{_STATE}}})",
            unit="s",
        ),
    ),
)

_USE = Row(
    "Use",
    (
        TimeSeries(
            title="CPU",
            description="Cores. At its limit the pod is slowed down; above its request it takes what others leave.",
            empty=NO_CADVISOR,
            queries=(
                Query(pod_cpu(_HERE, "pod"), "used"),
                Query(_bound("requests", "cpu"), "requested"),
                Query(_bound("limits", "cpu"), "limit"),
            ),
            unit="none",
            width=12,
        ),
        TimeSeries(
            title="Memory",
            description="Its working set. At the limit of a container, that container is killed.",
            empty=NO_CADVISOR,
            queries=(
                Query(pod_memory(_HERE, "pod"), "used"),
                Query(_bound("requests", "memory"), "requested"),
                Query(_bound("limits", "memory"), "limit"),
            ),
            unit="bytes",
            width=12,
        ),
        TimeSeries(
            title="CPU by container",
            description="Cores.",
            empty="This node's runtime has metrics of pods only.",
            queries=(Query(rate_by("container_cpu_usage_seconds_total", _CONTAINER, "container"), "{{container}}"),),
            unit="none",
        ),
        TimeSeries(
            title="Memory by container",
            description="Working sets.",
            empty="This node's runtime has metrics of pods only.",
            queries=(
                Query(f"sum by (container) (container_memory_working_set_bytes{{{_CONTAINER}}})", "{{container}}"),
            ),
            unit="bytes",
        ),
        TimeSeries(
            title="CPU throttled",
            description="Share of the periods in which a container had spent its limit. Above 25 % its users feel it.",
            empty="No container of it has a CPU limit, or this node's runtime has metrics of pods only.",
            queries=(Query(f"{_periods('throttled_periods')} / {_periods('periods')}", "{{container}}"),),
            unit="percentunit",
        ),
        TimeSeries(
            title="Network",
            description="Bytes per second; a pod on its node's network has none of its own.",
            empty="The pod is on its node's network, or this node's runtime does not tell.",
            queries=tuple(
                Query(f"sum(rate(container_network_{way}_bytes_total{{{_HERE}, {CADVISOR}}}[$__rate_interval]))", way)
                for way in ("receive", "transmit")
            ),
            unit="Bps",
        ),
        TimeSeries(
            title="Restarts",
            description="Each step is a container that ended and was started again.",
            empty=NO_KUBE_STATE_METRICS,
            queries=(
                Query(f"sum by (container) (kube_pod_container_status_restarts_total{{{_STATE}}})", "{{container}}"),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Waiting, and why",
            description="CrashLoopBackOff ends by itself, ImagePullBackOff with the right image or secret.",
            empty="No container waits.",
            queries=(
                Query(
                    f"sum by (container, reason) (kube_pod_container_status_waiting_reason{{{_STATE}}}) > 0",
                    "{{container}} {{reason}}",
                ),
            ),
            unit="none",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-pod",
    title="Pod",
    description="One pod: is it ready, and what does it use of what it may.",
    variables=(CLUSTER, NAMESPACE, _POD),
    rows=(_NOW, _USE),
)
