"""One cluster: what it has, what it gives, who uses it."""

from alerts.sources import KUBELETS, STATE
from alerts.sources import NODE as NODES

from .expressions import (
    ANY_IS_BAD,
    ANY_IS_ODD,
    CLUSTER,
    DEVICES,
    FULL,
    NO_CADVISOR,
    NO_KUBE_STATE_METRICS,
    NO_NODE_EXPORTER,
    ONE,
    allocatable,
    cpu_used,
    disk_used,
    memory_used,
    pod_cpu,
    pod_memory,
    requested,
)
from .model import Column, Dashboard, Link, Query, Row, Stat, Table, TimeSeries

_READY = f'kube_node_status_condition{{{ONE}, {STATE}, condition="Ready"'

_NOW = Row(
    "Now",
    (
        Stat(
            title="Nodes ready",
            description="Nodes that take pods and run them.",
            empty=NO_KUBE_STATE_METRICS,
            unit="none",
            expr=f'sum({_READY}, status="true"}})',
        ),
        Stat(
            title="Nodes not ready",
            description="Nodes that do not answer; after five minutes their pods are started elsewhere.",
            empty=NO_KUBE_STATE_METRICS,
            unit="none",
            expr=f'sum({_READY}, status!="true"}})',
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="CPU used",
            description="Share of all nodes' CPU time that was not idle.",
            empty=NO_NODE_EXPORTER,
            expr=cpu_used(ONE),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Memory used",
            description="Share of all nodes' memory that programs could not have.",
            empty=NO_NODE_EXPORTER,
            expr=memory_used(ONE),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Fullest disk",
            description="The file system, of any node, that has the least room.",
            empty=NO_NODE_EXPORTER,
            expr=disk_used(ONE),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Alerts firing",
            description="Critical ones and warnings of this cluster.",
            empty="The hub answers nothing.",
            expr=f'count(ALERTS{{{ONE}, alertstate="firing", severity=~"critical|warning"}}) or vector(0)',
            unit="none",
            steps=ANY_IS_ODD,
        ),
    ),
)

_USE = Row(
    "Use",
    (
        TimeSeries(
            title="CPU by namespace",
            description="Cores that the pods of each namespace use.",
            empty=NO_CADVISOR,
            queries=(Query(pod_cpu(ONE, "namespace"), "{{namespace}}"),),
            unit="none",
            stacked=True,
        ),
        TimeSeries(
            title="Memory by namespace",
            description="Working sets of the pods of each namespace: what can't be taken back from them.",
            empty=NO_CADVISOR,
            queries=(Query(pod_memory(ONE, "namespace"), "{{namespace}}"),),
            unit="bytes",
            stacked=True,
        ),
        TimeSeries(
            title="Pods by phase",
            description="Pods that stay Pending find no node, volume or image; Failed ones were given up.",
            empty=NO_KUBE_STATE_METRICS,
            queries=(Query(f"sum by (phase) (kube_pod_status_phase{{{ONE}, {STATE}}}) > 0", "{{phase}}"),),
            unit="none",
        ),
        TimeSeries(
            title="CPU: used, requested, there",
            description="Used far below requested is money; requested at what is there leaves no room for a lost node.",
            empty=NO_KUBE_STATE_METRICS,
            queries=(
                Query(pod_cpu(ONE, "cluster"), "used by pods"),
                Query(requested("cpu", ONE), "requested"),
                Query(allocatable("cpu", ONE), "there"),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Memory: used, requested, there",
            description="Used above requested is borrowed; who borrows is evicted first when memory ends.",
            empty=NO_KUBE_STATE_METRICS,
            queries=(
                Query(pod_memory(ONE, "cluster"), "used by pods"),
                Query(requested("memory", ONE), "requested"),
                Query(allocatable("memory", ONE), "there"),
            ),
            unit="bytes",
        ),
        TimeSeries(
            title="Network of the nodes",
            description="Bytes per second over all devices that are not virtual. A flat top is a link that is full.",
            empty=NO_NODE_EXPORTER,
            queries=tuple(
                Query(
                    f"sum by (cluster) (rate(node_network_{direction}_bytes_total"
                    f"{{{ONE}, {NODES}, {DEVICES}}}[$__rate_interval]))",
                    direction,
                )
                for direction in ("receive", "transmit")
            ),
            unit="Bps",
        ),
    ),
)

_NODES = Table(
    title="Nodes",
    description="Shares in use of each node; the first to be full is the first to evict pods.",
    empty=NO_NODE_EXPORTER,
    columns=(
        Column("cpu", cpu_used(ONE, "cluster, node"), "percentunit", FULL),
        Column("memory", memory_used(ONE, "cluster, node"), "percentunit", FULL),
        Column("fullest disk", disk_used(ONE, "cluster, node"), "percentunit", FULL),
        Column(
            "load by core",
            f"sum by (cluster, node) (node_load5{{{ONE}, {NODES}}}) / {allocatable('cpu', ONE, 'cluster, node')}",
        ),
        Column("pods", f"sum by (cluster, node) (kubelet_running_pods{{{ONE}, {KUBELETS}}})", "none"),
        Column("up for", f"time() - max by (cluster, node) (node_boot_time_seconds{{{ONE}, {NODES}}})", "s"),
    ),
    link=Link("Open the node", "promfleet-node", ("cluster", "node")),
    sort="memory",
)
_NAMESPACES = Table(
    title="Namespaces",
    description="Who uses the cluster, and whose containers restart.",
    empty=NO_CADVISOR,
    columns=(
        Column("pods", f"count by (cluster, namespace) (kube_pod_info{{{ONE}, {STATE}}})", "none"),
        Column("cpu", pod_cpu(ONE, "cluster, namespace"), "none"),
        Column("cpu requested", requested("cpu", ONE, "cluster, namespace"), "none"),
        Column("memory", pod_memory(ONE, "cluster, namespace"), "bytes"),
        Column("memory requested", requested("memory", ONE, "cluster, namespace"), "bytes"),
        Column(
            "restarts, 1 h",
            f"sum by (cluster, namespace) (increase(kube_pod_container_status_restarts_total{{{ONE}, {STATE}}}[1h]))",
            "none",
            ANY_IS_ODD,
        ),
    ),
    link=Link("Open the namespace", "promfleet-namespace", ("cluster", "namespace")),
    sort="memory",
)
_FIRING = Table(
    title="Alerts firing",
    description="What is wrong here, by name.",
    empty="Nothing fires.",
    columns=(
        Column(
            "how many",
            f'count by (alertname, severity, namespace) (ALERTS{{{ONE}, alertstate="firing", severity!="none"}})',
            "none",
        ),
    ),
    sort="how many",
    height=6,
)

DASHBOARD = Dashboard(
    uid="promfleet-cluster",
    title="Cluster",
    description="One cluster: what it has, what it gives, who uses it.",
    variables=(CLUSTER,),
    rows=(_NOW, _USE, Row("Nodes", (_NODES,)), Row("Namespaces", (_NAMESPACES,)), Row("Alerts", (_FIRING,))),
)
