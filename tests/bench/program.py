"""The program of the dev stack for a number of clusters, under mocks: `python -m tests.bench.program 16`."""

import base64
import json
import runpy
import sys
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs

from .stack_files import ROOT, dev


class Engine(pulumi.runtime.Mocks):
    """Accepts everything and remembers nothing."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.resource_id:  # what is read is the namespace whose UID is the cluster's
            return args.resource_id, {"metadata": {"name": args.resource_id, "uid": args.name}}
        token = {"data": {"token": base64.b64encode(b"token").decode()}}
        return args.name, {**args.inputs, **(token if args.typ == "kubernetes:core/v1:Secret" else {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(args.token)


def main(clusters: int) -> None:
    """Run the program once, until every registration has arrived."""
    pulumi.runtime.set_all_config({"promfleet:fleet": json.dumps(dev(clusters))})
    pulumi.runtime.set_mocks(Engine(), project="promfleet", stack="bench", preview=False)
    program = str(ROOT / "__main__.py")
    pulumi.runtime.test(lambda: runpy.run_path(program))()


if __name__ == "__main__":
    main(int(sys.argv[1]))
