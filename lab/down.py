"""Takes the lab away; works as well on what a crash or a reboot has left of it."""

import os
import shutil
from pathlib import Path

import psutil

from . import cgroups
from .cluster import known, state
from .gcp import objectstore
from .links import user_folder
from .locks import alone
from .network import wire_holder
from .node import LabError, node_holder, release, running
from .progress import Progress

KUBELET = Path("/var/lib/kubelet")
"""Where each node's own folder is mounted; on the machine it stays empty."""


def down(report: Progress) -> None:
    """End all clusters and remove the lab's folder, with the engine's states: what they describe is gone."""
    with alone(report):
        _down(report)


def _down(report: Progress) -> None:
    for cluster in known():
        release(node_holder(cluster))
        cgroups.remove(cluster)
        report(cluster.name, "gone")
    objectstore.stop()
    _end_plugins()
    release(wire_holder())
    if state().exists():
        _refuse_mounts(state())
        shutil.rmtree(state())
    # A folder that is removed takes along what is mounted over it in other namespaces: in those of another lab's nodes.
    if KUBELET.is_dir() and not any(KUBELET.iterdir()) and not any(KUBELET in mounts(pid) for pid in psutil.pids()):
        KUBELET.rmdir()


def _end_plugins() -> None:
    """End the plugins of engines, which wait for a killed one for ever."""
    for plugin in running(_is_plugin):
        plugin.kill()


def _is_plugin(process: psutil.Process) -> bool:
    started = map(Path, process.cmdline()[:2])  # of a script, the second one
    return any(file.parent == user_folder() and file.name.startswith("pulumi-resource-") for file in started)


def mounts(pid: int) -> set[Path]:
    """List the places where something is mounted, as a process sees them; none where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    except OSError:  # of a process that ends meanwhile, or of a zombie
        return set()
    return {Path(line.split()[4]) for line in lines}


def _refuse_mounts(folder: Path) -> None:
    """Mounts live in the nodes' namespaces and end with them; one out here is not the lab's to delete through."""
    below = [str(mount) for mount in mounts(os.getpid()) if mount.is_relative_to(folder)]
    if below:
        raise LabError(f"something is mounted at {', '.join(below)}; `umount` it, then run `fleet lab down` again")
