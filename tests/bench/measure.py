"""Whole processes, as the operating system accounts for them."""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """What one run of a command took, with all the processes that it waited for."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of user and system time."""
    memory: float
    """MiB of the largest single process; at least what this one held when it started it, which Linux counts too."""


class Command(NamedTuple):
    """A command to be measured."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


def run(command: Command) -> Cost:
    """Run a command once; raises `RuntimeError` with its words where it fails."""
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(
            command.arguments, env=dict(command.environment), stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command.name} answered {process.returncode}: {said.read()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def medians(commands: Sequence[Command], rounds: int) -> dict[str, Cost]:
    """Run all commands in turn, so that a slow moment meets each of them, and take each figure's median."""
    for command in commands:
        run(command)  # fills caches
    costs: dict[str, list[Cost]] = {command.name: [] for command in commands}
    for _ in range(rounds):
        for command in commands:
            costs[command.name].append(run(command))
    return {name: Cost(*map(statistics.median, zip(*found, strict=True))) for name, found in costs.items()}


def cpu(*pids: int) -> float:
    """Seconds that processes have computed so far; /proc knows them to the hundredth only, their clocks exactly."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)  # clock_getcpuclockid(3)


def resident(pid: int) -> dict[str, float]:
    """The MiB of a process by the kernel's names for them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {
        name: int(text.split()[0]) / 1024 for name, _, text in (line.partition(":") for line in lines) if "kB" in text
    }
