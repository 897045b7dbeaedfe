"""
A node: a process that holds namespaces, and the components that live in them.

Nothing is remembered about processes: the holder is found by its exact command line, which names the lab's folder,
and the components are its descendants. So a crash or a reboot leaves no stale record, and ending the holder ends all.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

from .cluster import Cluster

HOLD = ("unshare", "--fork", "--kill-child", "--net")
NODE = (*HOLD, "--pid", "--mount", "--mount-proc", "--uts")

T = TypeVar("T")


class LabError(Exception):
    """The lab can't do what was asked; says what is wrong and what to do."""


def node_holder(cluster: Cluster) -> list[str]:
    """Give the command that holds a node's namespaces."""
    return [*NODE, "sh", str(cluster.home / "holder.sh"), cluster.name, str(cluster.home)]


def running(is_meant: Callable[[psutil.Process], bool]) -> Iterator[psutil.Process]:
    """
    Every process that is meant.

    `psutil.process_iter` would take one for the earlier one with its id, and then refuse to signal it.
    """
    for pid in psutil.pids():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if is_meant(process):
                yield process


def find(command: Sequence[str]) -> psutil.Process | None:
    """Find the process with exactly this command line."""
    return next(running(lambda process: process.cmdline() == list(command)), None)


def held(command: list[str]) -> psutil.Process | None:
    """Give the first process inside the namespaces that `command` holds, if it runs."""
    holder = find(command)
    try:
        return next(iter(holder.children()), None) if holder else None
    except psutil.NoSuchProcess:
        return None


def hold(command: list[str], log: Path) -> psutil.Process:
    """Start a holder unless it runs, and give the first process inside."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if not find(command):
        with log.open("ab") as output:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    return wait(lambda: held(command), f"{command[-2]} did not start", log, seconds=10)


def release(command: list[str]) -> None:
    """End a holder and, through the kernel, everything in its namespaces; returns when all is gone."""
    holder = find(command)
    if not holder:
        return
    members = [holder, *holder.children(recursive=True)]
    for member in members:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    wait(lambda: not any(map(lives, members)), f"{command[-2]} did not end", seconds=30)


def lives(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that only waits for its parent's attention does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def in_network(process: psutil.Process, *command: str) -> list[str]:
    """Give a command as it is run in the network of a held process."""
    return ["nsenter", "--target", str(process.pid), "--net", "--", *command]


def in_namespaces(process: psutil.Process, *command: str) -> list[str]:
    """Give a command as it is run in all namespaces of a node."""
    return ["nsenter", "--target", str(process.pid), "--pid", "--mount", "--uts", "--net", "--", *command]


def components(process: psutil.Process) -> dict[str, psutil.Process]:
    """Give a node's components by the name of their command; its first process adopts the shims of its pods too."""
    found = {}
    for child in process.children():
        try:
            command = child.cmdline()
        except psutil.NoSuchProcess:
            continue
        if command and (name := Path(command[0]).name) != "containerd-shim-runc-v2":
            found[name] = child
    return found


def ensure(process: psutil.Process, command: list[str], environment: dict[str, str], logs: Path) -> bool:
    """
    Start a component unless it runs with just this command; one that runs with another is ended first.

    Returns whether it was started.
    """
    name = Path(command[0]).name
    running = components(process).get(name)
    if running:
        if running.cmdline() == command:
            return False
        running.kill()
        running.wait(10)
    with (logs / f"{name}.log").open("ab") as output:
        run(in_namespaces(process, "setsid", "--fork", *command), environment=environment, output=output.fileno())
    return True


def run(
    command: list[str], *, given: str = "", environment: dict[str, str] | None = None, output: int = subprocess.PIPE
) -> str:
    """Run a command to its end and return what it said; LabError with its complaint when it fails."""
    done = subprocess.run(
        command,
        input=given,
        env=os.environ | (environment or {}),
        stdout=output,
        stderr=subprocess.STDOUT if output != subprocess.PIPE else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        complaint = (done.stderr or done.stdout or "").strip()[-2000:]
        raise LabError(f"`{' '.join(command)}` failed with {done.returncode}: {complaint}")
    return done.stdout or ""


def wait(probe: Callable[[], T | None], failure: str, log: Path | None = None, seconds: float = 60) -> T:
    """Ask until there is an answer; LabError with the end of `log` when there is none in time."""
    end = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > end:
            raise LabError(f"{failure} within {seconds:.0f} s" + tail(log))
        time.sleep(0.2)
    return answer


def tail(log: Path | None) -> str:
    if not log or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-8:]
    return f"; the end of {log}:\n  " + "\n  ".join(lines)
