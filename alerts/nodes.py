"""Nodes: whether they are there, have room, and keep time."""

from .model import Alert, Group, Record, Threshold
from .sources import KUBELETS, NODE, STATE

NODE_EXPORTER = ("node-exporter",)
KSM = ("kube-state-metrics",)
_ONE = "(cluster, instance, node)"


def _beyond_one_node(resource: str) -> str:
    """What pods ask for that the largest node's loss would leave no place for; a single node has no other."""
    room = f'kube_node_status_allocatable{{{STATE}, resource="{resource}"}}'
    return (
        f'sum by (cluster) (kube_pod_container_resource_requests{{{STATE}, resource="{resource}"}}\n'
        f'  and on (cluster, namespace, pod) kube_pod_status_phase{{{STATE}, phase=~"Pending|Running"}} == 1)\n'
        f"> on (cluster) (sum by (cluster) ({room}) - max by (cluster) ({room}))\n"
        f"and on (cluster) count by (cluster) ({room}) > 1"
    )


def _packets(what: str) -> str:
    """Both ways."""
    return " + ".join(f"rate(node_network_{way}_{what}_total{{{NODE}}}[5m])" for way in ("receive", "transmit"))


NODES = Group(
    name="nodes",
    records=(
        Record(
            name="instance:node_cpu_utilisation:ratio_rate5m",
            expr=(
                f'sum by {_ONE} (rate(node_cpu_seconds_total{{{NODE}, mode!~"idle|iowait|steal"}}[5m]))\n'
                f"/ on {_ONE}\n"
                f'count by {_ONE} (node_cpu_seconds_total{{{NODE}, mode="idle"}})'
            ),
        ),
    ),
    alerts=(
        Alert(
            name="KubeNodeNotReady",
            # One that was cordoned first is away on purpose.
            expr=(
                f'kube_node_status_condition{{{STATE}, condition="Ready", status="true"}} == 0\n'
                f"and on (cluster, node) kube_node_spec_unschedulable{{{STATE}}} == 0"
            ),
            for_="10m",
            severity="critical",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is not ready.",
            description="Its pods are moved to other nodes, where there is room.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodePressure",
            expr=f'kube_node_status_condition{{{STATE}, condition=~"(Memory|Disk|PID)Pressure", status="true"}} == 1',
            for_="10m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has {{ $labels.condition }}.",
            description="The kubelet evicts pods from it, those without requests first.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodeUnschedulable",
            expr=f"kube_node_spec_unschedulable{{{STATE}}} == 1",
            for_="4h",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} takes no new pods.",
            description="It was cordoned four hours ago, and may have been forgotten.",
            jobs=KSM,
        ),
        Alert(
            name="KubeletTooManyPods",
            expr=(
                f"max by (cluster, node) (kubelet_running_pods{{{KUBELETS}}})\n"
                "/ on (cluster, node)\n"
                f'max by (cluster, node) (kube_node_status_allocatable{{{STATE}, resource="pods"}}) > $threshold'
            ),
            for_="15m",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} runs nearly as many pods as it may.",
            description="{{ $value | humanizePercentage }} of its places are taken.",
            threshold=Threshold(value=0.95, least=0.5, most=1, unit="ratio"),
            jobs=("kubelet", "kube-state-metrics"),
        ),
        Alert(
            name="KubeCPUOvercommit",
            expr=_beyond_one_node("cpu"),
            for_="30m",
            severity="info",
            summary="{{ $labels.cluster }} can't lose a node: its pods ask for more CPU than the others have.",
            description="{{ $value | printf `%.1f` }} cores are asked for.",
            jobs=KSM,
        ),
        Alert(
            name="KubeMemoryOvercommit",
            expr=_beyond_one_node("memory"),
            for_="30m",
            severity="info",
            summary="{{ $labels.cluster }} can't lose a node: its pods ask for more memory than the others have.",
            description="{{ $value | humanize1024 }}B are asked for.",
            jobs=KSM,
        ),
        Alert(
            name="NodeMemoryHighUtilization",
            expr=(f"1 - node_memory_MemAvailable_bytes{{{NODE}}} / node_memory_MemTotal_bytes{{{NODE}}} > $threshold"),
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has little memory left.",
            description="{{ $value | humanizePercentage }} is used.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeCPUHighUsage",
            expr="instance:node_cpu_utilisation:ratio_rate5m > $threshold",
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is busy.",
            description="{{ $value | humanizePercentage }} of its CPU is used for a quarter of an hour.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeClockNotSynchronising",
            expr=(
                f"min_over_time(node_timex_sync_status{{{NODE}}}[10m]) == 0\n"
                f"and node_timex_maxerror_seconds{{{NODE}}} >= 16"
            ),
            for_="10m",
            severity="warning",
            summary="The clock of {{ $labels.node }} in {{ $labels.cluster }} is not synchronised.",
            description="The kernel allows an error of 16 s: no NTP daemon corrects it.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeClockSkewDetected",
            expr=(
                f"abs(node_timex_offset_seconds{{{NODE}}}) > $threshold\n"
                f"and abs(node_timex_offset_seconds{{{NODE}}}) >= abs(node_timex_offset_seconds{{{NODE}}} offset 5m)"
            ),
            for_="10m",
            severity="warning",
            summary="The clock of {{ $labels.node }} in {{ $labels.cluster }} is wrong.",
            description="It is {{ $value | humanizeDuration }} off, and does not come nearer.",
            threshold=Threshold(value=0.05, least=0.001, most=60, unit="seconds"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeNetworkErrors",
            expr=f"({_packets('errs')})\n/ ({_packets('packets')} > 0)\n> $threshold",
            for_="1h",
            severity="warning",
            summary="{{ $labels.device }} on {{ $labels.node }} in {{ $labels.cluster }} has errors.",
            description="{{ $value | humanizePercentage }} of its packets are broken.",
            threshold=Threshold(value=0.01, least=0.0001, most=0.5, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeHighNumberConntrackEntriesUsed",
            expr=f"node_nf_conntrack_entries{{{NODE}}} / (node_nf_conntrack_entries_limit{{{NODE}}} > 0) > $threshold",
            for_="5m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} tracks nearly as many connections as it can.",
            description=(
                "{{ $value | humanizePercentage }} of the table is used; beyond it new connections are dropped."
            ),
            threshold=Threshold(value=0.75, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFileDescriptorLimit",
            expr=f"node_filefd_allocated{{{NODE}}} / (node_filefd_maximum{{{NODE}}} > 0) > $threshold",
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has nearly used its file descriptors.",
            description="{{ $value | humanizePercentage }} are open.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeOutOfMemoryKills",
            expr=f"increase(node_vmstat_oom_kill{{{NODE}}}[5m]) > 0",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} killed processes for want of memory.",
            description="{{ $value | printf `%.0f` }} in five minutes; a container's limit, or the node itself.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeRebooted",
            expr=f"time() - node_boot_time_seconds{{{NODE}}} < 600 and node_boot_time_seconds{{{NODE}}} offset 30m > 0",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} was rebooted.",
            description="It is up for {{ $value | humanizeDuration }}.",
            jobs=NODE_EXPORTER,
        ),
    ),
)
