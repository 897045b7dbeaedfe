"""A machine with a real systemd on the lab's wire, which watches clusters as a stack says."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.cluster import WIRE
from lab.network import join
from tests.processes.machine import Machine, archives, machine

from .clusters import Lab
from .stack import Stack

ADDRESS = 100
"""The machine's on the wire; nodes have lower ones."""


def write(stack: Stack, folder: Path) -> str:
    """Write the machine's files as a user does, and return what was said."""
    command = ["fleet", "watcher", "write", "--stack", stack.name, str(folder)]
    done = subprocess.run(command, cwd=stack.root, env=stack.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Watching:
    """The machine, which is given what the stack says."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine, self.folder = machine, folder

    def install(self, stack: Stack) -> str:
        """Write the files, copy them and run the script that is among them."""
        write(stack, self.folder)
        here = self.machine.root / "root" / "watcher"
        subprocess.run(["cp", "-a", f"{self.folder}/.", str(here)], check=True)
        return self.machine.said("/root/watcher/install.sh", "--archives", "/root/archives")

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Ask its Prometheus on its loopback interface."""
        url = "http://127.0.0.1:9090/api/v1/query"
        answer = json.loads(self.machine.said("curl", "-sS", "--data-urlencode", f"query={promql}", url))
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def by(self, promql: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Give the values of a query by some of its labels."""
        return {
            tuple(one["metric"].get(label, "") for label in labels): float(one["value"][1])
            for one in self.query(promql)
        }


@contextmanager
def watching_machine(lab: Lab, stack: Stack, folder: Path) -> Generator[Watching]:
    """Start the machine on the wire of the lab, with routes to the pods of eu1 only; install what is needed."""
    with machine(folder / "machine") as started:
        join("watcher", started.process, str(WIRE[ADDRESS]))
        started.said("ip", "route", "add", lab.pod_network("eu1"), "via", lab.node_address("eu1"))
        for name in ("watcher", "archives"):
            (started.root / "root" / name).mkdir()
        archives(started.root / "root" / "archives")
        watching = Watching(started, folder / "written")
        watching.install(stack)
        yield watching
