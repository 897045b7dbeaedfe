"""One node, from its kernel's point of view."""

from alerts.sources import KUBELETS
from alerts.sources import NODE as NODES

from .expressions import (
    CLUSTER,
    DEVICES,
    FULL,
    NO_CADVISOR,
    NO_NODE_EXPORTER,
    NODE,
    ONE,
    RED,
    TO_POD,
    cpu_used,
    disk_used,
    memory_used,
    pod_cpu,
    pod_memory,
)
from .model import Column, Dashboard, Link, Query, Row, Stat, Step, Table, TimeSeries

_HERE = f'{ONE}, node="$node"'
_KERNEL = f"{_HERE}, {NODES}"
_DEVICES = f", {DEVICES}"
_BUSY = ', mode!="idle"'


def _rate(metric: str, more: str = "") -> str:
    return f"rate({metric}{{{_KERNEL}{more}}}[$__rate_interval])"


_NOW = Row(
    "Now",
    (
        Stat(
            title="CPU used",
            description="Share of the CPU time that was not idle.",
            empty=NO_NODE_EXPORTER,
            expr=cpu_used(_HERE, "node"),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Memory used",
            description="Share of the memory that programs could not have.",
            empty=NO_NODE_EXPORTER,
            expr=memory_used(_HERE, "node"),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Fullest disk",
            description="The file system that has the least room.",
            empty=NO_NODE_EXPORTER,
            expr=disk_used(_HERE, "node"),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Pods",
            description="Pods that the kubelet runs.",
            empty="Nothing came from the kubelet: it or the cluster's agent is down.",
            expr=f"sum(kubelet_running_pods{{{_HERE}, {KUBELETS}}})",
            unit="none",
        ),
        Stat(
            title="Clock is off by",
            description="What the kernel thinks it is wrong by; more than a second confuses certificates and samples.",
            empty=NO_NODE_EXPORTER,
            expr=f"max(abs(node_timex_offset_seconds{{{_KERNEL}}}))",
            unit="s",
            steps=(Step(1, RED),),
        ),
        Stat(
            title="Up for",
            description="Since the last boot.",
            empty=NO_NODE_EXPORTER,
            expr=f"time() - max(node_boot_time_seconds{{{_KERNEL}}})",
            unit="s",
        ),
    ),
)

_LOAD = Row(
    "CPU and memory",
    (
        TimeSeries(
            title="CPU by mode",
            description="Cores. Much iowait is a slow disk, much steal a neighbour on the same machine.",
            empty=NO_NODE_EXPORTER,
            queries=(Query(f"sum by (mode) ({_rate('node_cpu_seconds_total', _BUSY)})", "{{mode}}"),),
            unit="none",
            stacked=True,
        ),
        TimeSeries(
            title="Load",
            description="Processes that run or wait. Above the number of cores they wait for each other.",
            empty=NO_NODE_EXPORTER,
            queries=(
                *(Query(f"max(node_load{span}{{{_KERNEL}}})", f"{span} min") for span in ("1", "5", "15")),
                Query(f'count(count by (cpu) (node_cpu_seconds_total{{{_KERNEL}, mode="idle"}}))', "cores"),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Pressure",
            description="Share of the time in which something waited. For memory, anything above 0 is thrashing.",
            empty="This kernel has no pressure stall information (PSI is off), or node-exporter is down.",
            queries=tuple(
                Query(f"max({_rate(f'node_pressure_{resource}_waiting_seconds_total')})", resource)
                for resource in ("cpu", "memory", "io")
            ),
            unit="percentunit",
        ),
        TimeSeries(
            title="Memory",
            description="What is cached is given back when programs ask; when free and cached end, the kernel kills.",
            empty=NO_NODE_EXPORTER,
            queries=(
                Query(
                    f"max(node_memory_MemTotal_bytes{{{_KERNEL}}} - node_memory_MemAvailable_bytes{{{_KERNEL}}})",
                    "used",
                ),
                Query(f"max(node_memory_Cached_bytes{{{_KERNEL}}} + node_memory_Buffers_bytes{{{_KERNEL}}})", "cached"),
                Query(f"max(node_memory_MemFree_bytes{{{_KERNEL}}})", "free"),
            ),
            unit="bytes",
        ),
        TimeSeries(
            title="Swapping and kills",
            description="Thousands of major page faults are thrashing. A kill is a program that was ended.",
            empty=NO_NODE_EXPORTER,
            queries=(
                Query(f"max({_rate('node_vmstat_pgmajfault')})", "major page faults"),
                Query(f"max({_rate('node_vmstat_oom_kill')})", "kills for want of memory"),
            ),
            unit="cps",
        ),
        TimeSeries(
            title="Connections tracked",
            description="When the kernel's table is full, new connections are dropped.",
            empty="This kernel tracks no connections, or node-exporter is down.",
            queries=(
                Query(
                    f"max(node_nf_conntrack_entries{{{_KERNEL}}} / node_nf_conntrack_entries_limit{{{_KERNEL}}})",
                    "of the table",
                ),
            ),
            unit="percentunit",
            steps=FULL,
        ),
    ),
)

_DISK_AND_NETWORK = Row(
    "Disk and network",
    (
        TimeSeries(
            title="File systems",
            description="Share in use. At 85 % the kubelet begins to delete images, then to evict pods.",
            empty=NO_NODE_EXPORTER,
            queries=(Query(disk_used(_HERE, "mountpoint"), "{{mountpoint}}"),),
            unit="percentunit",
            steps=FULL,
        ),
        TimeSeries(
            title="Disk busy",
            description="Share of the time in which the device had work. At 100 % with a growing queue it is too slow.",
            empty=NO_NODE_EXPORTER,
            queries=(Query(f"max by (device) ({_rate('node_disk_io_time_seconds_total')})", "{{device}}"),),
            unit="percentunit",
        ),
        TimeSeries(
            title="Disk throughput",
            description="A flat top is the volume's limit, often one that the cloud sets.",
            empty=NO_NODE_EXPORTER,
            queries=(
                Query(f"sum by (device) ({_rate('node_disk_read_bytes_total')})", "{{device}} read"),
                Query(f"sum by (device) ({_rate('node_disk_written_bytes_total')})", "{{device}} written"),
            ),
            unit="Bps",
        ),
        TimeSeries(
            title="Network",
            description="By device. A flat top is a link that is full.",
            empty=NO_NODE_EXPORTER,
            queries=tuple(
                Query(
                    f"sum by (device) ({_rate(f'node_network_{direction}_bytes_total', _DEVICES)})",
                    f"{{{{device}}}} {direction}",
                )
                for direction in ("receive", "transmit")
            ),
            unit="Bps",
        ),
        TimeSeries(
            title="Network errors and drops",
            description="Packets that were lost here. More than a few per second is a bad cable, driver or queue.",
            empty=NO_NODE_EXPORTER,
            queries=tuple(
                Query(f"sum({_rate(f'node_network_{direction}_{fate}_total', _DEVICES)})", f"{direction} {fate}")
                for direction in ("receive", "transmit")
                for fate in ("errs", "drop")
            ),
            unit="pps",
        ),
        TimeSeries(
            title="Files open",
            description="Share of the files that the kernel may have open. At 100 % nothing starts any more.",
            empty=NO_NODE_EXPORTER,
            queries=(
                Query(f"max(node_filefd_allocated{{{_KERNEL}}} / node_filefd_maximum{{{_KERNEL}}})", "of the limit"),
            ),
            unit="percentunit",
            steps=FULL,
        ),
    ),
)

_PODS = Table(
    title="Pods on this node",
    description="Who uses it.",
    empty=NO_CADVISOR,
    columns=(
        Column("cpu", pod_cpu(_HERE, ", ".join(TO_POD)), "none"),
        Column("memory", pod_memory(_HERE, ", ".join(TO_POD)), "bytes"),
    ),
    link=Link("Open the pod", "promfleet-pod", TO_POD),
    sort="memory",
)

DASHBOARD = Dashboard(
    uid="promfleet-node",
    title="Node",
    description="One node, from its kernel's point of view, and the pods on it.",
    variables=(CLUSTER, NODE),
    rows=(_NOW, _LOAD, _DISK_AND_NETWORK, Row("Pods", (_PODS,))),
)
