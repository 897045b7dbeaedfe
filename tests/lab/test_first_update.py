"""The dev stack in clusters with nothing of ours."""

import pytest

from .fleets import StackFile
from .stacks import Stacks

pytestmark = [pytest.mark.lab, pytest.mark.long]


class TestUpdate:
    def test_that_was_killed_in_its_middle_is_ended_by_another(self, stacks: Stacks, notifying: StackFile) -> None:
        """
        The program and the clusters agree at once.
        """
        stacks.deploy({})
        stacks.write("dev", notifying).kill("up", after=60)

        [dev] = stacks.deploy({"dev": notifying})

        assert "unchanged" in dev.pulumi("preview", "--expect-no-changes")
