import asyncio

import pulumi
import pytest

from live import UnreachableError
from settings import Cluster
from stacks import deploy, failures
from tests.unit.builders import HUB, fleet
from tests.unit.kinds import STATEFUL_SET
from tests.unit.test_troubles import PORT_TAKEN, READY, pod

US1 = Cluster(context="gke_us1")
LABELS = {"app.kubernetes.io/name": "prometheus-agent", "app.kubernetes.io/instance": "prometheus-agent"}
FAILED = pulumi.ErrorHookArgs(
    "urn",
    "",
    "us1-statefulset",
    STATEFUL_SET,
    new_inputs={"metadata": {"name": "prometheus-agent", "namespace": "promfleet", "labels": {**LABELS, "x": "y"}}},
    failed_operation="create",
    errors=["timed out waiting for the condition"],
)


@pytest.fixture
def shown(monkeypatch):
    """What the update shows as errors."""
    shown = []
    monkeypatch.setattr(pulumi.log, "error", shown.append)
    return shown


@pytest.fixture
def in_cluster(monkeypatch):
    """Let a cluster hold these objects, or raise."""

    def hold(*objects, error=None):
        async def look(cluster, namespaces):
            assert (cluster, namespaces) == (US1, ["promfleet"])
            if error:
                raise error
            return [*objects]

        monkeypatch.setattr(failures, "look", look)

    return hold


@pytest.fixture
def hook():
    """Call what is called when objects of us1 fail, one after the other; whether each is tried again."""

    def call(*failed):
        called = failures.failure_hook("us1", US1)

        async def run():
            return [await called(args) for args in failed]

        loop = asyncio.new_event_loop()  # `asyncio.run` would take away the thread's, which Pulumi needs
        try:
            return loop.run_until_complete(run())
        finally:
            loop.close()

    return call


def labelled(made, **labels):
    made["metadata"]["labels"] = {**LABELS, **labels}
    return made


class TestHook:
    def test_shows_what_the_cluster_says(self, hook, in_cluster, shown):
        """
        Of the pods of what failed, and of no other; nothing is tried again.
        """
        others = pod(PORT_TAKEN, "prometheus-hub-0")
        in_cluster(labelled(pod(PORT_TAKEN, "prometheus-agent-0")), others)

        assert hook(FAILED) == [False]
        assert shown == [
            "us1: pod promfleet/prometheus-agent-0: 0/1 nodes are available: 1 node(s) didn't have free ports for the "
            "requested pod ports."
        ]

    def test_says_how_what_is_gone_comes_back(self, hook, in_cluster, shown):
        """
        A claim that somebody deleted, or a destroy that was killed, is still in the state: plain updates leave it out.
        """
        gone = 'persistentvolumeclaim "prometheus-agent" not found'
        unscheduled = f"{{phase: Pending, conditions: [{{type: PodScheduled, status: 'False', message: '{gone}'}}]}}"
        in_cluster(labelled(pod(unscheduled, "prometheus-agent-0")))

        hook(FAILED)

        [said] = shown
        assert gone in said
        assert said.endswith("If this stack makes it, somebody has deleted it: run `pulumi up --refresh`")

    def test_says_a_thing_once(self, hook, in_cluster, shown):
        """
        The Service of a workload fails with it, for the same reason.
        """
        in_cluster(labelled(pod(PORT_TAKEN)))

        assert hook(FAILED, FAILED) == [False, False]
        assert len(shown) == 1

    def test_adds_nothing_where_nothing_is_wrong(self, hook, in_cluster, shown):
        """
        The engine's own error says it all: a field that another stack owns, a right that is missing.
        """
        in_cluster(labelled(pod(READY)))

        assert hook(FAILED) == [False]
        assert shown == []

    def test_says_that_it_could_not_look(self, hook, in_cluster, shown):
        """
        A cluster that does not answer.
        """
        in_cluster(error=UnreachableError("no answer within 15 s"))

        assert hook(FAILED) == [False]
        assert shown == ["us1: the reason why prometheus-agent fails can't be queried: no answer within 15 s"]

    @pytest.mark.parametrize(
        "args",
        [
            pulumi.ErrorHookArgs("urn", "", "us1-statefulset", STATEFUL_SET, failed_operation="delete"),
            pulumi.ErrorHookArgs("urn", "", "us1-statefulset", STATEFUL_SET, new_inputs={}, failed_operation="create"),
        ],
        ids=["deleted", "without metadata"],
    )
    def test_never_takes_the_place_of_the_error(self, hook, in_cluster, shown, args):
        """
        Whatever a hook raises, Pulumi shows instead of what failed.
        """
        in_cluster(error=RuntimeError("a bug"))

        assert hook(args, FAILED) == [False, False]
        assert shown == []


class TestProgram:
    def test_explains_everything_that_is_waited_for(self, engine, kubeconfig):
        """
        Each workload and Service of each cluster, by its own cluster's hook; nothing else has one.
        """
        engine.deploy(lambda: deploy(fleet(hub=HUB, agents={"eu1": {}})))

        hooks = {(kind, hook) for kind, hook in engine.error_hooks if hook}
        without = {kind for kind, hook in engine.error_hooks if not hook}
        kinds = {"StatefulSet", "Deployment", "DaemonSet", "Service"}
        assert hooks == {(kind, f"{name}-says-why") for kind in kinds for name in ("hub", "eu1")}
        assert without.isdisjoint(kinds)
