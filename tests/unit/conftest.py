import asyncio
import base64
import json
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import jsonschema
import kubernetes_validate
import pulumi
import pytest
import yaml
from jsonschema.protocols import Validator
from kubernetes_validate.utils import all_versions, major_minor, schema_contents
from pulumi.runtime import MockCallArgs, MockResourceArgs, rpc
from pulumi.runtime.mocks import MockMonitor

from settings.loading.schema import stack_file_schema
from settings.operator import definitions
from tests.unit.kinds import GOOGLE_ACCOUNT, NAMESPACE, STACK, STACK_REFERENCE
from tests.unit.schemas.renew import closed

hypothesis.settings.register_profile("unhurried", deadline=None)  # how long an example takes is not what is tested
hypothesis.settings.load_profile("unhurried")

OWN_STACK = "organization/promfleet/test"
TOKEN, AUTHORITY = "issued-by-the-cluster", "certificate-of-the-cluster"
SCHEMAS = Path(__file__).parent / "schemas"
"""Closed ones of custom resources; Kubernetes' own are kubernetes_validate's."""
OPERATED = {
    definition["spec"]["names"]["kind"]: {
        f"{definition['spec']['group']}/{version['name']}": jsonschema.Draft202012Validator(
            closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
        )
        for version in definition["spec"]["versions"]
    }
    for definition in definitions()
}
"""Kind of the Prometheus Operator's -> version -> a closed schema of its `spec`, of what the program installs."""
_PUBLISHED = list(dict.fromkeys(map(major_minor, all_versions())))
RELEASES = _PUBLISHED[_PUBLISHED.index("1.29") :]
"""Of Kubernetes: the supported ones, as docs/kubernetes.md names them, up to the newest whose schemas are known."""


_NAMES_OF_GOOGLE = ("name", "accountId")
"""What Google knows most resources by; those without are parts of others."""


class Identity(NamedTuple):
    """What a cluster knows an object by, or Google a resource."""

    cluster: str
    kind: str
    namespace: str
    name: str


class Engine(pulumi.runtime.Mocks):
    """Stands in for the Pulumi engine: remembers what it was asked to make and refuses what no test expects."""

    def __init__(self) -> None:
        self.resources: list[MockResourceArgs] = []
        self.waits: list[tuple[str, str, str]] = []
        """Kind, name and time-out of whatever was registered; an empty one is the provider's own ten minutes."""
        self.protected: list[tuple[str, bool]] = []
        """Kind of whatever was registered, and whether it may not be deleted."""
        self.retained: list[tuple[str, bool]] = []
        """Kind of whatever was registered, and whether its provider is not told of its deletion."""
        self.dependencies: dict[tuple[str, str], set[str]] = {}
        """Kind and name of whatever was registered -> the names of what has to be there before."""
        self.identities: dict[Identity, set[str]] = {}
        """Whatever was registered -> its URN, and those of its aliases, by which a state may have it."""
        self.error_hooks: list[tuple[str, str]] = []
        """Kind of whatever was registered, and what is called when it fails."""
        self.stacks: dict[str, dict[str, Any]] = {OWN_STACK: {}}
        """Outputs of the stacks that a program may refer to, by `organization/project/stack`; its own of last time."""
        self.monitor = Monitor(self)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == NAMESPACE and args.resource_id:
            return args.resource_id, {"metadata": {"name": args.resource_id, "uid": f"uid-of-{args.name}"}}
        self.resources.append(args)
        outputs = dict(args.inputs)
        if args.typ == STACK_REFERENCE:
            outputs["outputs"] = self.stacks[args.inputs["name"]]
        if outputs.get("type") == "kubernetes.io/service-account-token":
            issued = {"token": TOKEN, "ca.crt": AUTHORITY}
            outputs["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in issued.items()}
        if args.typ == GOOGLE_ACCOUNT:
            outputs["email"] = f"{args.inputs['accountId']}@{args.inputs['project']}.iam.gserviceaccount.com"
        return f"{args.name}-id", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise NotImplementedError(f"no test expects {args.token} to be called")

    def stand_in(self) -> None:
        """Take the one place that Pulumi has for an engine, from whichever stood there before."""
        organization, project, stack = OWN_STACK.split("/")
        pulumi.runtime.set_mocks(self, project, stack, preview=False, monitor=self.monitor, organization=organization)

    def deploy(self, program: Callable[[], object]) -> "Engine":
        """Run a program until every registration has arrived; what an earlier one asked for is forgotten."""
        self.stand_in()
        lists = (self.resources, self.waits, self.protected, self.retained, self.error_hooks, self.monitor.urns)
        for remembered in (*lists, self.identities, self.monitor.known):
            remembered.clear()

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
    def objects(self) -> list[dict[str, Any]]:
        """What stands in the clusters, with the secrets in it in plain text."""
        return [plain(r.inputs) for r in self.resources if r.typ.startswith("kubernetes:")]

    @property
    def registered(self) -> list[str]:
        """URNs of everything that was registered, components included."""
        return [urn for urn in self.monitor.urns if f"::{STACK}::" not in urn]


class Monitor(MockMonitor):
    """Tells its engine how long the program would wait for what it registers, and refuses equal URNs."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine
        self.urns: list[str] = []
        self.known: dict[str, set[str]] = {}
        """URN -> itself, and its aliases with those that it inherits."""

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Build a URN of the types of all parents but the stack, as Pulumi does; of each there may be one."""
        parents = parent.split("::")[2] if parent else STACK
        urn = super().make_urn("", type_ if parents == STACK else f"{parents}${type_}", name)
        self.urns.append(urn)
        if self.urns.count(urn) > 1:  # registrations arrive in several threads: the later one finds both
            raise RuntimeError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
        return urn

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 — the base class names it so
        kind = request.type.rpartition(":")[2]
        self.engine.waits.append((kind, request.name, request.customTimeouts.create))
        self.engine.protected.append((kind, request.protect))
        self.engine.retained.append((kind, request.retainOnDelete))
        self.engine.dependencies[kind, request.name] = {urn.rpartition("::")[2] for urn in request.dependencies}
        self.engine.error_hooks.append((kind, ", ".join(request.hooks.on_error)))
        answer = super().RegisterResource(request)
        self.known[answer.urn] = {answer.urn, *self.aliases(request)}
        inputs = rpc.deserialize_properties(request.object)
        provider = request.provider.rpartition("::")[0].rpartition("::")[2]  # of its URN and id
        if request.type.startswith("kubernetes:"):
            metadata = inputs["metadata"]
            identity = Identity(provider, request.type, metadata.get("namespace", ""), metadata["name"])
            self.engine.identities[identity] = self.known[answer.urn]
        elif name := next((inputs[key] for key in _NAMES_OF_GOOGLE if key in inputs), None):
            self.engine.identities[Identity(provider, request.type, "", name)] = self.known[answer.urn]
        return answer

    def aliases(self, request: Any) -> Iterator[str]:
        """Resolve aliases as the engine does: a child's name that begins with its parent's follows its aliases."""
        specs = [alias.spec for alias in request.aliases]
        names = [(request.parent, request.type, request.name)]
        for spec in specs:
            parent = "" if spec.noParent else spec.parentUrn or request.parent
            names.append((parent, spec.type or request.type, spec.name or request.name))
        for parent, kind, name in names:
            before = parent.rpartition("::")[2]
            for known in self.known.get(parent, {parent}):
                after = known.rpartition("::")[2]
                own = f"{after}{name.removeprefix(before)}" if before and name.startswith(before) else name
                parents = known.split("::")[2] if known else STACK
                yield super().make_urn("", kind if parents == STACK else f"{parents}${kind}", own)


def secret(value: Any) -> Any:
    """Take a value out of its wrapper; one that would stand in the state in plain text has none, and fails."""
    assert value.get(rpc._special_sig_key) == rpc._special_secret_sig, f"{value} is no secret"
    return value["value"]


def plain(value: Any) -> Any:
    """Take every secret within out of its wrapper."""
    if isinstance(value, dict):
        return plain(secret(value)) if rpc._special_sig_key in value else {k: plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def validate(objects: Collection[dict[str, Any]], releases: Collection[str] = (RELEASES[0], RELEASES[-1])) -> None:
    """Fail with the complaint of an API server that would refuse, or silently drop, a part of an object."""
    assert objects
    for item in objects:
        check_mounts(item)
        if item["kind"] in OPERATED:
            validators = OPERATED[item["kind"]]
            validators[item["apiVersion"]].validate(item["spec"])
            continue
        file = SCHEMAS / f"{item['kind']}.json"
        if not file.exists():
            for release in releases:
                kubernetes_validate.validate(item, release, strict=True)
            continue
        published = json.loads(file.read_text())
        assert published["apiVersion"] == item["apiVersion"]
        jsonschema.Draft202012Validator(published["spec"]).validate(item["spec"])


def check_mounts(item: dict[str, Any]) -> None:
    """Fail if a container mounts what its pod does not have, which no schema says, or none mounts a volume of it."""
    spec = item.get("spec", {})
    pod = spec if item["kind"] in OPERATED else spec.get("template", {}).get("spec", {})
    containers = [*pod.get("containers", ()), *pod.get("initContainers", ())]
    mounted = {mount["name"] for one in containers for mount in one.get("volumeMounts", ())}
    mounted |= {mount["name"] for mount in pod.get("volumeMounts", ())}
    had = {volume["name"] for volume in pod.get("volumes", ())}
    had |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())}
    assert had <= mounted, f"{item['kind']} {item['metadata']['name']}: no container mounts {had - mounted}"
    if item["kind"] not in OPERATED:
        assert mounted <= had, f"{item['kind']} {item['metadata']['name']}: there is no volume {mounted - had}"


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.stand_in()
    return engine


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Contexts of three clusters."""
    file = tmp_path_factory.mktemp("kube") / "config"
    write_kubeconfig(file, "hub", "eu1", "us1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(file))
        yield


def write_kubeconfig(file: Path, *contexts: str) -> None:
    """Give each context an API server of its own."""
    servers = {name: f"https://{re.sub(r'[^A-Za-z0-9.-]', '-', name)}.example:6443" for name in contexts}
    document = {
        "contexts": [{"name": name, "context": {"cluster": name}} for name in contexts],
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in servers.items()],
    }
    file.write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module", autouse=True)
def event_loop_is_there() -> None:
    """Pulumi takes the thread's own, which is gone once anybody called `asyncio.run`."""
    asyncio.set_event_loop(asyncio.new_event_loop())


@pytest.fixture(scope="session")
def stack_files() -> Validator:
    """What an editor checks stack files with, read and judged once."""
    schema = stack_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="session", autouse=True)
def schemas_read_once() -> Iterator[None]:
    """Kubernetes' schemas are megabytes of JSON, which kubernetes_validate would read anew for each object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kubernetes_validate.utils.schema_contents", cache(schema_contents))
        yield
