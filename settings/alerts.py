"""What a stack says about its alerts: thresholds, teams, maintenance; the alerts themselves are in `alerts`."""

from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field

from alerts import ALERTS, Severity

from .section import Many, Section, Table, empty
from .types import DnsLabel, Duration, HttpsUrl, Line, Moment, refused


def _is_known(name: str) -> str:
    if name not in ALERTS:
        near = get_close_matches(name, ALERTS, n=1)
        raise refused("is no alert", f'Did you mean "{near[0]}"?' if near else "docs/runbooks lists them all.")
    return name


AlertName = Annotated[str, AfterValidator(_is_known)]


class Tuning(Section):
    """What is different about one alert; what is left out stays as it is."""

    enabled: bool = True
    threshold: float | None = None
    """In the alert's own unit: a ratio of 1, seconds, bytes or a count."""
    wait: Annotated[Duration | None, Field(alias="for")] = None
    """How long the condition must hold."""
    severity: Severity | None = None
    team: DnsLabel | None = None


class Maintenance(Section):
    """A time in which a cluster's alerts notify nobody; they still fire, and are seen."""

    cluster: DnsLabel
    start: Moment
    until: Moment
    reason: Line


class Alerts(Section):
    """The alerts of every cluster that reports to the hub."""

    team: DnsLabel = "platform"
    """Who is responsible for an alert that names no other team; the label `team`."""
    runbooks: HttpsUrl | None = None
    """Where docs/runbooks is published, without a slash at the end; the annotation `runbook_url` starts with it."""
    rules: Table[AlertName, Tuning] = Field(default_factory=empty)
    """By the alert's name, for all clusters."""
    clusters: Table[DnsLabel, Table[AlertName, Tuning]] = Field(default_factory=empty)
    """By the cluster's and the alert's name; what stands here wins over `rules`."""
    maintenance: Many[Maintenance] = ()
