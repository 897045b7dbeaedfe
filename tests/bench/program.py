"""The dev stack's program for a number of clusters, under mocks: `python -m tests.bench.program 16`."""

import base64
import sys
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
        if args.resource_id:  # what is read is the namespace whose UID is the cluster's
            return args.resource_id, {"metadata": {"name": args.resource_id, "uid": args.name}}
        token = {"data": {"token": base64.b64encode(b"token").decode()}}
        return args.name, {**args.inputs, **(token if args.typ == "kubernetes:core/v1:Secret" else {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(args.token)


def section(clusters: int) -> dict[str, Any]:
    """The dev stack's hub, and an agent in every further cluster."""
    fleet = yaml.safe_load(DEV.read_text())["config"]["promfleet:fleet"]
    names = [f"c{number}" for number in range(1, clusters)]
    fleet["clusters"] = {"hub": fleet["clusters"]["hub"]} | {name: {"context": name} for name in names}
    fleet["agents"] = {name: {} for name in names}
    fleet["hub"]["storage"] = "1Ti"  # room for any number of clusters
    return fleet


def main(clusters: int) -> None:
    """Run the program once, until every registration has arrived."""
    fleet = Fleet.model_validate(section(clusters))
    pulumi.runtime.set_mocks(Engine(), project="promfleet", stack="bench", preview=False)
    pulumi.runtime.test(lambda: deploy(fleet))()


if __name__ == "__main__":
    main(int(sys.argv[1]))
