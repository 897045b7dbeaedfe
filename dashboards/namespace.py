"""One namespace and its workloads."""

from alerts.owners import OWNER
from alerts.sources import KUBELETS, STATE

from .expressions import (
    ANY_IS_BAD,
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
from .model import Column, Dashboard, Link, Query, Row, Table, TimeSeries

_HERE = f'{ONE}, namespace="$namespace"'
_STATE = f"{_HERE}, {STATE}"
_BY_POD = ", ".join(TO_POD)


def _replicas(kind: str, wanted: str, ready: str, missing: str) -> Table:
    """A table of one kind of workload; columns are sums of kube-state-metrics."""

    def total(metric: str) -> str:
        return f"sum by ({kind}) ({metric}{{{_STATE}}})"

    return Table(
        title=f"{kind.capitalize()}s",
        description="What is wanted and what is there. Missing ones for long: look at their pods.",
        empty=f"This namespace has no {kind}.",
        columns=(
            Column("wanted", total(wanted), "none"),
            Column("ready", total(ready), "none"),
            Column("missing", f"{total(wanted)} - {total(missing)}", "none", ANY_IS_BAD),
        ),
        sort="missing",
        width=8,
    )


_COMPLETE = (
    _replicas(
        "deployment",
        "kube_deployment_spec_replicas",
        "kube_deployment_status_replicas_ready",
        "kube_deployment_status_replicas_available",
    ),
    _replicas(
        "statefulset",
        "kube_statefulset_replicas",
        "kube_statefulset_status_replicas_ready",
        "kube_statefulset_status_replicas_available",
    ),
    _replicas(
        "daemonset",
        "kube_daemonset_status_desired_number_scheduled",
        "kube_daemonset_status_number_available",
        "kube_daemonset_status_number_available",
    ),
)

_USE = Row(
    "Use",
    (
        TimeSeries(
            title="CPU by pod",
            description="Cores. One pod far above its like has more than its share of the work.",
            empty=NO_CADVISOR,
            queries=(Query(pod_cpu(_HERE, "pod"), "{{pod}}"),),
            unit="none",
            stacked=True,
        ),
        TimeSeries(
            title="Memory by pod",
            description="Working sets. A line that only climbs is a leak.",
            empty=NO_CADVISOR,
            queries=(Query(pod_memory(_HERE, "pod"), "{{pod}}"),),
            unit="bytes",
            stacked=True,
        ),
        TimeSeries(
            title="Pods by phase",
            description="Pods that stay Pending find no node, volume or image; Failed ones were given up.",
            empty=NO_KUBE_STATE_METRICS,
            queries=(Query(f"sum by (phase) (kube_pod_status_phase{{{_STATE}}}) > 0", "{{phase}}"),),
            unit="none",
        ),
        TimeSeries(
            title="CPU: used and requested",
            description="Used far below requested is money; far above it is luck.",
            empty=NO_CADVISOR,
            queries=(
                Query(pod_cpu(_HERE, "namespace"), "used"),
                Query(requested("cpu", _HERE, "namespace"), "requested"),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Memory: used and requested",
            description="Used far below requested is money; above it, pods are evicted first.",
            empty=NO_CADVISOR,
            queries=(
                Query(pod_memory(_HERE, "namespace"), "used"),
                Query(requested("memory", _HERE, "namespace"), "requested"),
            ),
            unit="bytes",
        ),
        TimeSeries(
            title="Volumes",
            description="Share in use of each claim. At 100 % its program can't write.",
            empty="No pod here has a volume that its driver measures.",
            queries=(
                Query(
                    f"max by (persistentvolumeclaim) (kubelet_volume_stats_used_bytes{{{_HERE}, {KUBELETS}}}"
                    f" / kubelet_volume_stats_capacity_bytes{{{_HERE}, {KUBELETS}}})",
                    "{{persistentvolumeclaim}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
)

_PODS = Table(
    title="Pods",
    description="Who uses what, and whose containers restart.",
    empty=NO_KUBE_STATE_METRICS,
    columns=(
        Column("ready", f'sum by ({_BY_POD}) (kube_pod_status_ready{{{_STATE}, condition="true"}})', "bool_yes_no"),
        Column("cpu", pod_cpu(_HERE, _BY_POD), "none"),
        Column("cpu requested", requested("cpu", _HERE, _BY_POD), "none"),
        Column("memory", pod_memory(_HERE, _BY_POD), "bytes"),
        Column("memory requested", requested("memory", _HERE, _BY_POD), "bytes"),
        Column(
            "restarts, 1 h",
            f"sum by ({_BY_POD}) (increase(kube_pod_container_status_restarts_total{{{_STATE}}}[1h]))",
            "none",
            ANY_IS_ODD,
        ),
    ),
    link=Link("Open the pod", "promfleet-pod", TO_POD),
    sort="memory",
)

_OWNER = f"{OWNER.name}{{{_HERE}}}"
_BY_OWNER = "cluster, namespace, workload"
_TO_OWNER = f"* on ({_BY_POD}) group_left (workload) {_OWNER}"
_OWNERS = Table(
    title="Use by workload",
    description="What the pods of each Deployment, StatefulSet and DaemonSet use together.",
    empty=NO_KUBE_STATE_METRICS,
    columns=(
        Column("pods", f"count by ({_BY_OWNER}) ({_OWNER})", "none"),
        Column("cpu", f"sum by ({_BY_OWNER}) ({pod_cpu(_HERE, _BY_POD)} {_TO_OWNER})", "none"),
        Column("memory", f"sum by ({_BY_OWNER}) ({pod_memory(_HERE, _BY_POD)} {_TO_OWNER})", "bytes"),
    ),
    link=Link("Open the workload", "promfleet-workload", ("cluster", "namespace", "workload")),
    sort="memory",
)

DASHBOARD = Dashboard(
    uid="promfleet-namespace",
    title="Namespace and workloads",
    description="One namespace: are its workloads complete, and what do their pods use.",
    variables=(CLUSTER, NAMESPACE),
    rows=(Row("Workloads", (*_COMPLETE, _OWNERS)), Row("Pods", (_PODS,)), _USE),
)
