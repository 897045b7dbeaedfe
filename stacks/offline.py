"""
The program without an engine: what `pulumi up` would ask for in a stack that holds nothing yet.

No secret is known. In the place of each stands a text that says where it comes from, and as the program hands values
on, so does that text: whatever holds a secret says itself which one that is.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime import MockCallArgs, MockResourceArgs, rpc
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import Stack

from settings import Fleet, secrets

from .deploy import deploy_sections

STACK = "pulumi:pulumi:Stack"
STACK_REFERENCE = "pulumi:pulumi:StackReference"
GOOGLE_ACCOUNT = "gcp:serviceaccount/account:Account"
KUBERNETES = "kubernetes:"
TOKEN_SECRET = "kubernetes.io/service-account-token"


class ProgramError(Exception):
    """What `pulumi up` would end with."""


class Secret(NamedTuple):
    """A value that is not told."""

    origin: str
    """Where it comes from."""


class Unknown(NamedTuple):
    """A value that nobody knows before the stack is deployed."""


class Registered(NamedTuple):
    """A resource that a provider would make."""

    kind: str
    """Pulumi's type, such as `kubernetes:core/v1:Secret`."""
    name: str
    """Pulumi's name."""
    provider: str
    """Name of its provider, which is the cluster's where it is an object of Kubernetes."""
    inputs: dict[str, Any]
    """As they would be sent, keys in the order of the alphabet; a `Secret` or `Unknown` may stand for any value."""


class Program(NamedTuple):
    """What one run of the program came to."""

    resources: list[Registered]
    """In no order."""
    outputs: struct_pb2.Struct
    """What it exports, as another stack's reference reads it."""


def run(fleet: Fleet, stack: str, others: Mapping[str, struct_pb2.Struct]) -> Program:
    """
    Run the program for a fleet, whose stack is `<organization>/<project>/<stack>`.

    `others` has the outputs of stacks that it may refer to, by names of the same form; what it takes from another one
    is unknown. Raises `ProgramError` where the program refuses to go on.
    """
    # Pulumi keeps its settings by context and its event loop by thread: those of a new one are nobody else's.
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(_run, fleet, stack, others).result()
        except pulumi.RunError as error:
            raise ProgramError(str(error)) from None


def _run(fleet: Fleet, full_name: str, others: Mapping[str, struct_pb2.Struct]) -> Program:
    organization, project, stack = full_name.split("/")
    keys = {f"{project}:{key}": f"secret {project}:{key} of the stack" for key in secrets.needed(fleet.draft)}
    recorder = Recorder({full_name: struct_pb2.Struct(), **others})
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        pulumi.runtime.set_all_config(keys, [*keys])
        pulumi.runtime.set_mocks(
            _NoFunctions(), project, stack, preview=True, monitor=recorder, organization=organization
        )
        pulumi.runtime.test(lambda: _exporting(lambda: deploy_sections(fleet)))()
    return Program(recorder.resources, recorder.outputs)


def referred(fleet: Fleet) -> list[str]:
    """Name the stacks whose outputs a fleet takes, as `<organization>/<project>/<stack>`."""
    hubs = [agent.hub.stack for agent in fleet.agents.values() if agent.hub and agent.hub.stack]
    return [*dict.fromkeys([*hubs, *(fleet.thanos.shared_with if fleet.thanos else ())])]


def _exporting(program: Callable[[], None]) -> None:
    program()
    root = pulumi.runtime.get_root_resource()
    if isinstance(root, Stack):
        root.register_outputs(root.outputs)


class _NoFunctions(pulumi.runtime.Mocks):
    """The program calls none of its providers' functions."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(f"{args.typ} is left to the monitor")

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(f"{args.token} needs a provider")


class Recorder(MockMonitor):
    """Answers as the engine does in a preview, and with what is certain of what is new."""

    def __init__(self, stacks: Mapping[str, struct_pb2.Struct]) -> None:
        super().__init__(_NoFunctions())
        self.stacks = stacks
        self.resources: list[Registered] = []
        self.outputs = struct_pb2.Struct()

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802 — Pulumi's name
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.custom and not request.type.startswith("pulumi:"):
            # A reference to a provider is its URN and its id.
            provider = request.provider.split("::")[3]
            inputs = _plain(struct_pb2.Value(struct_value=request.object))
            self.resources.append(Registered(request.type, request.name, provider, inputs))
            _foresee(request.type, request.object, provider)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)

    def ReadResource(self, request: Any) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        properties = request.properties
        if request.type == STACK_REFERENCE:
            known = self.stacks.get(request.id)
            outputs = struct_pb2.Value(string_value=rpc.UNKNOWN)
            if known is not None:
                outputs = struct_pb2.Value(struct_value=known)
                properties["secretOutputNames"] = [key for key, value in known.fields.items() if _holds_secret(value)]
            properties.fields["outputs"].CopyFrom(outputs)
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=properties)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if f"::{STACK}::" in request.urn:
            self.outputs = request.outputs
        return super().RegisterResourceOutputs(request)


def _foresee(kind: str, properties: struct_pb2.Struct, cluster: str) -> None:
    """Add what the cluster, or Google, is known to make of a new object."""
    if kind == "kubernetes:core/v1:Secret" and "type" in properties and properties["type"] == TOKEN_SECRET:
        metadata = properties["metadata"]
        origin = f"key token of Secret {metadata['namespace']}/{metadata['name']} in cluster {cluster}"
        properties["data"] = {"token": base64.b64encode(origin.encode()).decode()}
    if kind == GOOGLE_ACCOUNT:
        properties["email"] = f"{properties['accountId']}@{properties['project']}.iam.gserviceaccount.com"


def _plain(value: struct_pb2.Value, *, secret: bool = False) -> Any:
    """Take a value out of its message; of a secret structure every leaf is a `Secret`."""
    if _is_secret(value):
        return _plain(value.struct_value.fields["value"], secret=True)
    match value.WhichOneof("kind"):
        case "struct_value":
            fields = value.struct_value.fields
            return {key: _plain(fields[key], secret=secret) for key in sorted(fields)}
        case "list_value":
            return [_plain(item, secret=secret) for item in value.list_value.values]
        case "string_value" if value.string_value == rpc.UNKNOWN:
            return Unknown()
        case "number_value" if value.number_value.is_integer():
            found = int(value.number_value)
        case "null_value" | None:
            found = None
        case kind:
            found = getattr(value, kind)
    return Secret(str(found)) if secret else found


def _is_secret(value: struct_pb2.Value) -> bool:
    signature = value.struct_value.fields.get(rpc._special_sig_key)
    return signature is not None and signature.string_value == rpc._special_secret_sig


def _holds_secret(value: struct_pb2.Value) -> bool:
    fields = value.struct_value.fields.values()
    return _is_secret(value) or any(map(_holds_secret, [*fields, *value.list_value.values]))
