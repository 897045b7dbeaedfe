"""A fleet in two stacks, and what is left when a stack is destroyed."""

import pytest

from .stack import DEV, Stack, eventually, project, stack_file
from .test_fleet import pods

pytestmark = pytest.mark.lab
FLEET = DEV["config"]["promfleet:fleet"]
KINDS = (
    "namespaces,clusterroles,clusterrolebindings,persistentvolumes,serviceaccounts,roles,rolebindings,configmaps,"
    "secrets,services,statefulsets,deployments,daemonsets,pods,networkpolicies,persistentvolumeclaims"
)


def left(lab):
    """Everything of ours that stands in any cluster."""
    return {
        cluster: found
        for cluster in FLEET["clusters"]
        if (
            found := lab.kubectl(cluster, "get", KINDS, "-A", "-l", "app.kubernetes.io/part-of=promfleet", "-o", "name")
        )
    }


@pytest.fixture(scope="module")
def destroyed(lab, deployed):
    """The dev stack is destroyed, and stands again for whoever comes next."""
    deployed.destroy()
    yield
    lab.connect()
    deployed.up()


class TestDestroy:
    def test_leaves_nothing_in_any_cluster(self, lab, destroyed):
        """
        Neither namespaced nor cluster-wide objects stay.
        """
        assert left(lab) == {}


@pytest.fixture(scope="module")
def stacks(lab, destroyed, tmp_path_factory):
    """The hub in one stack and an agent in another; afterwards nothing of either is left."""
    lab.connect()
    folder = project(tmp_path_factory.mktemp("stacks"))
    common = {"scrape": FLEET["scrape"]}
    hub = {
        **common,
        "clusters": {"hub": FLEET["clusters"]["hub"]},
        "hub": FLEET["hub"] | {"agents": ["eu1"]},
    }
    eu1 = {
        **common,
        "clusters": {"eu1": FLEET["clusters"]["eu1"]},
        "agents": {"eu1": {"hub": {"stack": "organization/promfleet/hub"}}},
    }
    for name, fleet in (("hub", hub), ("eu1", eu1)):
        stack_file(folder / f"Pulumi.{name}.yaml", fleet)
    stacks = [Stack(name, lab.env, folder) for name in ("hub", "eu1")]
    for stack in stacks:
        stack.up()
    yield stacks
    for stack in reversed(stacks):
        stack.destroy()
    assert left(lab) == {}


class TestTwoStacks:
    def test_give_the_same_as_one(self, lab, stacks, hub_of):
        """
        The identity made in the hub's stack lets the other stack's agent in: both clusters' pods are counted.
        """
        with hub_of(stacks[0]) as hub:

            def assert_counted():
                told = {
                    (s.labels["cluster"], s.labels["namespace"]): int(s.value)
                    for s in hub.query("sum(kube_pod_info) by (cluster, namespace)")
                }
                assert told == {(c, ns): n for c in ("hub", "eu1") for ns, n in pods(lab, c).items()}

            eventually(assert_counted)

    def test_show_no_changes_afterwards(self, stacks):
        """
        What was read from the other stack is stable.
        """
        for stack in stacks:
            stack.pulumi("preview", "--expect-no-changes")
