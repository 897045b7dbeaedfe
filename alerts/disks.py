"""Disks of nodes: whether they have room, can be written to, and keep up."""

from collections.abc import Iterator

from .model import Alert, Group, Severity, Threshold
from .sources import DISK, NODE

NODE_EXPORTER = ("node-exporter",)
_ONE_DISK = "on (cluster, instance, device, fstype, mountpoint)"
_WRITABLE = f"and {_ONE_DISK} node_filesystem_readonly{{{NODE}}} == 0"
_ONE_ARRAY = "(cluster, instance, node, device)"
_WHICH = "{{ $labels.mountpoint }} on {{ $labels.node }} in {{ $labels.cluster }}"


def _free(which: str, has: str) -> str:
    """Of what a filesystem has."""
    return f"node_filesystem_{which}{{{DISK}}} / (node_filesystem_{has}{{{DISK}}} > 0)"


_FREE_SPACE, _FREE_FILES = _free("avail_bytes", "size_bytes"), _free("files_free", "files")


def _filling_up(name: str, metric: str, free: str, resource: str, shares: tuple[float, float]) -> Iterator[Alert]:
    """Warn a day before the end, be critical four hours before; `shares` are free at most by then."""
    levels: tuple[tuple[Severity, float, float], ...] = (("warning", 86400, shares[0]), ("critical", 14400, shares[1]))
    for severity, seconds, share in levels:
        yield Alert(
            name=name,
            # A prediction from a nearly empty disk is a guess.
            expr=(
                f"predict_linear(node_filesystem_{metric}{{{DISK}}}[6h], $threshold) < 0\n"
                f"and {_ONE_DISK} {free} < {share}\n"
                f"{_WRITABLE}"
            ),
            for_="1h",
            severity=severity,
            summary=f"{_WHICH} will run out of {resource} soon.",
            description=(
                f"At the rate of the last six hours {{{{ $labels.device }}}} has no {resource} left within "
                "{{ $threshold | humanizeDuration }}."
            ),
            threshold=Threshold(value=seconds, least=3600, most=604800, unit="seconds"),
            jobs=NODE_EXPORTER,
        )


def _almost_out() -> Iterator[Alert]:
    levels: tuple[tuple[Severity, float, float], ...] = (("warning", 0.85, 0.05), ("critical", 0.97, 0.03))
    for severity, used, free in levels:
        yield Alert(
            name="NodeFilesystemAlmostOutOfSpace",
            expr=f"1 - {_FREE_SPACE} > $threshold\n{_WRITABLE}",
            for_="15m",
            severity=severity,
            summary=f"{_WHICH} is nearly full.",
            description="{{ $value | humanizePercentage }} of the space of {{ $labels.device }} is used.",
            threshold=Threshold(value=used, least=0.1, most=0.99, unit="ratio"),
            jobs=NODE_EXPORTER,
        )
        yield Alert(
            name="NodeFilesystemAlmostOutOfFiles",
            expr=f"{_FREE_FILES} < $threshold\n{_WRITABLE}",
            for_="15m",
            severity=severity,
            summary=f"{_WHICH} has nearly no inodes left.",
            description=(
                "Only {{ $value | humanizePercentage }} of the inodes are free. Without any, no file can be created, "
                "however much space there is."
            ),
            threshold=Threshold(value=free, least=0.01, most=0.5, unit="ratio"),
            jobs=NODE_EXPORTER,
        )


DISKS = Group(
    name="disks",
    alerts=(
        *_almost_out(),
        *_filling_up("NodeFilesystemSpaceFillingUp", "avail_bytes", _FREE_SPACE, "space", (0.4, 0.1)),
        *_filling_up("NodeFilesystemFilesFillingUp", "files_free", _FREE_FILES, "inodes", (0.4, 0.2)),
        Alert(
            name="NodeFilesystemReadOnly",
            expr=(
                f"node_filesystem_readonly{{{DISK}}} == 1\n"
                f"and {_ONE_DISK} max_over_time((node_filesystem_readonly{{{NODE}}} == bool 0)[6h:10m]) == 1"
            ),
            for_="2m",
            severity="critical",
            summary=f"{_WHICH} became read-only.",
            description="It was writable within the last six hours. The kernel remounts a disk so after an error.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeDiskIOSaturation",
            expr=f"rate(node_disk_io_time_weighted_seconds_total{{{NODE}}}[5m]) > $threshold",
            for_="30m",
            severity="warning",
            summary="Disk {{ $labels.device }} of {{ $labels.node }} in {{ $labels.cluster }} is overloaded.",
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
            summary="RAID array {{ $labels.device }} of {{ $labels.node }} in {{ $labels.cluster }} is degraded.",
            description="{{ $value }} of its disks are missing, and no spare disk replaces them.",
            jobs=NODE_EXPORTER,
        ),
        Alert(
            name="NodeRAIDDiskFailure",
            expr=f'node_md_disks{{{NODE}, state="failed"}} > 0',
            severity="warning",
            summary="A disk of RAID array {{ $labels.device }} of {{ $labels.node }} in {{ $labels.cluster }} failed.",
            description="{{ $value }} of its disks have failed. Replace them before the next one fails.",
            jobs=NODE_EXPORTER,
        ),
    ),
)
