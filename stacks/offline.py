"""
Runs the program without an engine: the resources that `pulumi up` would create in an empty stack.

No secret is known. Each is replaced by a text that names its origin. The program passes that text on as it would the
value, so that every object with a secret shows which one it is.
"""

import asyncio
import base64
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, rpc
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import Stack

from components.k8s.service_account import TOKEN
from settings import Fleet

from .deploy import deploy_sections
from .operators import DEFINITION

KUBERNETES = "kubernetes:"
STACK = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
GOOGLE_ACCOUNT = "gcp:serviceaccount/account:Account"
SECRET = "kubernetes:core/v1:Secret"

Outputs = Any
"""Outputs of a stack as a protobuf message of the engine, with marked secrets."""


class ProgramError(Exception):
    """The error that `pulumi up` would end with."""


class Secret(NamedTuple):
    """A value that Pulumi keeps encrypted."""

    origin: str
    """Its origin; of a value that is only secret by its place, such as a certificate in a Secret, the value itself."""


class Unknown(NamedTuple):
    """A value that is unknown before the stack is deployed."""


class Registered(NamedTuple):
    """A resource that a provider would create."""

    kind: str
    """Pulumi's type, such as `kubernetes:core/v1:Secret`."""
    name: str
    """Pulumi's name."""
    provider: str
    """Name of its provider: an object's cluster."""
    inputs: dict[str, Any]
    """Keys in alphabetical order; any value may be a `Secret` or `Unknown` instead."""


class Program(NamedTuple):
    """Result of one run of the program."""

    resources: list[Registered]
    """In no order."""
    outputs: Outputs


def run(fleet: Fleet, stack: str, others: Mapping[str, Outputs]) -> Program:
    """
    Run the program for a fleet, whose stack is `<organization>/<project>/<stack>`.

    `others` are the outputs of other stacks by such names; of a stack that is not among them all outputs are unknown.
    Raises `ProgramError` where the program ends with an error.
    """
    # Pulumi keeps settings per context and its event loop per thread, so that a new thread has its own.
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(_run, fleet, stack, others).result()
        except pulumi.RunError as error:
            raise ProgramError(str(error)) from None


def referred(fleet: Fleet) -> list[str]:
    """Return the stacks whose outputs a fleet needs, as `<organization>/<project>/<stack>`."""
    hubs = [writer.receiver.stack for writer in fleet.partial.outside_writers if writer.receiver.stack]
    return [*dict.fromkeys([*hubs, *(fleet.thanos.shared_with if fleet.thanos else ())])]


def _run(fleet: Fleet, full_name: str, others: Mapping[str, Outputs]) -> Program:
    organization, project, stack = full_name.split("/")
    keys = {f"{project}:{key}": f"secret {project}:{key} of stack {stack}" for key in fleet.secrets}
    recorder = Recorder(full_name, others)

    def program() -> None:
        deploy_sections(fleet)
        root = pulumi.runtime.get_root_resource()
        if isinstance(root, Stack):
            root.register_outputs(root.outputs)

    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        pulumi.runtime.set_all_config(keys, [*keys])
        pulumi.runtime.set_mocks(
            recorder.mocks, project, stack, preview=True, monitor=recorder, organization=organization
        )
        pulumi.runtime.test(program)()
    return Program(recorder.recorded, recorder.outputs)


class _NoFunctions(pulumi.runtime.Mocks):
    """The program calls no function of a provider."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(f"{args.typ} is the recorder's")

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(f"{args.token} needs a provider")


class Recorder(MockMonitor):
    """Answers as the engine does in the first preview of a stack, with outputs of new resources that are certain."""

    def __init__(self, stack: str, others: Mapping[str, Outputs]) -> None:
        super().__init__(_NoFunctions())
        self.stack = stack
        self.others = others
        self.recorded: list[Registered] = []
        self.outputs: Outputs = None

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 — the base class names it so
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.custom and not request.type.startswith("pulumi:"):
            provider = request.provider.split("::")[3]  # of its URN and id
            self.recorded.append(Registered(request.type, request.name, provider, _fields(request.object)))
            _foresee(request.type, request.object, provider)
        # Nothing reads outputs of definitions, which hold five sixths of all values of a stack with operators.
        outputs = None if request.type == DEFINITION else request.object
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=outputs)

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        properties = request.properties
        if request.type == STACK_REFERENCE:
            outputs = properties.fields["outputs"]
            if request.id == self.stack:
                outputs.struct_value.SetInParent()  # of an update before this one, of which there was none
            elif known := self.others.get(request.id):
                outputs.struct_value.CopyFrom(known)
                properties["secretOutputNames"] = [key for key, one in known.fields.items() if _holds_secret(one)]
            else:
                outputs.string_value = rpc.UNKNOWN
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=properties)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if f"::{STACK}::" in request.urn:
            self.outputs = request.outputs
        return super().RegisterResourceOutputs(request)


def _foresee(kind: str, properties: Any, cluster: str) -> None:
    """Add outputs to a new resource that the cluster, or Google, is known to set."""
    if kind == SECRET and "type" in properties and properties["type"] == TOKEN:
        metadata = properties["metadata"]
        place = f"of Secret {metadata['namespace']}/{metadata['name']} in cluster {cluster}"
        filled = {key: f"key {key} {place}" for key in ("token", "ca.crt")}
        properties["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in filled.items()}
    if kind == GOOGLE_ACCOUNT:
        properties["email"] = f"{properties['accountId']}@{properties['project']}.iam.gserviceaccount.com"


def _fields(struct: Any, *, secret: bool = False) -> dict[str, Any]:
    return {key: _plain(struct.fields[key], secret=secret) for key in sorted(struct.fields)}


def _plain(value: Any, *, secret: bool) -> Any:
    """Take a value out of its message; every leaf of a secret one is a `Secret`."""
    match value.WhichOneof("kind"):
        case "struct_value" if _is_secret(value):
            return _plain(value.struct_value.fields["value"], secret=True)
        case "struct_value":
            return _fields(value.struct_value, secret=secret)
        case "list_value":
            return [_plain(item, secret=secret) for item in value.list_value.values]
        case "string_value" if value.string_value == rpc.UNKNOWN:
            return Unknown()
        case "number_value" if value.number_value.is_integer():
            found = int(value.number_value)
        case "null_value":
            found = None
        case kind:
            found = getattr(value, kind)
    return Secret(str(found)) if secret else found


def _is_secret(value: Any) -> bool:
    signature = value.struct_value.fields.get(rpc._special_sig_key)
    return signature is not None and signature.string_value == rpc._special_secret_sig


def _holds_secret(value: Any) -> bool:
    return _is_secret(value) or any(map(_holds_secret, [*value.struct_value.fields.values(), *value.list_value.values]))
