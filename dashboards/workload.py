"""One workload: its pods together, whichever of them live just now."""

from alerts.owners import OWNER
from alerts.sources import STATE

from .expressions import (
    ANY_IS_ODD,
    CLUSTER,
    NAMESPACE,
    NO_CADVISOR,
    NO_KUBE_STATE_METRICS,
    ONE,
    TO_POD,
    pod_cpu,
    pod_memory,
    requested,
)
from .model import Column, Dashboard, Link, Query, Row, Stat, Table, TimeSeries, Variable

_HERE = f'{ONE}, namespace="$namespace"'
_WORKLOAD = Variable("workload", f"label_values({OWNER.name}{{{_HERE}}}, workload)")
_BY_POD = ", ".join(TO_POD)
_ITS = f'and on ({_BY_POD}) {OWNER.name}{{{_HERE}, workload="$workload"}}'
"""Leaves of figures by pod those of the workload's pods."""


def _by_pod(expr: str) -> str:
    return f"sum by (pod) ({expr} {_ITS})"


def _together(expr: str) -> str:
    return f"sum({expr} {_ITS})"


_CPU, _MEMORY = pod_cpu(_HERE, _BY_POD), pod_memory(_HERE, _BY_POD)
_CPU_ASKED, _MEMORY_ASKED = requested("cpu", _HERE, _BY_POD), requested("memory", _HERE, _BY_POD)
_READY = f'sum by ({_BY_POD}) (kube_pod_status_ready{{{_HERE}, {STATE}, condition="true"}})'
_RESTARTS = f"sum by ({_BY_POD}) (increase(kube_pod_container_status_restarts_total{{{_HERE}, {STATE}}}[1h]))"

_NOW = Row(
    "Now",
    (
        Stat(
            title="Pods",
            description="Those that it has, in whatever state.",
            empty="It has no pod now.",
            expr=f'count({OWNER.name}{{{_HERE}, workload="$workload"}})',
            unit="none",
            width=6,
        ),
        Stat(
            title="Pods ready",
            description="Those that Services send to.",
            empty="It has no pod now.",
            expr=_together(_READY),
            unit="none",
            width=6,
        ),
        Stat(
            title="CPU used",
            description="Cores, of all its pods.",
            empty=NO_CADVISOR,
            expr=_together(_CPU),
            unit="none",
            width=6,
        ),
        Stat(
            title="Memory used",
            description="Working sets of all its pods.",
            empty=NO_CADVISOR,
            expr=_together(_MEMORY),
            unit="bytes",
            width=6,
        ),
    ),
)

_USE = Row(
    "Use",
    (
        TimeSeries(
            title="CPU by pod",
            description="Cores. One pod far above its like has more than its share of the work.",
            empty=NO_CADVISOR,
            queries=(Query(_by_pod(_CPU), "{{pod}}"),),
            unit="none",
            stacked=True,
            width=12,
        ),
        TimeSeries(
            title="Memory by pod",
            description="Working sets. A line that only climbs is a leak.",
            empty=NO_CADVISOR,
            queries=(Query(_by_pod(_MEMORY), "{{pod}}"),),
            unit="bytes",
            stacked=True,
            width=12,
        ),
        TimeSeries(
            title="CPU: used and requested",
            description="Used far below requested is money; far above it is luck.",
            empty=NO_CADVISOR,
            queries=(Query(_together(_CPU), "used"), Query(_together(_CPU_ASKED), "requested")),
            unit="none",
        ),
        TimeSeries(
            title="Memory: used and requested",
            description="Used far below requested is money; above it, pods are evicted first.",
            empty=NO_CADVISOR,
            queries=(Query(_together(_MEMORY), "used"), Query(_together(_MEMORY_ASKED), "requested")),
            unit="bytes",
        ),
        TimeSeries(
            title="Pods ready",
            description="A saw is a rollout; a step down that stays is a pod that does not come back.",
            empty=NO_KUBE_STATE_METRICS,
            queries=(Query(_together(_READY), "ready"),),
            unit="none",
        ),
    ),
)

_PODS = Table(
    title="Pods",
    description="Who uses what, and whose containers restart.",
    empty="It has no pod now.",
    columns=tuple(
        Column(title, f"sum by ({_BY_POD}) ({expr} {_ITS})", unit, steps)
        for title, expr, unit, steps in (
            ("ready", _READY, "bool_yes_no", ()),
            ("cpu", _CPU, "none", ()),
            ("cpu requested", _CPU_ASKED, "none", ()),
            ("memory", _MEMORY, "bytes", ()),
            ("memory requested", _MEMORY_ASKED, "bytes", ()),
            ("restarts, 1 h", _RESTARTS, "none", ANY_IS_ODD),
        )
    ),
    link=Link("Open the pod", "promfleet-pod", TO_POD),
    sort="memory",
)

DASHBOARD = Dashboard(
    uid="promfleet-workload",
    title="Workload",
    description="One Deployment, StatefulSet or DaemonSet: are its pods ready, and what do they use together.",
    variables=(CLUSTER, NAMESPACE, _WORKLOAD),
    rows=(_NOW, _USE, Row("Pods", (_PODS,))),
)
