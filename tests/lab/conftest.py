"""In which order the lab's tests run, and what begins before the module that waits for it."""

from pathlib import Path

import pytest

from .clusters import Bringup

ORDER = (
    "test_two_stacks",  # begins a past that the Compactor works on while other tests run
    "test_thanos_roles",
    "test_thanos_tenants",
    "test_lab_itself",
    "test_thanos_history",
    "test_thanos_catalogue",
    "test_destroy",
    "test_standalone",
    "test_surroundings",  # changes the stack of test_standalone
    "test_watcher",
    "test_examples",  # wants clusters with nothing of ours
    "test_migrations",  # leaves the definitions of the operator
    "test_applications",  # changes the stack of test_operator
    "test_operator",  # leaves its definitions
    "test_first_update",  # begins with the dev stack, which stays to the end
    "test_render",  # only looks, while what happened before leaves the rules' memory
    "test_open",  # likewise
    "test_fleet",  # counts pods; those of a Prometheus that restarts are counted twice for five minutes
    "test_neighbours",
    "test_access",  # begins what test_catalogue looks for: workloads that fail, so that nothing is calm any more
    "test_incidents",
    "test_catalogue",
    "test_loss",
    "test_changes",
    "test_ownership",  # takes what previews said that ran beside those above
    "test_failures",
    "test_control_plane",  # changes the dev stack
    "test_sharding",  # begins and ends with the dev stack
    "test_dev_stack",
)
"""
Modules; nothing but time depends on it.

Those that need the same stacks stand together, and those that wait longest come last of them.
"""


@pytest.fixture(scope="session", autouse=True)
def start(bringup: Bringup) -> None:
    """Start the clusters before the first test, which needs none."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the lab's tests first, so that they wait for their clusters while others run beside them."""
    here = Path(__file__).parent
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.parent == here else len(ORDER))
