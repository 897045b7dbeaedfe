"""Whose an object is: edits that would take one for another, and what belongs to others."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait

import pytest

from .clusters import Lab
from .fleets import StackFile
from .refusals import REFUSALS
from .stack import Stack
from .stacks import Stacks
from .workloads import NAMESPACE

pytestmark = pytest.mark.lab
PROTECTED = {"protect": True}


class TestRefusals:
    @pytest.mark.parametrize("what", REFUSALS)
    def test_say_what_would_be_lost(self, refused: Mapping[str, Future[str]], what: str) -> None:
        """
        The preview refuses to take one thing for another, names the place and says what to write.
        """
        said = refused[what].result()

        assert [text for text in REFUSALS[what].said if text not in said] == []

    def test_leave_a_namespace_of_others_unchanged(self, lab: Lab, refused: Mapping[str, Future[str]]) -> None:
        """
        It is neither labelled nor closed.
        """
        wait(refused.values())

        labels = lab.kubectl("us1", "get", "namespace", NAMESPACE, "-o", "jsonpath={.metadata.labels}")
        assert json.loads(labels) == {"kubernetes.io/metadata.name": NAMESPACE}
        assert lab.kubectl("us1", "-n", NAMESPACE, "get", "networkpolicies", "-o", "name") == ""


@pytest.fixture(scope="module")
def protected(stacks: Stacks, notifying: StackFile, alone: None) -> Stack:
    [stack] = stacks.deploy({"dev": notifying.changed(PROTECTED)})
    return stack


@pytest.fixture
def elsewhere(stacks: Stacks, notifying: StackFile, protected: Stack) -> Iterator[Stack]:
    """The same stack, whose file names another namespace."""
    yield stacks.write("dev", notifying.changed({**PROTECTED, "namespace": "elsewhere", "createNamespace": True}))
    stacks.write("dev", notifying.changed(PROTECTED))


def volumes(lab: Lab) -> str:
    """UIDs of the volume claims in us1."""
    return lab.kubectl("us1", "-n", "promfleet", "get", "pvc", "-o", "jsonpath={.items[*].metadata.uid}")


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

    def test_of_a_protected_volume_is_refused(self, lab: Lab, protected: Stack) -> None:
        """
        Whatever is asked for, what it holds stays.
        """
        [urn] = [one["urn"] for one in protected.resources("us1") if one["type"].endswith(":PersistentVolumeClaim")]
        before = volumes(lab)

        said = protected.pulumi("up", "--yes", "--skip-preview", "--target-replace", urn, fails=True)

        assert "protect" in said
        assert volumes(lab) == before

    def test_by_another_namespace_is_refused_before_the_update(self, elsewhere: Stack) -> None:
        """
        The preview says that it would take the protected volumes.
        """
        assert "protect" in elsewhere.pulumi("preview", fails=True)
