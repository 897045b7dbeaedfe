"""The lab's clusters, the stacks in them, and what runs there beside: fixtures of `tests/lab` and `tests/faults`."""

import sys
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
import yaml

from fleet.client import PrometheusClient
from lab.cluster import WIRE
from settings import Fleet

from . import fleets, subjects
from .clusters import CLUSTERS, Bringup, Lab
from .fleets import FLEET, StackFile
from .refusals import REFUSALS, Refusal
from .stack import Stack
from .stacks import Stacks
from .webhook import Webhook
from .workloads import NAMESPACE, ORACLE, exporter

JAVA = "java"
"""The lab's part that has the image of a Java program."""
OPERATOR = "operator"
"""The lab's part that has the image of the Prometheus Operator."""
THANOS = "thanos"
"""The lab's part that has the images of Thanos and the object store."""
UPGRADE = "upgrade"
"""The lab's part that has the images of the operator's release before."""


@pytest.fixture(scope="session")
def bringup(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bringup:
    """Start what the tests of this session will ask of the lab, the clusters first."""
    asked = {fixture for item in request.session.items for fixture in getattr(item, "fixturenames", ())}
    log = tmp_path_factory.mktemp("lab") / "up.log"
    return Bringup(log, [part for part in (JAVA, OPERATOR, THANOS, UPGRADE) if f"{part}_parts" in asked])


def wait_for(config: pytest.Config, bringup: Bringup, part: str) -> None:
    """Wait for a part of the lab, and show what is said meanwhile: the first time it is built, for half an hour."""
    capture = config.pluginmanager.getplugin("capturemanager")
    for line in bringup.said(part):
        with capture.global_and_fixture_disabled():
            print(f"\nlab: {line.rstrip()}", end="", flush=True, file=sys.stderr)  # pytest-xdist passes it on


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config, bringup: Bringup) -> Lab:
    wait_for(pytestconfig, bringup, CLUSTERS)
    return Lab()


@pytest.fixture(scope="session")
def webhook(lab: Lab) -> Iterator[Webhook]:
    """Who is told of alerts."""
    with Webhook(str(WIRE[1])) as server:
        yield server


@pytest.fixture(scope="session")
def stacks(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """Whatever stands in the lab; at the end that is the dev stack, as `make up` leaves it."""
    stacks = Stacks(lab, tmp_path_factory.mktemp("project"))
    yield stacks
    stacks.deploy({"dev": fleets.DEV})


@pytest.fixture(scope="session")
def notifying(webhook: Webhook) -> StackFile:
    """The dev stack's file, with receivers that listen."""
    return fleets.notifying({name: webhook.url(name) for name in ("platform", "shop", "heart")})


@pytest.fixture(scope="session")
def fleet(lab: Lab, notifying: StackFile) -> Fleet:
    """The same as the program deploys it."""
    return Fleet.model_validate(lab.with_issuers(notifying).fleet)


@pytest.fixture
def deployed(stacks: Stacks, notifying: StackFile) -> Stack:
    """The dev stack, with receivers that listen; every cluster reports."""
    [stack] = stacks.deploy({"dev": notifying})
    return stack


@pytest.fixture
def standing(stacks: Stacks, notifying: StackFile) -> Stack:
    """The dev stack as the test before left it, for those that do not care what its file said."""
    return stacks.stacks["dev"] if stacks.stand("dev") else stacks.deploy({"dev": notifying})[0]


@pytest.fixture
def hub(deployed: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    with stacks.open_prometheus(deployed) as hub:
        yield hub


@pytest.fixture
def operate(deployed: Stack, stacks: Stacks) -> Generator[httpx.Client]:
    """Alertmanager, as who is on call reaches it."""
    with stacks.open_alertmanager(deployed) as operate:
        yield operate


@pytest.fixture(scope="session")
def aside() -> Iterator[ThreadPoolExecutor]:
    """Does one thing after the other, beside the tests."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def alone(aside: ThreadPoolExecutor) -> None:
    """Nothing that was begun runs beside the tests any more."""
    aside.submit(int).result()


@pytest.fixture(scope="session")
def refused(
    lab: Lab,
    stacks: Stacks,
    notifying: StackFile,
    oracle: str,
    aside: ThreadPoolExecutor,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Future[str]]:
    """What previews say of edits of the dev stack's file, which stands; they run beside the tests."""
    stacks.deploy({"dev": notifying})
    edited = Stacks(lab, tmp_path_factory.mktemp("edited"))

    def preview(refusal: Refusal) -> str:
        return edited.write(refusal.stack, refusal.edit(notifying)).pulumi("preview", fails=True)

    return {what: aside.submit(preview, refusal) for what, refusal in REFUSALS.items()}


@pytest.fixture(scope="session")
def unchanged(
    lab: Lab,
    stacks: Stacks,
    notifying: StackFile,
    aside: ThreadPoolExecutor,
    tmp_path_factory: pytest.TempPathFactory,
) -> Future[str]:
    """What a preview beside the tests says to somebody whose kubeconfig lies elsewhere, and in several files."""
    [dev] = stacks.deploy({"dev": notifying})
    folder = tmp_path_factory.mktemp("somebody")
    whole = yaml.safe_load(lab.kubeconfig.read_text())
    files = [folder / "contexts", folder / "rest"]
    files[0].write_text(yaml.safe_dump({**whole, "clusters": [], "users": []}))
    files[1].write_text(yaml.safe_dump({**whole, "contexts": []}))
    somebody = Stack(dev.name, {**lab.env, "KUBECONFIG": ":".join(map(str, files))}, stacks.folder)
    return aside.submit(somebody.pulumi, "preview", "--expect-no-changes")


@pytest.fixture(scope="session")
def furnished(lab: Lab) -> Iterator[None]:
    """eu1 with one of everything."""
    made = list(subjects.objects())
    lab.apply("eu1", made)
    yield
    kinds = {f"{item['kind']}/{item['metadata']['name']}" for item in made if item["kind"] != "Namespace"}
    lab.kubectl("eu1", "-n", NAMESPACE, "delete", "--wait=false", "--ignore-not-found", *sorted(kinds))


@pytest.fixture(scope="session")
def oracle(lab: Lab) -> Iterator[str]:
    """Name the Deployment, in every cluster, of a counter that is scraped every second."""
    for cluster in FLEET["clusters"]:
        lab.apply(cluster, exporter("oracle", ORACLE, "1s"))
    yield "oracle"
    for cluster in FLEET["clusters"]:
        lab.kubectl(cluster, "delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="session")
def java_parts(lab: Lab, pytestconfig: pytest.Config, bringup: Bringup) -> None:
    """The image of a Java program in every cluster."""
    wait_for(pytestconfig, bringup, JAVA)


@pytest.fixture(scope="session")
def operator_parts(lab: Lab, pytestconfig: pytest.Config, bringup: Bringup) -> None:
    """The images of the Prometheus Operator in every cluster."""
    wait_for(pytestconfig, bringup, OPERATOR)


@pytest.fixture(scope="session")
def upgrade_parts(lab: Lab, pytestconfig: pytest.Config, bringup: Bringup) -> None:
    """The images of the operator's release before in every cluster."""
    wait_for(pytestconfig, bringup, UPGRADE)


@pytest.fixture
def operated(stacks: Stacks, operator_parts: None) -> Stack:
    """The dev stack's fleet, of which the operator runs the hub and the agent of eu1; every cluster reports."""
    [stack] = stacks.deploy({fleets.OPERATOR_STACK: fleets.OPERATOR})
    return stack
