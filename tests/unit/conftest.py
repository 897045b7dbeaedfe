import base64
from collections.abc import Callable
from typing import Any

import hypothesis
import pulumi
import pytest
from pulumi.runtime import MockCallArgs, MockResourceArgs, rpc, settings
from pulumi.runtime.mocks import MockMonitor

hypothesis.settings.register_profile("unhurried", deadline=None)  # how long an example takes is not what is tested
hypothesis.settings.load_profile("unhurried")

TOKEN = "issued-by-the-cluster"


class Engine(pulumi.runtime.Mocks):
    """Stands in for the Pulumi engine: remembers what it was asked to make and refuses what no test expects."""

    def __init__(self) -> None:
        self.resources: list[MockResourceArgs] = []
        self.waits: list[tuple[str, str, str]] = []
        """Kind, name and time-out of whatever was registered; an empty one is the provider's own ten minutes."""
        self.stacks: dict[str, dict[str, Any]] = {}
        """Outputs of the stacks that a program may refer to, by `organization/project/stack`."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(args)
        outputs = dict(args.inputs)
        if args.typ == "pulumi:pulumi:StackReference":
            outputs["outputs"] = self.stacks[args.inputs["name"]]
        if outputs.get("type") == "kubernetes.io/service-account-token":
            outputs["data"] = {"token": base64.b64encode(TOKEN.encode()).decode()}
        return f"{args.name}-id", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(f"no test expects {args.token} to be called")

    def deploy(self, program: Callable[[], object]) -> "Engine":
        """Run a program until every registration has arrived."""

        @pulumi.runtime.test
        def run() -> None:
            program()

        run()
        return self

    def all(self, typ: str) -> list[MockResourceArgs]:
        return [resource for resource in self.resources if resource.typ == typ]

    def one(self, typ: str, name: str | None = None) -> MockResourceArgs:
        """Return the single resource of a type, or the single one of it that has this name in the cluster."""
        [found] = [r for r in self.all(typ) if name in (None, r.inputs["metadata"]["name"])]
        return found

    @property
    def registered(self) -> list[str]:
        """URNs of everything that was registered, components included."""
        monitor = settings.get_monitor()
        assert isinstance(monitor, MockMonitor)
        return list(monitor.get_registered_resources())


def secret(value: Any) -> Any:
    """Take a value out of its wrapper; one that would stand in the state in plain text has none, and fails."""
    assert value.get(rpc._special_sig_key) == rpc._special_secret_sig, f"{value} is no secret"
    return value["value"]


def plain(value: Any) -> Any:
    """Take every secret within out of its wrapper."""
    if isinstance(value, dict):
        return plain(secret(value)) if rpc._special_sig_key in value else {k: plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    pulumi.runtime.set_mocks(engine, project="promfleet", stack="test", preview=False)
    monitor = settings.get_monitor()
    assert isinstance(monitor, MockMonitor)
    register = monitor.RegisterResource

    def remember(request: Any) -> Any:
        engine.waits.append((request.type.rpartition(":")[2], request.name, request.customTimeouts.create))
        return register(request)

    monkeypatch.setattr(monitor, "RegisterResource", remember)
    return engine
