"""Containers: whether they keep within what they may take."""

from .model import Alert, Group, Threshold
from .sources import CADVISOR, KSM, STATE

JOBS = ("cadvisor", "kube-state-metrics")
_CONTAINER = "(cluster, namespace, pod, container)"
_RESTARTS = f"kube_pod_container_status_restarts_total{{{STATE}}}"


def _throttled(which: str) -> str:
    counted = f'container_cpu_cfs_{which}_total{{{CADVISOR}, container!=""}}'
    return f"sum by {_CONTAINER} (increase({counted}[5m])"


def _limit(resource: str) -> str:
    return f'max by {_CONTAINER} (kube_pod_container_resource_limits{{{STATE}, resource="{resource}"}} > 0)'


CONTAINERS = Group(
    name="containers",
    alerts=(
        Alert(
            name="ContainerMemoryNearLimit",
            expr=(
                f'max by {_CONTAINER} (container_memory_working_set_bytes{{{CADVISOR}, container!=""}})\n'
                f"/ on {_CONTAINER}\n"
                f"{_limit('memory')} > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary=(
                "Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} is close to its memory limit."
            ),
            description="Container {{ $labels.container }} uses {{ $value | humanizePercentage }} of its memory limit.",
            threshold=Threshold(value=0.75, least=0.1, most=1, unit="ratio"),
            jobs=JOBS,
        ),
        Alert(
            name="ContainerCpuNearLimit",
            expr=(
                f'sum by {_CONTAINER} (rate(container_cpu_usage_seconds_total{{{CADVISOR}, container!=""}}[5m]))\n'
                f"/ on {_CONTAINER}\n"
                f"{_limit('cpu')} > $threshold"
            ),
            for_="10m",
            severity="warning",
            summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} is close to its CPU limit.",
            description="Container {{ $labels.container }} uses {{ $value | humanizePercentage }} of its CPU limit.",
            threshold=Threshold(value=0.75, least=0.1, most=1, unit="ratio"),
            jobs=JOBS,
        ),
        Alert(
            name="CPUThrottlingHigh",
            expr=(f"{_throttled('throttled_periods')})\n/ on {_CONTAINER}\n{_throttled('periods')} > 0)\n> $threshold"),
            for_="15m",
            severity="info",
            summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} is throttled.",
            description=(
                "Container {{ $labels.container }} reached its CPU limit in {{ $value | humanizePercentage }} of its "
                "periods."
            ),
            threshold=Threshold(value=0.25, least=0.01, most=1, unit="ratio"),
            jobs=("cadvisor",),
        ),
        Alert(
            name="ContainerRestarted",
            # Of a pod that is gone nothing can be done any more.
            expr=f"sum by {_CONTAINER} (increase({_RESTARTS}[1h])) > $threshold\nand on {_CONTAINER}\n{_RESTARTS}",
            severity="warning",
            summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} restarts often.",
            description="Container {{ $labels.container }} restarted {{ $value | printf `%.0f` }} times in an hour.",
            threshold=Threshold(value=3, least=0, most=1000, unit="count"),
            jobs=KSM,
        ),
        Alert(
            name="ContainerOutOfMemory",
            expr=(
                f"sum by {_CONTAINER} (increase({_RESTARTS}[10m])) > 0\n"
                f"and on {_CONTAINER}\n"
                f'kube_pod_container_status_last_terminated_reason{{{STATE}, reason="OOMKilled"}} == 1'
            ),
            severity="warning",
            summary=(
                "Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} was killed because it ran out "
                "of memory."
            ),
            description="Container {{ $labels.container }} needed more memory than its limit allows.",
            jobs=KSM,
        ),
    ),
)
