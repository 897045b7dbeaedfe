"""
The folder of a containerd that has the lab's images, made once and linked into each new cluster.

An import takes seconds for each image and cluster, most of them spent on a disk that three clusters share.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .node import run, wait
from .progress import Progress
from .toolchains import CACHE

CONFIGURATION = """version = 3
root = "{root}"
state = "{folder}/state"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"]
[grpc]
  address = "{folder}/socket"
"""
DATABASE = ".db"
"""How the names of the files end that a containerd writes to; it replaces all others."""


def store(binaries: str, archives: Sequence[Path], report: Progress) -> Path:
    """Give the folder, which has just these images; what was made of others is deleted."""
    names = " ".join(sorted(archive.name for archive in archives))
    folder = CACHE / "images" / f"store-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    if not folder.exists():
        old = [*folder.parent.glob("store-*"), *folder.parent.glob("unfinished-*")]
        unfinished = folder.with_name(f"unfinished-{os.getpid()}")
        try:
            _fill(unfinished, binaries, archives, report)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        for other in old:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _fill(root: Path, binaries: str, archives: Sequence[Path], report: Progress) -> None:
    """Import images by a containerd of its own, which runs nothing."""
    with tempfile.TemporaryDirectory(prefix="promfleet-") as temporary:
        folder = Path(temporary)
        config, log = folder / "containerd.toml", folder / "log"
        config.write_text(CONFIGURATION.format(root=root, folder=folder))
        with log.open("ab") as output:
            server = subprocess.Popen([f"{binaries}/containerd", "--config", config], stdout=output, stderr=output)
        try:
            wait((folder / "socket").exists, "containerd does not listen", log, seconds=30)
            ctr = [f"{binaries}/ctr", "--address", str(folder / "socket"), "--namespace", "k8s.io"]
            for number, archive in enumerate(archives, 1):
                report("images", f"importing ({number}/{len(archives)})")
                run([*ctr, "images", "import", str(archive)])
        finally:
            server.terminate()
            server.wait(30)


def place(made: Path, home: Path) -> None:
    """Link a store into the empty folder of a cluster's containerd; its databases are copied."""
    unfinished = home.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(made, unfinished, symlinks=True, copy_function=_link)
    unfinished.rename(home)


def _link(source: str, target: str) -> None:
    if not source.endswith(DATABASE):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copy2(source, target)
