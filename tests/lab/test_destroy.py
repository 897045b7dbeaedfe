"""What is left of a fleet that is destroyed."""

import pytest

from .clusters import Lab
from .stack import Stack
from .stacks import Stacks

pytestmark = pytest.mark.lab


class TestDestroy:
    def test_leaves_nothing_in_any_cluster(self, lab: Lab, deployed: Stack, stacks: Stacks) -> None:
        """
        Neither namespaced nor cluster-wide objects stay.
        """
        stacks.deploy({})

        assert lab.left() == {}
