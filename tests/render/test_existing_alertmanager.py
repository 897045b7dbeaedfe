"""Alertmanagers that exist already, as Prometheus' own tool sees them."""

import pytest

from fleet.validators import PROMTOOL, findings
from tests.unit.test_existing_alertmanager import fleet

from .promtool import Promtool

pytestmark = pytest.mark.render


@pytest.mark.parametrize("beside", [{}, {"alertmanager": {"receivers": {"quiet": {}}, "default": "quiet"}}])
def test_prometheus_takes_them(beside: dict[str, object], promtool: Promtool) -> None:
    """
    Promtool accepts their entries, alone and beside promfleet's.
    """
    assert findings(PROMTOOL, promtool.command, [fleet(**beside)]) == [[]]
