"""What all tests share: the fixtures of the lab, which only those start that ask for them, and who runs what."""

import gc

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Here, and not in tests/__init__.py, since the programs of tests/bench are measured without pytest.
pytest.register_assert_rewrite("tests.lab", "tests.render", "tests.rendered", "tests.unit")  # not their tests alone
pytest_plugins = ["tests.lab.fixtures", "tests.lab.thanos_fixtures"]


class ByModule(LoadScopeScheduling):
    """A module's tests run in one process, and so do all of those that share the lab's clusters."""

    def _split_scope(self, nodeid: str) -> str:
        return "lab" if nodeid.startswith("tests/lab/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByModule:
    return ByModule(config, log)


def pytest_collection_finish() -> None:
    """Collect garbage rarely, and never what imports made, which stays: a quarter of the unit tests' time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_unconfigure() -> None:
    """Collect nothing at the end, where asyncio would print every error that a test has provoked and not read."""
    gc.freeze()
