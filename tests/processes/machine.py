"""A machine with a real systemd: one of its own as the first process of its own namespaces."""

import hashlib
import platform
import subprocess
import tarfile
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import psutil

from lab import cgroups
from lab.build import command
from lab.node import wait
from settings.images import ALERTMANAGER, BLACKBOX_EXPORTER, NODE_EXPORTER, PROMETHEUS, release

SCRIPT = Path(__file__).with_name("machine.sh")
PROGRAMS = {
    "prometheus": ("prometheus", "promtool"),
    "alertmanager": ("alertmanager", "amtool"),
    "blackbox_exporter": ("blackbox_exporter",),
    "node_exporter": ("node_exporter",),
}
"""Name of an archive -> the programs in it."""
RELEASES = {
    name: release(image) or ""
    for name, image in zip(PROGRAMS, (PROMETHEUS, ALERTMANAGER, BLACKBOX_EXPORTER, NODE_EXPORTER), strict=True)
}
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}
_ENTER = 'for group; do [ "$group" = -- ] && break; echo $$ >"$group/cgroup.procs"; shift; done; shift; exec "$@"'
_NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")


class Machine:
    """What can be done on it."""

    def __init__(self, process: psutil.Process) -> None:
        self.process = process

    @property
    def root(self) -> Path:
        """Its file system, as this machine sees it."""
        return Path(f"/proc/{self.process.pid}/root")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        inside = ["nsenter", "--target", str(self.process.pid), *_NAMESPACES, "--root", "--wd", "--", *command]
        return subprocess.run(inside, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def said(self, *command: str) -> str:
        """Give what a command that succeeds prints."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def property(self, service: str, name: str) -> str:
        """Give a property of a unit of the watcher's."""
        return self.said("systemctl", "show", "--property", name, "--value", f"promfleet-{service}.service")


def archives(folder: Path, releases: Mapping[str, str] = RELEASES, instead: Mapping[str, str] | None = None) -> None:
    """
    Make archives as upstream packs them, with the lab's builds of the programs, and add their checksums to the others.

    `instead` has texts of programs that replace them, by name.
    """
    for name, version in releases.items():
        top = f"{name}-{version}.linux-{ARCHITECTURE[platform.machine()]}"
        archive = folder / f"{top}.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
            for program in PROGRAMS[name]:
                if not instead or program not in instead:
                    packed.add(command(program), f"{top}/{program}")
                    continue
                text = instead[program].encode()
                entry = tarfile.TarInfo(f"{top}/{program}")
                entry.mode, entry.size = 0o755, len(text)
                packed.addfile(entry, BytesIO(text))
        with (folder / "sha256sums.txt").open("a") as sums:
            sums.write(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}\n")


@contextmanager
def machine(folder: Path) -> Generator[Machine]:
    """Start one, and take away all of it; `folder` holds its log, and an empty place to mount its file system at."""
    root, log = folder / "root", folder / "log"
    root.mkdir(parents=True)
    if cgroups.is_unified():
        cgroups.delegate(cgroups.MOUNT)
    name = f"promfleet-machine-{uuid.uuid4().hex[:8]}"
    # A cpuset of version 1 takes no process until it is filled, and systemd has no use for it.
    groups = [hierarchy / name for hierarchy in cgroups.hierarchies() if hierarchy.name != "cpuset"]
    for group in groups:
        group.mkdir()
    entering = ["sh", "-c", _ENTER, "machine", *map(str, groups), "--"]
    entering += ["unshare", *_NAMESPACES, "--fork", "--kill-child", "sh", str(SCRIPT), str(root)]
    with log.open("ab") as output:
        holder = subprocess.Popen(entering, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        process = wait(lambda: _first(holder), "the machine did not start", log, seconds=20)
        started = Machine(process)
        wait(lambda: started.run("systemctl", "is-active", "lab.target").returncode == 0, "systemd", log, seconds=60)
        yield started
    finally:
        holder.kill()  # the kernel kills systemd with it, and all that is in its namespaces
        holder.wait(30)
        for group in groups:
            cgroups.clear(group)


def _first(holder: subprocess.Popen[bytes]) -> psutil.Process | None:
    """Give the first process in the namespaces once it is systemd."""
    assert holder.poll() is None, "the machine ended"
    children = psutil.Process(holder.pid).children()
    return next((child for child in children if child.name() == "systemd"), None)
