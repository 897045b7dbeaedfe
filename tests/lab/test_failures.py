"""What is said of pods and volumes that do not come up, by `fleet status` and by `pulumi up`."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from settings.object_labels import PART_OF

from .clusters import Lab
from .fleets import FLEET, StackFile
from .stack import Stack, eventually
from .stacks import Stacks
from .workloads import IMAGE

pytestmark = pytest.mark.lab
CLUSTER = "us1"
PRIVILEGED = "promfleet-node-exporter"
Status = Callable[[], str]


def second_exporter() -> dict[str, Any]:
    """A pod that wants the port that node-exporter has."""
    container = {"name": "exporter", "image": IMAGE, "ports": [{"containerPort": 9100, "hostPort": 9100}]}
    metadata = {"name": "second-exporter", "namespace": PRIVILEGED, "labels": PART_OF}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def impossible_claim() -> dict[str, Any]:
    """A volume of a class that nobody has made."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "impossible", "namespace": PRIVILEGED, "labels": PART_OF},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "nope",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }


def quota() -> dict[str, Any]:
    """Whoever makes a pod must say how much CPU it may have at most."""
    metadata = {"name": "cpu", "namespace": "promfleet"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"limits.cpu": "1m"}}}


@pytest.fixture
def status(standing: Stack) -> Status:
    """Run `fleet status` as who deployed the stack, and return what it printed."""

    def run() -> str:
        command = ["fleet", "status", "--stack", standing.name, "--wait", "0"]
        done = subprocess.run(
            command, cwd=standing.root, env=standing.environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    return run


@pytest.fixture
def broken_objects(lab: Lab, standing: Stack) -> Iterator[None]:
    lab.apply(CLUSTER, [second_exporter(), impossible_claim()])
    yield
    lab.kubectl(CLUSTER, "-n", PRIVILEGED, "delete", "pod/second-exporter", "pvc/impossible", "--grace-period=1")


@pytest.fixture
def limited(lab: Lab, standing: Stack) -> Iterator[None]:
    """Let no new pod into the namespace."""
    lab.apply(CLUSTER, [quota()])
    yield
    lab.kubectl(CLUSTER, "-n", "promfleet", "delete", "resourcequota/cpu")


class TestStatus:
    def test_lists_no_problems_of_a_healthy_fleet(self, status: Status) -> None:
        """
        No line of any cluster stands below the table.
        """

        def assert_silent() -> None:
            clusters = tuple(f"{name}: " for name in FLEET["clusters"])
            assert [line for line in status().splitlines() if line.startswith(clusters)] == []

        eventually(assert_silent, seconds=120)

    def test_names_the_port_and_the_storage_class(self, status: Status, broken_objects: None) -> None:
        """
        In the words of the scheduler and of the volume controller.
        """

        def assert_said() -> None:
            said = status()
            assert f"{CLUSTER}: pod {PRIVILEGED}/second-exporter: " in said
            assert "didn't have free ports for the requested pod ports" in said
            assert f"{CLUSTER}: volume claim {PRIVILEGED}/impossible: ProvisioningFailed: " in said
            assert '"nope" not found' in said

        eventually(assert_said, seconds=60)


@pytest.mark.long
class TestUpdate:
    def test_says_what_a_quota_refuses(
        self, stacks: Stacks, notifying: StackFile, status: Status, limited: None
    ) -> None:
        """
        Beside the engine's own error, which knows of a time-out; and `fleet status` says it afterwards.
        """
        planned = {name: FLEET["clusters"][name]["series"] for name in (CLUSTER, "hub")}
        moved = {
            CLUSTER: {"series": planned[CLUSTER] + 1000},
            "hub": {"series": planned["hub"] - 1000},
        }  # the hub rests

        said = stacks.write("dev", notifying.changed({"rolloutTimeout": "20s", "clusters": moved})).up(fails=True)

        assert "StatefulSet promfleet/prometheus-agent: has 0 of 1 pods; FailedCreate: " in said
        assert "failed quota: cpu: must specify limits.cpu" in said
        assert f"{CLUSTER}-statefulset" in said
        assert "failed quota: cpu: must specify limits.cpu" in status()
