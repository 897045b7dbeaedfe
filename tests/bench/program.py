"""The dev stack's program for a given number of clusters, under mocks: `python -m tests.bench.program 16`."""

import base64
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import MockCallArgs, MockResourceArgs

from settings import Fleet
from stacks import deploy

DEV = Path(__file__).parents[2] / "Pulumi.dev.yaml"


class Engine(pulumi.runtime.Mocks):
    """Accepts everything and remembers nothing."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        token = {"data": {"token": base64.b64encode(b"token").decode()}}
        return args.name, {**args.inputs, **(token if args.typ == "kubernetes:core/v1:Secret" else {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(args.token)


def fleet(clusters: int) -> Fleet:
    """The dev stack's hub, and an agent in every further cluster."""
    section = yaml.safe_load(DEV.read_text())["config"]["promfleet:fleet"]
    names = [f"c{number}" for number in range(1, clusters)]
    section["clusters"] = {"hub": section["clusters"]["hub"]} | {name: {"context": name} for name in names}
    section["agents"] = {name: {} for name in names}
    section["hub"]["storage"] = "1Ti"  # room for any number of clusters
    return Fleet.model_validate(section)


def main(clusters: int) -> None:
    """Run the program once, until every registration has arrived."""
    described = fleet(clusters)
    with tempfile.NamedTemporaryFile("w", suffix=".kubeconfig") as kubeconfig:
        yaml.safe_dump({"contexts": [{"name": c.context} for c in described.clusters.values()]}, kubeconfig)
        kubeconfig.flush()
        os.environ["KUBECONFIG"] = kubeconfig.name
        pulumi.runtime.set_mocks(Engine(), project="promfleet", stack="bench", preview=False)
        pulumi.runtime.test(lambda: deploy(described))()


if __name__ == "__main__":
    main(int(sys.argv[1]))
