"""Nodes: whether they are there, have room, and keep time."""

from .model import Alert, Group, Record, Threshold

NODE_EXPORTER = ("node-exporter",)
KSM = ("kube-state-metrics",)
_DISK = 'fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|fuse.*", mountpoint!~"/var/lib/kubelet/.+|/run/.*"'
"""Filesystems that fill up, each once: not what is in memory, and not the mounts of pods."""
_ONE_DISK = "on (cluster, instance, device, fstype, mountpoint)"

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
            expr='kube_node_status_condition{condition="Ready", status="true"} == 0',
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
            name="KubeNodePodsAlmostFull",
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
            name="KubeCpuOvercommitted",
            # One node has no other to fall back on.
            expr=(
                'sum by (cluster) (kube_pod_container_resource_requests{resource="cpu"})\n'
                "> on (cluster)\n"
                '(sum by (cluster) (kube_node_status_allocatable{resource="cpu"})'
                ' - max by (cluster) (kube_node_status_allocatable{resource="cpu"}))\n'
                'and on (cluster) count by (cluster) (kube_node_status_allocatable{resource="cpu"}) > 1'
            ),
            wait="30m",
            severity="info",
            summary="{{ $labels.cluster }} can't lose a node: its pods ask for more CPU than the others have.",
            description="{{ $value | printf `%.1f` }} cores are asked for.",
            jobs=KSM,
        ),
        Alert(
            name="KubeMemoryOvercommitted",
            expr=(
                'sum by (cluster) (kube_pod_container_resource_requests{resource="memory"})\n'
                "> on (cluster)\n"
                '(sum by (cluster) (kube_node_status_allocatable{resource="memory"})'
                ' - max by (cluster) (kube_node_status_allocatable{resource="memory"}))\n'
                'and on (cluster) count by (cluster) (kube_node_status_allocatable{resource="memory"}) > 1'
            ),
            wait="30m",
            severity="info",
            summary="{{ $labels.cluster }} can't lose a node: its pods ask for more memory than the others have.",
            description="{{ $value | humanize1024 }}B are asked for.",
            jobs=KSM,
        ),
        Alert(
            name="NodeMemoryHigh",
            expr="1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > $threshold",
            wait="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has little memory left.",
            description="{{ $value | humanizePercentage }} is used.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeCpuHigh",
            expr="instance:node_cpu_utilisation:ratio_rate5m > $threshold",
            wait="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} is busy.",
            description="{{ $value | humanizePercentage }} of its CPU is used for a quarter of an hour.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFilesystemAlmostFull",
            expr=(
                f"1 - node_filesystem_avail_bytes{{{_DISK}}} / (node_filesystem_size_bytes > 0) > $threshold\n"
                f"and {_ONE_DISK} node_filesystem_readonly == 0"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} is nearly full.",
            description="{{ $value | humanizePercentage }} of {{ $labels.device }} is used.",
            threshold=Threshold(value=0.85, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFilesystemFillingUp",
            # A prediction from a nearly empty disk is a guess.
            expr=(
                f"predict_linear(node_filesystem_avail_bytes{{{_DISK}}}[6h], $threshold) < 0\n"
                f"and {_ONE_DISK} node_filesystem_avail_bytes / (node_filesystem_size_bytes > 0) < 0.4\n"
                f"and {_ONE_DISK} node_filesystem_readonly == 0"
            ),
            wait="1h",
            severity="warning",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} will be full soon.",
            description="At the rate of the last six hours {{ $labels.device }} will have no room within a day.",
            threshold=Threshold(value=86400, least=3600, most=604800, unit="seconds"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFilesystemOutOfInodes",
            expr=(
                f"node_filesystem_files_free{{{_DISK}}} / (node_filesystem_files{{{_DISK}}} > 0) < $threshold\n"
                f"and {_ONE_DISK} node_filesystem_readonly == 0"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} runs out of inodes.",
            description="{{ $value | humanizePercentage }} are free: no new files, whatever room there is.",
            threshold=Threshold(value=0.05, least=0.01, most=0.5, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFilesystemReadOnly",
            expr=(
                f"node_filesystem_readonly{{{_DISK}}} == 1\n"
                f"and {_ONE_DISK} max_over_time((node_filesystem_readonly == bool 0)[6h:10m]) == 1"
            ),
            wait="2m",
            severity="critical",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} became read-only.",
            description="It could be written to within the last six hours; the kernel gave it up after an error.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeClockNotSynchronised",
            expr="min_over_time(node_timex_sync_status[10m]) == 0 and node_timex_maxerror_seconds >= 16",
            wait="10m",
            severity="warning",
            summary="The clock of {{ $labels.node }} in {{ $labels.cluster }} is not synchronised.",
            description="The kernel allows an error of 16 s: no NTP daemon corrects it.",
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
            name="NodeConntrackAlmostFull",
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
            name="NodeFileDescriptorsAlmostUsed",
            expr="node_filefd_allocated / (node_filefd_maximum > 0) > $threshold",
            wait="15m",
            severity="warning",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} has nearly used its file descriptors.",
            description="{{ $value | humanizePercentage }} are open.",
            threshold=Threshold(value=0.8, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeDiskSaturated",
            expr="rate(node_disk_io_time_weighted_seconds_total[5m]) > $threshold",
            wait="30m",
            severity="warning",
            summary="Disk {{ $labels.device }} on {{ $labels.node }} in {{ $labels.cluster }} can't keep up.",
            description="{{ $value | printf `%.0f` }} requests wait in its queue on average.",
            threshold=Threshold(value=10, least=1, most=1000, unit="count"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeRaidDegraded",
            expr='node_md_disks_required - on (cluster, instance, device) node_md_disks{state="active"} > 0',
            wait="15m",
            severity="critical",
            summary="RAID {{ $labels.device }} on {{ $labels.node }} in {{ $labels.cluster }} is degraded.",
            description="{{ $value }} of its disks are missing and no spare takes over.",
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
