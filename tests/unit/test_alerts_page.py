"""The list of alerts that people read."""

import re

import pytest

from alerts import ALERTS, Alert, tuning_key
from alerts.page import FILE, text


def test_the_list_is_that_of_the_catalogue() -> None:
    """
    `python -m alerts.page` was run after the last change of an alert.
    """
    written = FILE.read_text(encoding="utf-8")

    assert written == text(written)


@pytest.mark.parametrize(
    "alert",
    [rule for rules in ALERTS.values() for rule in rules],
    ids=lambda alert: "-".join((tuning_key(alert), *alert.labels.values())),
)
def test_every_alert_has_a_row_in_plain_words(alert: Alert) -> None:
    """
    With its severity and its threshold, a link to its runbook, and no template left.
    """
    head = rf"\| \[{alert.name}\]\(.+\) \| {alert.severity} \| {alert.for_} \|"
    (row,) = re.findall(rf"^{head}.*$", FILE.read_text(encoding="utf-8"), re.MULTILINE)

    assert alert.threshold is None or f"{alert.threshold.value:.12g} (" in row
    assert "{{" not in row
    assert "*cluster*" in row
