"""What holds of this repository, and how that is seen."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
"""The repository."""

pytest.register_assert_rewrite("tests.lab", "tests.render", "tests.rendered", "tests.unit")  # not their tests alone
