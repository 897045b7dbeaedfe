"""A machine with a real systemd: one of its own as the first process of its own namespaces."""

import subprocess
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil

from lab import cgroups
from lab.node import wait

SCRIPT = Path(__file__).with_name("machine.sh")
_ENTER = 'for group; do [ "$group" = -- ] && break; echo $$ >"$group/cgroup.procs"; shift; done; shift; exec "$@"'
_NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")


class Machine:
    """What can be done on it."""

    def __init__(self, process: psutil.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def root(self) -> Path:
        """Its file system, as this machine sees it."""
        return Path(f"/proc/{self._process.pid}/root")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        inside = ["nsenter", "--target", str(self._process.pid), *_NAMESPACES, "--root", "--wd", "--", *command]
        return subprocess.run(inside, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def said(self, *command: str) -> str:
        """Give what a command that succeeds prints."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def property(self, service: str, name: str) -> str:
        """Give a property of a unit of the watcher's."""
        return self.said("systemctl", "show", "--property", name, "--value", f"promfleet-{service}.service")


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
    command = ["sh", "-c", _ENTER, "machine", *map(str, groups), "--"]
    command += ["unshare", *_NAMESPACES, "--fork", "--kill-child", "sh", str(SCRIPT), str(root)]
    with log.open("ab") as output:
        holder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        process = wait(lambda: _first(holder), "the machine did not start", log, seconds=20)
        started = Machine(process, log)
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
