"""The program of the dev stack for a number of clusters, without an engine: `python -m tests.bench.program 16`."""

import base64
import json
import runpy
import sys
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2

from .stack_files import ROOT, dev


class NoFunctions(pulumi.runtime.Mocks):
    """The program calls no function of a provider, and its resources are the engine's."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(args.typ)

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(args.token)


class Engine(MockMonitor):
    """Accepts everything and remembers nothing. Decodes nothing, as an engine does that in a process of its own."""

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 — the base class names it so
        if request.type == "kubernetes:core/v1:Secret":
            request.object["data"] = {"token": base64.b64encode(b"token").decode()}
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        # What is read is the namespace whose UID is the cluster's.
        request.properties["metadata"] = {"name": request.id, "uid": request.name}
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)


def main(clusters: int) -> None:
    """Run the program once, until every registration has arrived."""
    pulumi.runtime.set_all_config({"promfleet:fleet": json.dumps(dev(clusters))})
    mocks = NoFunctions()
    pulumi.runtime.set_mocks(mocks, project="promfleet", stack="bench", preview=False, monitor=Engine(mocks))
    program = str(ROOT / "__main__.py")
    pulumi.runtime.test(lambda: runpy.run_path(program))()


if __name__ == "__main__":
    main(int(sys.argv[1]))
