"""The stack files that this repository ships, before the real engine and a real API server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import NAMES

from .clusters import Lab
from .stack import ROOT, Stack, project
from .stacks import Stacks

pytestmark = pytest.mark.lab
EXAMPLES = sorted(file.name.split(".")[1] for file in ROOT.glob("Pulumi.*.yaml"))
OTHER = "hub"
"""The stack that an agents' stack of the examples refers to."""
EXPORTED: dict[str, Any] = {
    "hub": {
        "writeUrl": "https://hub.example/api/v1/write",
        "ca": "",
        "caConfigMap": "",
        "protocol": "2.0",
        "audiences": {"eu1": "https://hub.example"},
    },
}


def lent(cluster: str) -> str:
    """Name the lab's cluster that stands for one of an example: the one of that name, or else the hub's."""
    return cluster if cluster in NAMES else "hub"


@pytest.fixture
def kubeconfig(lab: Lab, tmp_path: Path) -> Path:
    """Lead every context that an example names to a cluster of the lab."""
    config = yaml.safe_load(lab.kubeconfig.read_text())
    known = {context["name"]: context["context"] for context in config["contexts"]}
    for name in EXAMPLES:
        fleet = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]["promfleet:fleet"]
        for cluster, said in fleet["clusters"].items():
            known.setdefault(said["context"], known[lent(cluster)])  # several examples may name one
    config["contexts"] = [{"name": name, "context": context} for name, context in known.items()]
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def bare(lab: Lab, stacks: Stacks) -> Iterator[None]:
    """Clusters with nothing of ours; the lab's own namespace, which a test may delete, comes back."""
    stacks.deploy({})
    yield
    lab.connect()


def export(stack: Stack, outputs: dict[str, Any]) -> None:
    """Give a stack outputs, without deploying anything."""
    name = f"promfleet-{stack.name}"
    urn = f"urn:pulumi:{stack.name}::promfleet::pulumi:pulumi:Stack::{name}"
    state = json.loads(stack.pulumi("stack", "export"))
    state["deployment"]["resources"] = [
        {"urn": urn, "type": "pulumi:pulumi:Stack", "custom": False, "outputs": outputs},
    ]
    file = stack.root / "state.json"
    file.write_text(json.dumps(state))
    stack.pulumi("stack", "import", "--file", str(file))


class TestExamples:
    @pytest.mark.parametrize(
        "name", [pytest.param(name, marks=() if name == OTHER else pytest.mark.long) for name in EXAMPLES]
    )
    def test_are_previewed(self, lab: Lab, bare: None, kubeconfig: Path, tmp_path: Path, name: str) -> None:
        """
        In clusters with nothing of ours the engine, the provider and the API server refuse none of their objects.
        """
        folder = tmp_path / "project"
        folder.mkdir()
        project(folder)
        (tmp_path / "backend").mkdir()
        backend = f"file://{tmp_path}/backend?metadata=skip"
        environment = {**lab.env, "KUBECONFIG": str(kubeconfig), "PULUMI_BACKEND_URL": backend}
        if name != OTHER:
            export(Stack(OTHER, environment, folder), EXPORTED)
        file = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())
        fleet = file["config"]["promfleet:fleet"]
        for cluster in fleet["clusters"] if fleet.get("createNamespace", True) else ():
            lab.kubectl(lent(cluster), "delete", "namespace", "promfleet")
        file["encryptionsalt"] = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["encryptionsalt"]
        (folder / f"Pulumi.example-{name}.yaml").write_text(yaml.safe_dump(file))

        said = Stack(f"example-{name}", environment, folder).pulumi("preview")

        assert "to create" in said
