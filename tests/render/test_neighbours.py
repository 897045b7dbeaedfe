"""What a neighbour tells falsely, or tells once more: it stops no rule, and raises no alert."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.promql import ANNOTATED, OF_PUSHES, owners

from .promtool import Promtool
from .test_alerts import CASES, FLEET, SICK, WELL, firing, judge, lay, of, rules_of_fleet

pytestmark = pytest.mark.render

Series = list[dict[str, str]]
AT_ALL = {"expr": "vector(1)", "exp_samples": [{"labels": "{}", "value": 1}]}
"""Asked only to have the rules evaluated until then: promtool fails where one of them does."""


def forged(series: Series) -> Iterator[dict[str, str]]:
    """The same of annotated targets, and twice: labels which a join looks at are equal, others are not."""
    for one in series:
        metric, _, labels = one["series"].partition("{")
        if owners(metric) or OF_PUSHES.fullmatch(metric):
            stripped = re.sub(r'\bjob="[^"]*"(, )?', "", labels).strip(", }")
            for job in ANNOTATED:
                yield {**one, "series": f'{metric}{{{stripped}, job="{job}", exported_namespace="of {job}"}}'}


def twins(series: Series) -> Iterator[dict[str, str]]:
    """The same of a second replica of each exporter."""
    for one in series:
        named, found = re.subn(r'\b(instance="[^"]*)"', r'\1-twin"', one["series"])
        yield {**one, "series": named if found else f'{one["series"][:-1]}, instance="twin"}}'}


def case_of(case: dict[str, Any], told: Series, *questions: dict[str, Any]) -> dict[str, Any]:
    return {"name": case["alert"], "interval": "1m", "input_series": told, "promql_expr_test": list(questions)}


def others(case: dict[str, Any]) -> dict[str, Any]:
    return case.get("both", {}) | case.get("elsewhere", {})


@pytest.mark.parametrize("group", CASES)
class TestNeighbours:
    """Each alert has a case that makes it fire; here it is a stranger, or a replica, who tells of that trouble."""

    def judge(
        self, promtool: Promtool, folder: Path, group: str, tests: list[dict[str, Any]], every: str = "5m"
    ) -> None:
        rules = rules_of_fleet(FLEET)
        names = [group] if group == "thanos-replicas" else ["inventory", group]
        promtool.accepts("test", "rules", lay(folder, {name: rules[name] for name in names}, tests, every))

    def test_what_annotated_targets_tell_of_others_moves_no_rule(
        self, group: str, promtool: Promtool, tmp_path: Path
    ) -> None:
        """
        All is well, and pods say that it is not: every rule is evaluated, and no alert fires.
        """
        tests = [
            case_of(
                case,
                [
                    *of(SICK, case["well"] | others(case)),
                    *of(WELL, case["well"] | case.get("both", {})),
                    *forged(of(SICK, case["sick"] | others(case))),
                ],
                firing(case["alert"], case.get("at", "30m"), [], case.get("labels")),
            )
            for case in CASES[group]
        ]
        over_soon = group == "fleet"  # two of its alerts fire for minutes only, and would be missed

        self.judge(promtool, tmp_path, group, tests, "1m" if over_soon else "5m")

    def test_duplicate_series_fail_no_rule(self, group: str, promtool: Promtool, tmp_path: Path) -> None:
        """
        While two replicas of an exporter run, or two Prometheus without deduplication, every rule is evaluated.
        """
        tests = []
        for case in CASES[group]:
            told = of(SICK, case["sick"] | others(case))
            tests.append(case_of(case, [*told, *twins(told)], {**AT_ALL, "eval_time": case.get("at", "30m")}))

        self.judge(promtool, tmp_path, group, tests)


def test_a_target_can_not_choose_the_receiver(promtool: Promtool, tmp_path: Path) -> None:
    """
    A pod's labels become labels of its alerts, but not the name, severity or team that routes and inhibitions go by.
    """
    name = "TargetDown"
    chosen = 'alertname="Watchdog", severity="none", team="nobody", alertstate="pending", app="shop"'
    down = {f'up{{job="pods", instance="a", {chosen}}}': "0x60"}
    routed = {"severity": "warning", "team": "platform", "app": "shop"}
    test = case_of({"alert": name}, of(SICK, down), firing(name, "30m", [SICK], routed))

    judge(promtool, tmp_path, FLEET, [test], "exporters")


@pytest.mark.parametrize(
    "case", [case for case in CASES["exporters"] if case["alert"].startswith("Push")], ids=lambda case: case["alert"]
)
def test_groups_that_differ_in_labels_of_alerts_stop_no_rule(
    case: dict[str, Any], promtool: Promtool, tmp_path: Path
) -> None:
    """
    Whoever pushes chooses every label; the rule's own take the place of three, and without them groups may be alike.
    """
    chosen = ('team="shop"', 'team="cart", severity="none"', 'alertname="Watchdog"')
    told = of(SICK, case["sick"] | others(case))
    groups = [{**one, "series": f"{one['series'][:-1]}, {labels}}}"} for one in told for labels in chosen]

    question = firing(case["alert"], case.get("at", "30m"), [SICK])
    judge(promtool, tmp_path, FLEET, [case_of(case, groups, question)], "exporters")
