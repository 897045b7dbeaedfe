"""Nodes: whether they are there, have room, and keep time."""

from .model import Alert, Group, Record, Threshold

NODE_EXPORTER = ("node-exporter",)
KSM = ("kube-state-metrics",)


def _beyond_one_node(resource: str) -> str:
    """What pods ask for that the largest node's loss would leave no place for; a single node has no other."""
    room = f'kube_node_status_allocatable{{resource="{resource}"}}'
    return (
        f'sum by (cluster) (kube_pod_container_resource_requests{{resource="{resource}"}}\n'
        '  and on (cluster, namespace, pod) kube_pod_status_phase{phase=~"Pending|Running"} == 1)\n'
        f"> on (cluster) (sum by (cluster) ({room}) - max by (cluster) ({room}))\n"
        f"and on (cluster) count by (cluster) ({room}) > 1"
    )


NODES = Group(
    name="nodes",
    records=(
        Record(
            name="instance:node_cpu_utilisation:ratio_rate5m",
            expr=(
                'sum by (cluster, instance, node) (rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}[5m]))\n'
                "/ on (cluster, instance, node)\n"
                'count by (cluster, instance, node) (node_cpu_seconds_total{mode="idle"})'
            ),
        ),
    ),
    alerts=(
        Alert(
            name="KubeNodeNotReady",
            # One that was cordoned first is away on purpose.
            expr=(
                'kube_node_status_condition{condition="Ready", status="true"} == 0\n'
                "and on (cluster, node) kube_node_spec_unschedulable == 0"
            ),
            wait="10m",
            severity="critical",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is not ready.",
            description="Its pods are moved to other nodes, where there is room.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodePressure",
            expr='kube_node_status_condition{condition=~"(Memory|Disk|PID)Pressure", status="true"} == 1',
            wait="10m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has {{ $labels.condition }}.",
            description="The kubelet evicts pods from it, those without requests first.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodeUnschedulable",
            expr="kube_node_spec_unschedulable == 1",
            wait="4h",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} takes no new pods.",
            description="It was cordoned four hours ago, and may have been forgotten.",
            jobs=KSM,
        ),
        Alert(
            name="KubeletTooManyPods",
            expr=(
                "max by (cluster, node) (kubelet_running_pods)\n"
                "/ on (cluster, node)\n"
                'max by (cluster, node) (kube_node_status_allocatable{resource="pods"}) > $threshold'
            ),
            wait="15m",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} runs nearly as many pods as it may.",
            description="{{ $value | humanizePercentage }} of its places are taken.",
            threshold=Threshold(value=0.95, least=0.5, most=1, unit="ratio"),
            jobs=("kubelet", "kube-state-metrics"),
        ),
        Alert(
            name="KubeCPUOvercommit",
            expr=_beyond_one_node("cpu"),
            wait="30m",
            severity="info",
            summary="{{ $labels.cluster }} can't lose a node: its pods ask for more CPU than the others have.",
            description="{{ $value | printf `%.1f` }} cores are asked for.",
            jobs=KSM,
        ),
        Alert(
            name="KubeMemoryOvercommit",
            expr=_beyond_one_node("memory"),
            wait="30m",
            severity="info",
            summary="{{ $labels.cluster }} can't lose a node: its pods ask for more memory than the others have.",
            description="{{ $value | humanize1024 }}B are asked for.",
            jobs=KSM,
        ),
        Alert(
            name="NodeMemoryHighUtilization",
            expr="1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > $threshold",
            wait="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has little memory left.",
            description="{{ $value | humanizePercentage }} is used.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeCPUHighUsage",
            expr="instance:node_cpu_utilisation:ratio_rate5m > $threshold",
            wait="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is busy.",
            description="{{ $value | humanizePercentage }} of its CPU is used for a quarter of an hour.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeClockNotSynchronising",
            expr="min_over_time(node_timex_sync_status[10m]) == 0 and node_timex_maxerror_seconds >= 16",
            wait="10m",
            severity="warning",
            summary="The clock of {{ $labels.node }} in {{ $labels.cluster }} is not synchronised.",
            description="The kernel allows an error of 16 s: no NTP daemon corrects it.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeClockSkewDetected",
            expr=(
                "abs(node_timex_offset_seconds) > $threshold\n"
                "and abs(node_timex_offset_seconds) >= abs(node_timex_offset_seconds offset 5m)"
            ),
            wait="10m",
            severity="warning",
            summary="The clock of {{ $labels.node }} in {{ $labels.cluster }} is wrong.",
            description="It is {{ $value | humanizeDuration }} off, and does not come nearer.",
            threshold=Threshold(value=0.05, least=0.001, most=60, unit="seconds"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeNetworkErrors",
            expr=(
                "(rate(node_network_receive_errs_total[5m]) + rate(node_network_transmit_errs_total[5m]))\n"
                "/ (rate(node_network_receive_packets_total[5m]) + rate(node_network_transmit_packets_total[5m]) > 0)\n"
                "> $threshold"
            ),
            wait="1h",
            severity="warning",
            summary="{{ $labels.device }} on {{ $labels.node }} in {{ $labels.cluster }} has errors.",
            description="{{ $value | humanizePercentage }} of its packets are broken.",
            threshold=Threshold(value=0.01, least=0.0001, most=0.5, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeHighNumberConntrackEntriesUsed",
            expr="node_nf_conntrack_entries / (node_nf_conntrack_entries_limit > 0) > $threshold",
            wait="5m",
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
            expr="node_filefd_allocated / (node_filefd_maximum > 0) > $threshold",
            wait="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has nearly used its file descriptors.",
            description="{{ $value | humanizePercentage }} are open.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeOutOfMemoryKills",
            expr="increase(node_vmstat_oom_kill[5m]) > 0",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} killed processes for want of memory.",
            description="{{ $value | printf `%.0f` }} in five minutes; a container's limit, or the node itself.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeRebooted",
            expr="time() - node_boot_time_seconds < 600 and node_boot_time_seconds offset 30m > 0",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} was rebooted.",
            description="It is up for {{ $value | humanizeDuration }}.",
            jobs=NODE_EXPORTER,
        ),
    ),
)
