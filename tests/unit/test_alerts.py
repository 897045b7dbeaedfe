"""What holds for every rule of the catalogue, whoever writes it."""

import re
from itertools import chain

import promql_parser
import pytest

from alerts import ALERTS, GROUPS, INHIBITIONS, MAINTENANCE, WATCHDOG, Alert, Group, Record, tuning_key
from dashboards import DASHBOARDS, queries
from render.scrape.allowlist import ESSENTIAL
from settings.promql import losses, selectors
from tests import ROOT
from tests.promql import fragile, is_named
from tests.unit.builders import VALUES

RUNBOOKS = ROOT / "docs/runbooks"
DURATION = re.compile(r"0s|[1-9]\d*[smhd]")
LEVELS = re.compile(r"[a-z_]+:[a-z0-9_]+:[a-z0-9_]+")
JOBS = {*ESSENTIAL, "prometheus", "alertmanager", "pushgateway", "blackbox", "blackbox-exporter"}
RULES = [rule for group in GROUPS for rule in (*group.records, *group.alerts)]
ALERTING = [rule for rule in RULES if isinstance(rule, Alert)]
OF_FLEET = {MAINTENANCE, WATCHDOG}
"""Alerts that are made of the stack file, and so not in the catalogue."""


def named(rule: Alert | Record) -> str:
    """The name of a rule, and what tells it from others of that name."""
    return "-".join((tuning_key(rule), *rule.labels.values())) if isinstance(rule, Alert) else rule.name


def tree(rule: Alert | Record):
    threshold = rule.threshold.value if isinstance(rule, Alert) and rule.threshold else ""
    return promql_parser.parse(rule.expr.replace("$threshold", f"{threshold}"))


@pytest.mark.parametrize("rule", RULES, ids=named)
class TestExpressions:
    def test_keep_the_cluster(self, rule: Alert | Record) -> None:
        """
        No sum, match or function mixes clusters.
        """
        assert [*losses(tree(rule))] == []

    def test_name_the_job_that_brings_what_they_ask_for(self, rule: Alert | Record) -> None:
        """
        No rule takes another's series for that job's, or waits for one that is not kept or recorded.
        """
        read = list(selectors(tree(rule)))

        assert read
        assert {str(selector) for selector in read if not is_named(selector)} == set()

    def test_join_with_duplicate_series(self, rule: Alert | Record) -> None:
        """
        Two replicas of an exporter stop no rule.
        """
        assert [str(join) for join in fragile(tree(rule))] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
class TestGroups:
    def test_record_before_they_use(self, group: Group) -> None:
        """
        What a group records itself stands above what reads it.
        """
        names = [record.name for record in group.records]
        for index, record in enumerate(group.records):
            assert not {selector.name for selector in selectors(tree(record))} & set(names[index:])

    def test_have_a_runbook_for_every_alert_and_no_other(self, group: Group) -> None:
        """
        Each alert's annotation leads to a heading, and each heading has an alert.
        """
        headings = re.findall(r"^## (\S+)$", (RUNBOOKS / f"{group.name}.md").read_text(), re.MULTILINE)

        of_fleet = OF_FLEET if group.name == "fleet" else set()
        assert sorted(headings) == sorted({alert.name for alert in group.alerts} | of_fleet)


@pytest.mark.parametrize("alert", ALERTING, ids=named)
class TestAlerts:
    def test_say_what_is_wrong_and_where(self, alert: Alert) -> None:
        """
        The summary names the cluster, and both texts are sentences.
        """
        assert "{{ $labels.cluster }}" in alert.summary
        assert alert.summary.endswith(".")
        assert alert.description.endswith(".")
        assert alert.severity in ("critical", "warning", "info")

    def test_wait_for_a_duration(self, alert: Alert) -> None:
        """
        Prometheus knows the form of `for`.
        """
        assert DURATION.fullmatch(alert.for_)

    def test_have_a_threshold_where_they_use_one(self, alert: Alert) -> None:
        """
        It lies within its bounds, and setting it changes the expression.
        """
        assert ("$threshold" in alert.expr) == (alert.threshold is not None)
        if alert.threshold:
            assert alert.threshold.least <= alert.threshold.value <= alert.threshold.most

    def test_need_jobs_that_exist(self, alert: Alert) -> None:
        """
        A platform can take them away only under their names.
        """
        assert set(alert.jobs) <= JOBS


class TestCatalogue:
    def test_names_are_unique(self) -> None:
        """
        Rules of one alert differ in severity or labels, so that each is an alert of its own to Alertmanager.
        """
        names = [named(rule) for rule in RULES]

        assert len(names) == len(set(names))

    def test_what_is_tuned_together_has_one_threshold(self) -> None:
        """
        A stack file sets one number for all rules of a key.
        """
        differ = {key for key, rules in ALERTS.items() if any(rule.threshold != rules[0].threshold for rule in rules)}

        assert differ == set()

    def test_critical_rules_mute_the_warnings_of_their_alert(self) -> None:
        """
        Of an alert with rules of both severities people hear once.
        """
        severities: dict[str, set[str]] = {}
        for alert in ALERTING:
            severities.setdefault(alert.name, set()).add(alert.severity)
        both = {name for name, levels in severities.items() if levels == {"critical", "warning"}}
        muted = [one.target for one in INHIBITIONS if one.equal[:1] == ("alertname",)]

        assert {name for target in muted for name in re.findall(r"[A-Z]\w+", target)} == both

    def test_records_are_named_as_the_field_does(self) -> None:
        """
        Level, metric, operations.
        """
        assert [r.name for r in RULES if isinstance(r, Record) and not LEVELS.fullmatch(r.name)] == []

    def test_every_record_is_read(self) -> None:
        """
        By a rule or a dashboard; what nobody reads costs for nothing.
        """
        boards = (promql_parser.parse(query) for _, _, query in queries(DASHBOARDS, VALUES))
        read = {selector.name for node in chain(map(tree, RULES), boards) for selector in selectors(node)}

        assert {rule.name for rule in RULES if isinstance(rule, Record)} <= read

    def test_inhibitions_name_alerts_that_exist(self) -> None:
        """
        One that names another's old name would mute nothing.
        """
        matchers = [text for one in INHIBITIONS for text in (one.source, one.target) if "alertname" in text]
        mentioned = {name for text in matchers for name in re.findall(r"[A-Z]\w+", text)}

        assert mentioned
        assert mentioned <= {alert.name for alert in ALERTING} | OF_FLEET

    def test_every_page_of_runbooks_has_a_group(self) -> None:
        """
        No page stays behind when its group goes.
        """
        assert {page.stem for page in RUNBOOKS.glob("*.md")} == {group.name for group in GROUPS}
