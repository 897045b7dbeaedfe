"""Settings of alerts: thresholds, teams, maintenance windows; the alerts themselves are in `alerts`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, WithJsonSchema

from alerts import ALERTS, Severity

from .errors import Path, Problem, nearest
from .existing_alertmanager import ExistingAlertmanager
from .rule_files import RuleFile, RuleFiles
from .rule_tests import RuleTest, RuleTests, unknown_files
from .section import Many, Section, Table, empty, not_offered
from .types import DnsLabel, Duration, HttpsUrl, Line, Moment, instant, refused, untemplated

_LONGEST_WINDOW = timedelta(days=30)


def _is_known(name: str) -> str:
    if name not in ALERTS:
        if severities := [key for key in ALERTS if key.startswith(f"{name}/")]:
            raise refused("has rules of several severities", f"Write {' or '.join(severities)}.")
        raise refused("is not the name of an alert", nearest(name, ALERTS, "See docs/runbooks."))
    return name


def _has_no_slash(url: HttpsUrl) -> HttpsUrl:
    if url.endswith("/"):
        raise refused("ends with a slash", f"Write {url.rstrip('/')}.")
    return url


AlertName = Annotated[str, AfterValidator(_is_known), WithJsonSchema({"type": "string", "enum": sorted(ALERTS)})]
"""The name of an alert of the catalogue; `NAME/SEVERITY` where its rules have several severities."""


class Tuning(Section):
    """Overrides of one alert; fields that are left out keep the alert's own value."""

    enabled: bool = True
    """Whether the alert exists."""
    threshold: float | None = None
    """In the alert's own unit: a ratio of 1, seconds, bytes or a count."""
    for_: Annotated[Duration | None, Field(alias="for")] = None
    """How long the condition must hold."""
    severity: Severity | None = None
    """How urgent it is; with `none` the alert fires and is shown, and notifies nobody."""
    team: DnsLabel | None = None
    """Who is responsible; `alerts.team` if left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = not_offered(
        *("annotations", "description", "expr", "labels", "runbook_url", "summary"),
        instead="Remove it; or write a rule of yours, of another name, in a file of alerts.ruleFiles.",
    )

    def problems(self) -> Iterator[Problem]:
        """An alert that is disabled has no other overrides."""
        others = [field.alias or name for name, field in Tuning.model_fields.items() if name in self.model_fields_set]
        if not self.enabled and len(others) > 1:
            others.remove("enabled")
            instead = "Remove enabled, or all other keys."
            yield Problem((), f"sets {', '.join(others)} of an alert that enabled: false removes", instead)


class Maintenance(Section):
    """A window in which a cluster's alerts notify nobody; they still fire and are shown."""

    cluster: DnsLabel
    """The cluster under maintenance."""
    start: Moment
    """First moment of the window: "2026-11-21T20:00Z"."""
    until: Moment
    """Last moment, 30 days after the start at most: "2026-11-21T23:00Z". A window without an end would be forgotten."""
    reason: Annotated[Line, untemplated("Prometheus")]
    """Why; shown in the alert that fires during the window."""

    def problems(self) -> Iterator[Problem]:
        """A window ends after it begins, and soon."""
        length = instant(self.until) - instant(self.start)
        if length <= timedelta():
            yield Problem(("until",), f"is not after the start, {self.start}", "Write a later moment.", self.until)
        if length > _LONGEST_WINDOW:
            instead = "Write an earlier moment. To notify nobody of a cluster for good, route it to a receiver `{}`."
            yield Problem(("until",), f"is more than 30 days after the start, {self.start}", instead, self.until)


class Alerts(Section):
    """Alerts of every cluster whose samples reach the Prometheus server."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        (
            "additionalPrometheusRules",
            "additionalPrometheusRulesMap",
            "files",
            "groups",
            "prometheusRules",
            "rule_files",
        ),
        ("is not what rules of your own are called here", "Write them into files, and ruleFiles: [rules/*.yaml]."),
    )

    team: DnsLabel = "platform"
    """Value of the label `team` of alerts that name no other team."""
    runbooks: Annotated[HttpsUrl, AfterValidator(_has_no_slash)] | None = None
    """URL under which docs/runbooks is published, without a slash at the end; `runbook_url` starts with it."""
    rules: Table[AlertName, Tuning] = Field(default_factory=empty)
    """Overrides for all clusters, by the alert's name."""
    clusters: Table[DnsLabel, Table[AlertName, Tuning]] = Field(default_factory=empty)
    """Overrides for one cluster, by the cluster's and the alert's name; they take precedence over `rules`."""
    rule_files: Annotated[Sequence[RuleFile], RuleFiles()] = ()
    """
    Rules of your own: paths of files with rule groups of Prometheus or PrometheusRules, `*` allowed.

    With `{files: […]}`, `clusters` evaluates them for these only, and `acrossClusters` names rules that mix clusters.
    """
    rule_tests: Annotated[Sequence[RuleTest], RuleTests()] = ()
    """Paths of files that `promtool test rules` takes, for these rules; `fleet check` runs them."""
    maintenance: Many[Maintenance] = ()
    """Maintenance windows of clusters; they may overlap."""
    alertmanagers: Many[ExistingAlertmanager] = ()
    """Existing Alertmanagers to send alerts to, instead of that of the section `alertmanager` or beside it."""

    def problems(self) -> Iterator[Problem]:
        """An override changes something that its alert has, and no two windows are equal."""
        for path, name, tuning in self._tunings():
            if not tuning.model_fields_set:
                yield Problem(path, "is empty", "Write threshold, for, severity, team or enabled in it, or remove it.")
            if tuning.threshold is not None:
                yield from _misses(name, tuning.threshold, (*path, "threshold"))
        yield from self._doubled_windows()
        for problem in unknown_files(self.rule_tests, self.rule_files):
            yield problem.under(("ruleTests",))
        urls = [one.url for one in self.alertmanagers]
        for index, url in enumerate(urls):
            if url in urls[:index]:
                yield Problem(("alertmanagers", index, "url"), "is written twice", "Remove one of the two.", url)

    @property
    def teams(self) -> frozenset[str]:
        """Every team that an alert may carry; of rules whose label `team` is a template, that template."""
        tuned = (tuning.team for _, _, tuning in self._tunings() if tuning.team)
        own = (rule.get("labels", {}).get("team") for file in self.rule_files for _, rule in file.rules)
        return frozenset({self.team, *tuned, *filter(None, own)})

    def _doubled_windows(self) -> Iterator[Problem]:
        """Alerts of windows differ by cluster and end; of two windows with the same end, one covers the other."""
        seen: dict[tuple[str, datetime], int] = {}
        for index, window in enumerate(self.maintenance):
            first = seen.setdefault((window.cluster, instant(window.until)), index)
            if first != index:
                rule = f"is the end of maintenance[{first}] too, of the same cluster"
                instead = "Keep the one that starts earlier: it covers both."
                yield Problem(("maintenance", index, "until"), rule, instead, window.until)

    def _tunings(self) -> Iterator[tuple[Path, str, Tuning]]:
        for name, tuning in self.rules.items():
            yield ("rules", name), name, tuning
        for cluster, tunings in self.clusters.items():
            for name, tuning in tunings.items():
                yield ("clusters", cluster, name), name, tuning


def _misses(name: str, value: float, path: Path) -> Iterator[Problem]:
    threshold = ALERTS[name][0].threshold
    if not threshold:
        yield Problem(path, f"has no effect: {name} has no threshold", "Remove it.", value)
    elif not threshold.least <= value <= threshold.most:
        bounds = f"{threshold.least:.12g} and {threshold.most:.12g}"
        instead = f"Write a number between them; {threshold.value:.12g} is the default."
        yield Problem(path, f"is not between {bounds} (unit: {threshold.unit})", instead, value)
