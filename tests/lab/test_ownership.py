"""Whose an object is: edits that would take one for another, and what belongs to others."""

import json
from collections.abc import Iterator

import pytest

from .clusters import Lab
from .fleets import AGENTS, AGENTS_ONLY, StackFile
from .stack import Stack
from .stacks import Stacks
from .workloads import NAMESPACE, ORACLE, exporter

pytestmark = pytest.mark.lab
STRANGERS = NAMESPACE
"""A namespace with a workload of somebody else's."""
PROTECTED = {"protect": True}


@pytest.fixture
def stranger(lab: Lab) -> Iterator[None]:
    lab.apply("us1", exporter("stranger", ORACLE, "15s"))
    yield
    lab.kubectl("us1", "-n", STRANGERS, "delete", "deployment/stranger", "configmap/stranger", "--wait=false")


class TestClusters:
    def test_one_is_not_renamed(self, standing: Stack, stacks: Stacks, notifying: StackFile) -> None:
        """
        Its objects would be taken for new ones and deleted as old ones: the preview says which name it has.
        """
        fleet = dict(notifying.fleet)
        fleet["clusters"] = {("us9" if name == "us1" else name): said for name, said in fleet["clusters"].items()}
        fleet["agents"] = {"eu1": {}, "us9": {}}
        fleet["alerts"] = {key: said for key, said in fleet["alerts"].items() if key != "maintenance"}

        said = stacks.write("dev", notifying._replace(fleet=fleet)).pulumi("preview", fails=True)

        assert "clusters.us9: this cluster is us1 in this stack's state already. Write us1 again" in said

    def test_two_are_not_swapped(self, standing: Stack, stacks: Stacks, notifying: StackFile) -> None:
        """
        Each would be taken for the other, without a difference in any object but one.
        """
        swapped = notifying.changed({"clusters": {"eu1": {"context": "us1"}, "us1": {"context": "eu1"}}})

        said = stacks.write("dev", swapped).pulumi("preview", fails=True)

        assert "promfleet.io/owner" in said
        assert "promfleet/organization/promfleet/dev/us1" in said

    def test_one_is_not_taken_by_another_stack(self, standing: Stack, stacks: Stacks) -> None:
        """
        The preview says whose it is.
        """
        agents = {name: {"hub": {"url": "https://hub.example/api/v1/write"}} for name in AGENTS}
        file = StackFile({**AGENTS_ONLY, "agents": agents}, {f"{name}Token": "made-up" for name in AGENTS})

        said = stacks.write("other", file).pulumi("preview", fails=True)

        assert "belongs to stack organization/promfleet/dev, as us1" in said


class TestNamespaces:
    def test_that_of_somebody_else_is_refused(
        self, lab: Lab, standing: Stack, stacks: Stacks, notifying: StackFile, stranger: None
    ) -> None:
        """
        It is neither labelled nor closed, and the message says how it may be used.
        """
        before = lab.kubectl("us1", "get", "namespace", STRANGERS, "-o", "json")
        taken = notifying.changed({"namespace": STRANGERS, "createNamespace": True})

        said = stacks.write("dev", taken).pulumi("preview", fails=True)

        assert f'clusters.us1: namespace "{STRANGERS}" exists, and is not this program\'s' in said
        assert "createNamespace: false" in said
        assert json.loads(lab.kubectl("us1", "get", "namespace", STRANGERS, "-o", "json")) == json.loads(before)


@pytest.fixture(scope="module")
def protected(stacks: Stacks, notifying: StackFile) -> Stack:
    [stack] = stacks.deploy({"dev": notifying.changed(PROTECTED)})
    return stack


class TestReplacement:
    def test_of_an_object_that_is_asked_for_leaves_it_there(self, lab: Lab, protected: Stack) -> None:
        """
        Old and new have one name: what is deleted afterwards would be the new one.
        """
        [urn] = [
            one["urn"]
            for one in protected.resources("us1")
            if one["type"].endswith(":NetworkPolicy") and one["inputs"]["metadata"]["name"] == "kube-state-metrics"
        ]

        protected.pulumi("up", "--yes", "--skip-preview", "--target-replace", urn)

        lab.kubectl("us1", "-n", "promfleet", "get", "networkpolicy", "kube-state-metrics")

    def test_of_a_protected_volume_is_refused(
        self, lab: Lab, protected: Stack, stacks: Stacks, notifying: StackFile
    ) -> None:
        """
        Whatever is edited or asked for, what it holds stays.
        """
        [urn] = [one["urn"] for one in protected.resources("us1") if one["type"].endswith(":PersistentVolumeClaim")]
        before = lab.kubectl("us1", "-n", "promfleet", "get", "pvc", "-o", "jsonpath={.items[*].metadata.uid}")

        said = protected.pulumi("up", "--yes", "--skip-preview", "--target-replace", urn, fails=True)

        assert "protect" in said
        moved = notifying.changed({**PROTECTED, "namespace": "elsewhere", "createNamespace": True})
        assert "protect" in stacks.write("dev", moved).pulumi("preview", fails=True)
        after = lab.kubectl("us1", "-n", "promfleet", "get", "pvc", "-o", "jsonpath={.items[*].metadata.uid}")
        assert after == before
