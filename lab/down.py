"""Takes the lab away; works as well on what a crash or a reboot has left of it."""

import shutil
from pathlib import Path

from . import cgroups
from .cluster import known, state
from .gcp import objectstore
from .locks import alone
from .network import wire_holder
from .node import LabError, node_holder, release
from .progress import Say

KUBELET = Path("/var/lib/kubelet")
"""Where each node's own folder is mounted; on the machine it stays empty."""


def down(say: Say) -> None:
    """End all clusters and remove the lab's folder, with the engine's states: what they describe is gone."""
    with alone(say):
        _down(say)


def _down(say: Say) -> None:
    for cluster in known():
        release(node_holder(cluster))
        cgroups.remove(cluster)
        say(cluster.name, "gone")
    objectstore.stop()
    release(wire_holder())
    if state().exists():
        _refuse_mounts(state())
        shutil.rmtree(state())
    if KUBELET.is_dir() and not any(KUBELET.iterdir()):
        KUBELET.rmdir()


def _refuse_mounts(folder: Path) -> None:
    """Mounts live in the nodes' namespaces and end with them; one out here is not the lab's to delete through."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    below = [mount for mount in mounts if Path(mount).is_relative_to(folder)]
    if below:
        raise LabError(f"something is mounted at {', '.join(below)}; `umount` it, then run `fleet lab down` again")
