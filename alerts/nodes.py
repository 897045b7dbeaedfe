"""Nodes: whether they are there, have room, and keep time."""

from .model import Alert, Group, Record, Severity, Threshold
from .sources import KSM, KUBELETS, NODE, STATE

NODE_EXPORTER = ("node-exporter",)
_ONE = "(cluster, instance, node)"
_LEAVING = "ToBeDeletedByClusterAutoscaler|cloud.google.com/impending-node-termination|aws-node-termination-handler/.+"
"""Taints of nodes that an autoscaler or the cloud takes away."""
_SCHEDULABLE = f"and on (cluster, node) kube_node_spec_unschedulable{{{STATE}}} == 0"
"""A node that was cordoned first is away on purpose."""


def _beyond_one_node(resource: str) -> str:
    """What pods ask for that the largest node's loss would leave no place for; a single node has no other."""
    room = f'kube_node_status_allocatable{{{STATE}, resource="{resource}"}}'
    return (
        f'sum by (cluster) (kube_pod_container_resource_requests{{{STATE}, resource="{resource}"}}\n'
        f'  and on (cluster, namespace, pod) kube_pod_status_phase{{{STATE}, phase=~"Pending|Running"}} == 1)\n'
        f"> on (cluster) (sum by (cluster) ({room}) - max by (cluster) ({room}))\n"
        f"and on (cluster) count by (cluster) ({room}) > 1"
    )


def _network_errors(direction: str) -> str:
    errors, packets = (f"rate(node_network_{direction}_{kind}_total{{{NODE}}}[5m])" for kind in ("errs", "packets"))
    return f"{errors} / ({packets} > 0) > $threshold"


_BROKEN_PACKETS = Threshold(value=0.01, least=0.0001, most=0.5, unit="ratio")
_DESCRIPTORS: tuple[tuple[Severity, float], ...] = (("warning", 0.7), ("critical", 0.9))

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
            expr=(f'kube_node_status_condition{{{STATE}, condition="Ready", status="true"}} == 0\n{_SCHEDULABLE}'),
            for_="10m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is not ready.",
            description="It runs no new pods. Its pods are replaced on other nodes, where there is room.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodeUnreachable",
            expr=(
                "max by (cluster, node) (\n"
                f'  kube_node_spec_taint{{{STATE}, key="node.kubernetes.io/unreachable", effect="NoSchedule"}} == 1\n'
                ")\n"
                f'unless on (cluster, node) kube_node_spec_taint{{{STATE}, key=~"{_LEAVING}"}}'
            ),
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is unreachable.",
            description="Its kubelet does not report to the API server. Its pods are replaced on other nodes.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodeReadinessFlapping",
            expr=(
                "max by (cluster, node) (\n"
                f'  changes(kube_node_status_condition{{{STATE}, condition="Ready", status="true"}}[15m])\n'
                f") > $threshold\n{_SCHEDULABLE}"
            ),
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} changes between ready and not ready.",
            description="Its readiness changed {{ $value }} times in fifteen minutes.",
            threshold=Threshold(value=2, least=1, most=14, unit="count"),
            jobs=KSM,
        ),
        Alert(
            name="KubeNodePressure",
            expr=(
                f'kube_node_status_condition{{{STATE}, condition=~"(Memory|Disk|PID)Pressure", status="true"}} == 1\n'
                f"{_SCHEDULABLE}"
            ),
            for_="10m",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} reports {{ $labels.condition }}.",
            description="Its kubelet evicts pods, first those that use more than they requested.",
            jobs=KSM,
        ),
        Alert(
            name="KubeNodeUnschedulable",
            expr=f"kube_node_spec_unschedulable{{{STATE}}} == 1",
            for_="4h",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has been cordoned for four hours.",
            description="No new pods are scheduled on it. Someone may have forgotten to uncordon it.",
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
            description="It runs {{ $value | humanizePercentage }} of its maximum number of pods.",
            threshold=Threshold(value=0.95, least=0.5, most=1, unit="ratio"),
            jobs=("kubelet", "kube-state-metrics"),
        ),
        Alert(
            name="KubeCPUOvercommit",
            expr=_beyond_one_node("cpu"),
            for_="30m",
            severity="warning",
            summary="Cluster {{ $labels.cluster }} has not enough CPU for its pods if it loses a node.",
            description=(
                "The pods request {{ $value | printf `%.1f` }} cores, more than all nodes but the largest have."
            ),
            jobs=KSM,
        ),
        Alert(
            name="KubeMemoryOvercommit",
            expr=_beyond_one_node("memory"),
            for_="30m",
            severity="warning",
            summary="Cluster {{ $labels.cluster }} has not enough memory for its pods if it loses a node.",
            description="The pods request {{ $value | humanize1024 }}B, more than all nodes but the largest have.",
            jobs=KSM,
        ),
        Alert(
            name="NodeMemoryHighUtilization",
            expr=(f"1 - node_memory_MemAvailable_bytes{{{NODE}}} / node_memory_MemTotal_bytes{{{NODE}}} > $threshold"),
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is running out of memory.",
            description="{{ $value | humanizePercentage }} of its memory is in use.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeMemoryMajorPagesFaults",
            expr=f"rate(node_vmstat_pgmajfault{{{NODE}}}[5m]) > $threshold",
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} reads memory pages from disk all the time.",
            description=(
                "{{ $value | printf `%.0f` }} major page faults per second: its programs need more memory than it has."
            ),
            threshold=Threshold(value=500, least=1, most=100000, unit="count"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeCPUHighUsage",
            expr="instance:node_cpu_utilisation:ratio_rate5m > $threshold",
            for_="15m",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has a high CPU usage.",
            description="{{ $value | humanizePercentage }} of its CPU has been in use for fifteen minutes.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeSystemSaturation",
            expr=(
                f"max by {_ONE} (node_load1{{{NODE}}})\n"
                f'/ on {_ONE} count by {_ONE} (node_cpu_seconds_total{{{NODE}, mode="idle"}}) > $threshold'
            ),
            for_="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is overloaded.",
            description=(
                "{{ $value | printf `%.1f` }} processes per core run or wait for a disk; the node may stop responding."
            ),
            threshold=Threshold(value=2, least=0.5, most=100, unit="count"),
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
            description="No NTP daemon corrects it: the kernel expects an error of 16 s or more.",
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
            description="It is {{ $value | humanizeDuration }} off, and the difference does not shrink.",
            threshold=Threshold(value=0.05, least=0.001, most=60, unit="seconds"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeNetworkReceiveErrs",
            expr=_network_errors("receive"),
            for_="1h",
            severity="warning",
            summary="Interface {{ $labels.device }} of {{ $labels.node }} in {{ $labels.cluster }} has receive errors.",
            description="{{ $value | humanizePercentage }} of the packets that it receives are broken.",
            threshold=_BROKEN_PACKETS,
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeNetworkTransmitErrs",
            expr=_network_errors("transmit"),
            for_="1h",
            severity="warning",
            summary=(
                "Interface {{ $labels.device }} of {{ $labels.node }} in {{ $labels.cluster }} has transmit errors."
            ),
            description="{{ $value | humanizePercentage }} of the packets that it sends fail.",
            threshold=_BROKEN_PACKETS,
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeNetworkInterfaceFlapping",
            expr=f'changes(node_network_up{{{NODE}, device!~"veth.+"}}[10m]) > $threshold',
            for_="2m",
            severity="warning",
            summary="Interface {{ $labels.device }} of {{ $labels.node }} in {{ $labels.cluster }} goes up and down.",
            description="Its state changed {{ $value }} times in ten minutes.",
            threshold=Threshold(value=2, least=1, most=9, unit="count"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeBondingDegraded",
            expr=f"node_bonding_slaves{{{NODE}}} - node_bonding_active{{{NODE}}} > 0",
            for_="5m",
            severity="warning",
            summary="Bond {{ $labels.master }} of {{ $labels.node }} in {{ $labels.cluster }} lacks interfaces.",
            description="{{ $value }} of its interfaces are down. The bond has less bandwidth or no spare left.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeHighNumberConntrackEntriesUsed",
            expr=f"node_nf_conntrack_entries{{{NODE}}} / (node_nf_conntrack_entries_limit{{{NODE}}} > 0) > $threshold",
            for_="5m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} tracks nearly as many connections as it can.",
            description=(
                "{{ $value | humanizePercentage }} of its conntrack table is in use. A full table drops new "
                "connections."
            ),
            threshold=Threshold(value=0.75, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        *(
            Alert(
                name="NodeFileDescriptorLimit",
                expr=(f"node_filefd_allocated{{{NODE}}} / (node_filefd_maximum{{{NODE}}} > 0) > $threshold"),
                for_="15m",
                severity=severity,
                summary="Node {{ $labels.node }} in {{ $labels.cluster }} is running out of file descriptors.",
                description="{{ $value | humanizePercentage }} of its file descriptors are in use.",
                threshold=Threshold(value=used, least=0.1, most=0.99, unit="ratio"),
                jobs=NODE_EXPORTER,
            )
            for severity, used in _DESCRIPTORS
        ),
        Alert(
            name="NodeOutOfMemoryKills",
            expr=f"increase(node_vmstat_oom_kill{{{NODE}}}[5m]) > 0",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} killed processes because memory ran out.",
            description=(
                "{{ $value | printf `%.0f` }} in five minutes: a container reached its memory limit, or the node has "
                "no memory left."
            ),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeSystemdServiceFailed",
            expr=f'node_systemd_unit_state{{{NODE}, state="failed"}} == 1',
            for_="5m",
            severity="warning",
            summary="Service {{ $labels.name }} on {{ $labels.node }} in {{ $labels.cluster }} has failed.",
            description="systemd does not restart it: systemctl status and its journal say why it ended.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeSystemdServiceCrashlooping",
            expr=f"increase(node_systemd_service_restart_total{{{NODE}}}[5m]) > $threshold",
            for_="15m",
            severity="warning",
            summary="Service {{ $labels.name }} on {{ $labels.node }} in {{ $labels.cluster }} keeps restarting.",
            description="systemd restarted it {{ $value | printf `%.0f` }} times in five minutes.",
            threshold=Threshold(value=2, least=1, most=100, unit="count"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeRebooted",
            expr=f"time() - node_boot_time_seconds{{{NODE}}} < 600 and node_boot_time_seconds{{{NODE}}} offset 30m > 0",
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} was rebooted.",
            description="It has been up for {{ $value | humanizeDuration }}.",
            jobs=NODE_EXPORTER,
        ),
    ),
)
