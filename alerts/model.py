"""What the catalogue of rules is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["critical", "warning", "info", "none"]
"""`none` is never sent to people: heartbeats, and alerts that only inhibit others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Threshold:
    """A number that the stack file may set, and its bounds."""

    value: float
    least: float
    most: float
    unit: Literal["ratio", "seconds", "count", "bytes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """
    An alerting rule; its expression keeps `cluster`.

    Several rules may have one name: they differ in severity or in `labels`. `$threshold` in the expression and in the
    texts is replaced by the threshold's value.
    """

    name: str
    expr: str
    for_: str = "0s"
    """How long the expression must hold (`for`)."""
    severity: Severity
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels, other than severity and team, that distinguish rules of one name."""
    threshold: Threshold | None = None
    jobs: tuple[str, ...] = ()
    """Scrape jobs that it can't do without; where a platform has none of one of them, there is no such alert."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A recording rule, named `level:metric:operations`; its expression keeps `cluster`."""

    name: str
    expr: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Rules that are evaluated one after the other: records before the alerts that use them."""

    name: str
    """Name of the rule file, of the group and of the page in docs/runbooks."""
    records: tuple[Record, ...] = ()
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Inhibition:
    """An inhibition rule: while the source fires, alerts of the same cluster that match the target notify nobody."""

    source: str
    """Matchers as Alertmanager writes them: all that a stranger could choose is named."""
    target: str
    equal: tuple[str, ...] = ()
    """Labels, other than `cluster`, that must be equal."""
