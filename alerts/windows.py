"""Windows nodes, by the alerts of Grafana's windows-observ-lib that concern every node."""

from .model import Alert, Group, Threshold
from .sources import SCRAPERS, STATE, WINDOWS

_EXPORTER = ("windows-exporter",)
_WHICH = "Windows node {{ $labels.node }} in {{ $labels.cluster }}"
_VOLUME = f'{WINDOWS}, volume!~"HarddiskVolume.+"'
"""Those that have a drive letter or are mounted."""

WINDOWS_NODES = Group(
    name="windows",
    alerts=(
        Alert(
            name="WindowsExporterDown",
            # A pool of Windows nodes may be scaled to none, and then there is no exporter either.
            expr=(
                f'count by (cluster) (kube_node_info{{{STATE}, os_image=~"Windows.+"}})\n'
                f'and on (cluster) prometheus_target_scrape_pool_targets{{{SCRAPERS}, scrape_job="windows-exporter"}}\n'
                f"unless on (cluster) up{{{WINDOWS}}} == 1"
            ),
            for_="15m",
            severity="critical",
            summary="No windows_exporter of {{ $labels.cluster }} can be scraped.",
            description=(
                "No alert on the CPU, memory and disks of its {{ $value | printf `%.0f` }} Windows nodes can fire."
            ),
            jobs=("kube-state-metrics", "windows-exporter"),
        ),
        Alert(
            name="WindowsCPUHighUsage",
            expr=(
                "1 - avg by (cluster, instance, node) (\n"
                f'  rate(windows_cpu_time_total{{{WINDOWS}, mode="idle"}}[5m])\n'
                ") > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary=f"{_WHICH} has a high CPU usage.",
            description="{{ $value | humanizePercentage }} of its CPU has been in use for fifteen minutes.",
            threshold=Threshold(value=0.9, least=0.1, most=0.99, unit="ratio"),
            jobs=_EXPORTER,
        ),
        Alert(
            name="WindowsMemoryHighUtilization",
            expr=(
                f"1 - windows_memory_physical_free_bytes{{{WINDOWS}}}\n"
                f"/ (windows_memory_physical_total_bytes{{{WINDOWS}}} > 0) > $threshold"
            ),
            for_="15m",
            severity="critical",
            summary=f"{_WHICH} is running out of memory.",
            description="{{ $value | humanizePercentage }} of its memory is in use.",
            threshold=Threshold(value=0.9, least=0.1, most=0.99, unit="ratio"),
            jobs=_EXPORTER,
        ),
        Alert(
            name="WindowsDiskAlmostOutOfSpace",
            expr=(
                f"1 - windows_logical_disk_free_bytes{{{_VOLUME}}}\n"
                f"/ (windows_logical_disk_size_bytes{{{_VOLUME}}} > 0) > $threshold"
            ),
            for_="15m",
            severity="critical",
            summary="Volume {{ $labels.volume }} of " + _WHICH + " is nearly full.",
            description="{{ $value | humanizePercentage }} of its space is used.",
            threshold=Threshold(value=0.9, least=0.1, most=0.99, unit="ratio"),
            jobs=_EXPORTER,
        ),
        Alert(
            name="WindowsNodeHasRebooted",
            expr=(
                f"time() - windows_system_boot_time_timestamp{{{WINDOWS}}} < 600\n"
                f"and windows_system_boot_time_timestamp{{{WINDOWS}}} offset 30m > 0"
            ),
            severity="info",
            summary=f"{_WHICH} was rebooted.",
            description="It has been up for {{ $value | humanizeDuration }}.",
            jobs=_EXPORTER,
        ),
    ),
)
