"""What `make up` leaves, and these tests do."""

import pytest

from .fleets import DEV
from .stacks import Stacks

pytestmark = pytest.mark.lab


class TestDevStack:
    def test_is_deployed_again(self, stacks: Stacks) -> None:
        """
        Whatever was deployed before, it is at rest after one update.
        """
        [dev] = stacks.deploy({"dev": DEV})

        assert "unchanged" in dev.pulumi("preview", "--expect-no-changes")
