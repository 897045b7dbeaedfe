"""The list of alerts that people read."""

import re

import pytest

from alerts import ALERTS, Alert
from alerts.page import FILE, text


def test_the_list_is_that_of_the_catalogue() -> None:
    """
    `python -m alerts.page` was run after the last change of an alert.
    """
    written = FILE.read_text(encoding="utf-8")

    assert written == text(written)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_every_alert_has_a_row_in_plain_words(alert: Alert) -> None:
    """
    With its severity and its threshold, a link to its runbook, and no template left.
    """
    (row,) = re.findall(rf"^\| \[{alert.name}\]\(.+\) \|.*$", FILE.read_text(encoding="utf-8"), re.MULTILINE)

    assert f"| {alert.severity} | {alert.for_} |" in row
    assert alert.threshold is None or f"{alert.threshold.value:.12g} (" in row
    assert "{{" not in row
    assert "*cluster*" in row
