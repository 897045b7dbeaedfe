"""Control groups: one per cluster, `/promfleet/NAME`, in every hierarchy that the machine has (version 1 and 2)."""

import os
import time
from pathlib import Path

from .cluster import Cluster

MOUNT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb")
HIERARCHIES = (*CONTROLLERS, "systemd", "unified")
TOP = "promfleet"
SHARES = 3 * 1024 * (os.cpu_count() or 1)
"""
Weight of all pods beside the machine's other processes, where control groups are of version 1.

A kubelet divides 1024 for each core among its pods. By default three clusters would weigh as much as one process.
"""


def root(cluster: Cluster) -> str:
    """Name the kubelet's root; two kubelets with one root clean each other's pods up."""
    return f"/{TOP}/{cluster.name}"


def is_unified() -> bool:
    """Tell whether the machine has control groups of version 2 only."""
    return (MOUNT / "cgroup.controllers").exists()


def prepare(cluster: Cluster) -> None:
    """Make the cluster's groups."""
    for hierarchy in hierarchies():
        group = hierarchy
        for part in (TOP, cluster.name):
            above, group = group, group / part
            if is_unified():
                delegate(above)
            group.mkdir(exist_ok=True)
            if hierarchy.name == "cpu":
                (group / "cpu.shares").write_text(str(SHARES))
            if hierarchy.name == "cpuset":
                # A cpuset of version 1 starts empty, and takes no process until it is filled.
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (group / file).write_text((above / file).read_text())
        if is_unified():
            delegate(group)


def remove(cluster: Cluster) -> None:
    """Remove the cluster's groups, whose processes have ended."""
    for hierarchy in hierarchies():
        group = hierarchy / TOP / cluster.name
        clear(group)
        if group.parent.exists() and not any(entry.is_dir() for entry in group.parent.iterdir()):
            _remove(group.parent)


def clear(group: Path) -> None:
    """Remove a group and all below it, if it is there; their processes have ended."""
    if group.exists():
        below = [folder for folder in group.rglob("*/") if folder.is_dir()]
        for folder in [*sorted(below, key=lambda path: -len(path.parts)), group]:
            _remove(folder)


def hierarchies() -> list[Path]:
    """Give the root of every hierarchy: one of version 2, or those of version 1."""
    if is_unified():
        return [MOUNT]
    return [MOUNT / name for name in HIERARCHIES if (MOUNT / name).is_dir()]


def delegate(group: Path) -> None:
    """Let the groups below one of version 2 be limited in all that it can be itself."""
    controllers = (group / "cgroup.controllers").read_text().split()
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{controller}" for controller in controllers))


def _remove(group: Path) -> None:
    """Remove a group; the kernel says "busy" for a moment after its last process."""
    for _ in range(50):
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.1)
        else:
            return
    group.rmdir()
