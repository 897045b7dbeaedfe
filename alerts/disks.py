"""Disks of nodes: whether they have room, can be written to, and keep up."""

from .model import Alert, Group, Threshold
from .sources import NODE

NODE_EXPORTER = ("node-exporter",)
_DISK = f'{NODE}, fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|fuse.*", mountpoint!~"/var/lib/kubelet/.+|/run/.*"'
"""Filesystems that fill up, each once: not what is in memory, and not the mounts of pods."""
_ONE_DISK = "on (cluster, instance, device, fstype, mountpoint)"
_WRITABLE = f"and {_ONE_DISK} node_filesystem_readonly{{{NODE}}} == 0"
_ONE_ARRAY = "(cluster, instance, node, device)"


def _free(which: str, has: str) -> str:
    """Of what a filesystem has."""
    return f"node_filesystem_{which}{{{_DISK}}} / (node_filesystem_{has}{{{_DISK}}} > 0)"


DISKS = Group(
    name="disks",
    alerts=(
        Alert(
            name="NodeFilesystemAlmostOutOfSpace",
            expr=f"1 - {_free('avail_bytes', 'size_bytes')} > $threshold\n{_WRITABLE}",
            for_="15m",
            severity="warning",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} is nearly full.",
            description="{{ $value | humanizePercentage }} of {{ $labels.device }} is used.",
            threshold=Threshold(value=0.85, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFilesystemSpaceFillingUp",
            # A prediction from a nearly empty disk is a guess.
            expr=(
                f"predict_linear(node_filesystem_avail_bytes{{{_DISK}}}[6h], $threshold) < 0\n"
                f"and {_ONE_DISK} {_free('avail_bytes', 'size_bytes')} < 0.4\n"
                f"{_WRITABLE}"
            ),
            for_="1h",
            severity="warning",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} will be full soon.",
            description=(
                "At the rate of the last six hours {{ $labels.device }} has no room left"
                " within {{ $threshold | humanizeDuration }}."
            ),
            threshold=Threshold(value=86400, least=3600, most=604800, unit="seconds"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeFilesystemAlmostOutOfFiles",
            expr=f"{_free('files_free', 'files')} < $threshold\n{_WRITABLE}",
            for_="15m",
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
                f"and {_ONE_DISK} max_over_time((node_filesystem_readonly{{{NODE}}} == bool 0)[6h:10m]) == 1"
            ),
            for_="2m",
            severity="critical",
            summary="{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }} became read-only.",
            description="It could be written to within the last six hours; the kernel gave it up after an error.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeDiskIOSaturation",
            expr=f"rate(node_disk_io_time_weighted_seconds_total{{{NODE}}}[5m]) > $threshold",
            for_="30m",
            severity="warning",
            summary="Disk {{ $labels.device }} on {{ $labels.node }} in {{ $labels.cluster }} can't keep up.",
            description="{{ $value | printf `%.0f` }} requests wait in its queue on average.",
            threshold=Threshold(value=10, least=1, most=1000, unit="count"),
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeRAIDDegraded",
            expr=(
                f"max by {_ONE_ARRAY} (node_md_disks_required{{{NODE}}})\n"
                f'- on {_ONE_ARRAY} max by {_ONE_ARRAY} (node_md_disks{{{NODE}, state="active"}}) > 0'
            ),
            for_="15m",
            severity="critical",
            summary="RAID {{ $labels.device }} on {{ $labels.node }} in {{ $labels.cluster }} is degraded.",
            description="{{ $value }} of its disks are missing and no spare takes over.",
            jobs=NODE_EXPORTER,
        ),
    ),
)
