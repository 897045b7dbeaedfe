"""A fleet in two stacks, and what a stack refuses."""

import pytest

from fleet.client import PrometheusClient

from .checks import FORGOTTEN, assert_hub_agrees
from .clusters import Lab
from .fleets import HUB_STACK, two_stacks
from .stack import Stack, eventually
from .stacks import Stacks

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("past")]  # which test_thanos_history waits for


class TestTwoStacks:
    def test_give_the_same_as_one(self, lab: Lab, thanos: Stack, query: PrometheusClient) -> None:
        """
        Every cluster's pods are counted: eu1's agent has a token from the outputs of the hub's stack, us1's none.
        """
        eventually(lambda: assert_hub_agrees(lab, query), FORGOTTEN)


@pytest.mark.long
class TestRefusals:
    def test_ingestors_do_not_vanish_at_once(self, thanos: Stack, stacks: Stacks) -> None:
        """
        The update is refused that would take away all that have some sample.
        """
        fewer = two_stacks({"receive": {"replicas": 1, "replication": 1}})

        said = stacks.write(HUB_STACK, fewer[HUB_STACK]).pulumi("preview", fails=True)

        assert "3 ingestors can't become 1 at once" in said
        assert "Write 2," in said
