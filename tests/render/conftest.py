import pytest

from .promtool import Promtool


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    return Promtool()
