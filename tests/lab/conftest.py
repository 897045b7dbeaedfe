"""The lab as the tests of this folder use it; it is brought up once, and stays up for the next run."""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import NAMES, known, state
from lab.connect import authority_file, connect
from lab.environment import environment
from lab.kubectl import apply, kubectl
from lab.node import held, inside, node_holder
from lab.parts import PARTS
from lab.up import up

from .stack import Stack

pytest_plugins = ["tests.lab.fixtures"]


class Lab:
    """Three clusters on this machine."""

    def __init__(self) -> None:
        self.state = state()
        self.env = os.environ | environment()
        self.kubeconfig = Path(self.env["KUBECONFIG"])
        self.ca = authority_file()
        self._clusters = {cluster.name: cluster for cluster in known()}

    def node_address(self, cluster: str) -> str:
        return self._clusters[cluster].node

    def kubectl(self, cluster: str, *arguments: str) -> str:
        """Run kubectl and return what it printed; `LabError` with its complaint where it fails."""
        return kubectl(*arguments, context=cluster, kubeconfig=self.kubeconfig)

    def apply(self, cluster: str, objects: Iterable[dict[str, Any]]) -> None:
        for item in objects:
            apply(json.dumps(item), context=cluster, kubeconfig=self.kubeconfig)

    def create_again(self, cluster: str, stack: Stack) -> None:
        """
        Try to create what a stack has in a cluster as the provider would after an update that was killed.

        Its objects are known to no state then, and are applied under another manager's name, which is refused where
        the server has added to what the first one said. Secrets are left out: the state has no plain text of them.
        """
        made = [r["inputs"] for r in stack.resources(cluster) if r["type"] != "kubernetes:core/v1:Secret"]
        assert made
        applying = ("apply", "--server-side", "--dry-run=server", "--field-manager=after-a-crash", "--filename=-")
        kubectl(*applying, context=cluster, kubeconfig=self.kubeconfig, given="\n".join(map(json.dumps, made)))

    def connect(self) -> None:
        """Put the hub's certificate and the route to it back, which go with the namespace of a destroyed stack."""
        connect(NAMES, self.kubeconfig)

    def enter(self, cluster: str, *command: str) -> int:
        """Run a command in the network of a cluster's node and return its exit code."""
        node = held(node_holder(self._clusters[cluster]))
        assert node, f"{cluster} does not run"
        return subprocess.run(inside(node, *command), check=False).returncode


@pytest.fixture(scope="session")
def lab() -> Lab:
    up(NAMES, PARTS)
    return Lab()
