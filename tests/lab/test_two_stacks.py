"""A fleet in two stacks, and what a stack refuses."""

import pytest

from fleet.hub import Hub

from .clusters import Lab
from .fleets import FLEET, HUB_STACK, WITH_THANOS, StackFile, two_stacks
from .stack import Stack, eventually
from .stacks import Stacks
from .test_fleet import FORGOTTEN, assert_hub_agrees

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("past")]  # which test_thanos_history waits for


class TestTwoStacks:
    def test_give_the_same_as_one(self, lab: Lab, thanos: Stack, query: Hub) -> None:
        """
        The identities made in the hub's stack let the other stack's agents in: every cluster's pods are counted.
        """
        eventually(lambda: assert_hub_agrees(lab, query), FORGOTTEN)


class TestRefusals:
    def test_ingestors_do_not_vanish_at_once(self, thanos: Stack, stacks: Stacks) -> None:
        """
        The update is refused that would take away all that have some sample.
        """
        fewer = two_stacks({"receive": {"replicas": 1, "replication": 1}})

        said = stacks.write(HUB_STACK, fewer[HUB_STACK]).pulumi("preview", fails=True)

        assert "3 ingestors can't become 1 at once" in said
        assert "Write 2," in said

    def test_a_bucket_is_kept_until_its_protection_is_lifted(self, stacks: Stacks) -> None:
        """
        Who takes Thanos out of the stack file is told so before anything is taken away.
        """
        without = {section: value for section, value in WITH_THANOS.items() if section != "thanos"}
        without |= {"clusters": {"hub": FLEET["clusters"]["hub"]}, "hub": {**WITH_THANOS["hub"], "replicas": 1}}

        said = stacks.write(HUB_STACK, StackFile(without)).pulumi("up", "--yes", fails=True)

        assert "gcp:storage/bucket:Bucket" in said
        assert "cannot be deleted" in said
        assert "protect" in said
        assert "deleted (" not in said
