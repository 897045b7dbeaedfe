"""In which order the lab's tests run: those that leave traces come after those that would have to wait."""

from pathlib import Path

import pytest

ORDER = (
    "test_hostile_targets",  # needs no cluster, and runs while they start
    "test_fleet",  # counts pods; those of a Prometheus that restarts are counted twice for five minutes
    "test_render",  # only looks
    "test_open",
    "test_neighbours",
    "test_catalogue",  # wants a fleet in which nothing was wrong for ten minutes
    "test_access",
    "test_incidents",
    "test_changes",
    "test_ownership",
    "test_failures",  # rolls the agent of a cluster
    "test_loss",
    "test_lab_itself",
    "test_destroy",
    "test_standalone",
    "test_examples",  # wants clusters with nothing of ours
    "test_thanos_catalogue",  # begins a past that the Compactor works on while other tests run
    "test_thanos_tenants",
    "test_thanos_roles",
    "test_thanos_history",
    "test_two_stacks",  # ends with the dev stack
)
"""Modules; nothing but time depends on it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the lab's tests first, so that they wait for their clusters while others run beside them."""
    here = Path(__file__).parent
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.parent == here else len(ORDER))
