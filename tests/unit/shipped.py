"""What the stack files of this repository make."""

from pathlib import Path

import pytest

from settings import from_file
from stacks import deploy
from tests import ROOT
from tests.unit.conftest import Engine, write_kubeconfig

OTHER_STACK = {
    "hub": {"writeUrl": "https://hub.example:8443/api/v1/write", "ca": "", "caConfigMap": "", "protocol": "2.0"},
    "writerTokens": {"eu1": "from-the-other-stack"},
}
"""What the hub's stack exports."""


def deploy_shipped(folder: Path) -> dict[str, Engine]:
    """Deploy each stack file into an engine of its own, with a kubeconfig in this folder."""
    engines = {}
    for file in sorted(ROOT.glob("Pulumi.*.yaml")):
        described = from_file(file)
        kubeconfig = folder / file.name
        write_kubeconfig(kubeconfig, *(cluster.context for cluster in described.clusters.values()))
        engines[file.name] = engine = Engine()
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBECONFIG", str(kubeconfig))
            engine.deploy(lambda described=described: deploy(described))
    return engines
