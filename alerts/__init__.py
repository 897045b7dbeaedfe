"""The catalogue of recording and alerting rules: facts, one file per subject, that know nothing of a fleet."""

from .fleet import FLEET
from .model import Alert, Group, Record, Severity, Threshold

GROUPS: tuple[Group, ...] = (FLEET,)
"""Every group of rules, in the order of their files."""
ALERTS: dict[str, Alert] = {alert.name: alert for group in GROUPS for alert in group.alerts}
"""Every alert by its name."""

__all__ = ["ALERTS", "GROUPS", "Alert", "Group", "Record", "Severity", "Threshold"]
