"""What is left of a fleet that is destroyed."""

import pytest

from .clusters import Lab
from .fleets import AGENTS_STACK, FLEET
from .stack import Stack
from .stacks import Stacks

pytestmark = pytest.mark.lab


class TestDestroy:
    def test_leaves_nothing_in_any_cluster(self, lab: Lab, thanos: Stack, stacks: Stacks) -> None:
        """
        Neither namespaced nor cluster-wide objects stay, and what was there before does, also if the engine is killed.
        """
        stacks.stacks[AGENTS_STACK].kill("destroy", after=20)
        stacks.deploy({})

        assert lab.left() == {}
        for cluster in FLEET["clusters"]:
            lab.kubectl(cluster, "-n", "promfleet", "get", "configmap", "hub-ca")
