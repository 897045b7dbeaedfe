"""Each alert fires for the cluster that is in trouble, and for no other."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

import render
from alerts import GROUPS, MAINTENANCE, Alert, Group
from settings import Fleet
from tests.promql import owners

from .promtool import Promtool

pytestmark = pytest.mark.render

SICK, WELL = "eu1", "us1"
CONTROL_PLANE: dict[str, Any] = {"scheduler": {}, "controllerManager": {}, "etcd": {}, "kubeProxy": {}}
WINDOWS = {"existing": {"namespace": "monitoring", "service": "windows-exporter"}}
ISSUER = {"url": "https://well.example", "jwksUri": "https://well.example/keys"}
RAW = {
    "clusters": {
        SICK: {"context": SICK, "controlPlane": CONTROL_PLANE, "windowsExporter": WINDOWS},
        WELL: {"context": WELL, "controlPlane": CONTROL_PLANE, "windowsExporter": WINDOWS, "issuer": ISSUER},
    },
    "hub": {
        "cluster": WELL,
        "replicas": 2,
        "storage": "500Gi",
        "expose": {"host": "hub.example", "tls": {"secret": "tls"}},
    },
    "agents": {SICK: {}},
    "thanos": {
        "storage": {"filesystem": {"claim": "blocks"}},
        "queryFrontend": {},
        "ruler": {},
        "receive": {"expose": {"host": "receive.example"}},
    },
}
FLEET = Fleet.model_validate(RAW)


def texts(file: Path) -> Any:
    """A document of texts only: what promtool writes as 0x60 is a number to YAML."""
    return yaml.load(file.read_text(), yaml.BaseLoader)  # noqa: S506 — it makes nothing but texts


CASES = {group.name: texts(Path(__file__).parent / "alerts" / f"{group.name}.yaml") for group in GROUPS}
"""Group -> what makes its alerts fire: series of a cluster in trouble, and of one that is just well."""


def of(cluster: str, series: dict[str, Any]) -> list[dict[str, str]]:
    """The series of one cluster, in promtool's words."""
    return [{"series": _labelled(name, cluster), "values": values} for name, values in series.items()]


def _labelled(series: str, cluster: str) -> str:
    """With its cluster and the job that brings it, which a case says where there are several."""
    metric, _, labels = series.partition("{")
    brings = set() if re.search(r"\bjob=", labels) else owners(metric)
    own = [f'job="{job}"' for job in brings & {"prometheus"} or brings]
    assert len(own) <= 1, f"{metric} is brought by {brings}: say by which"
    shown = ", ".join(filter(None, [f'cluster="{cluster}"', *own, labels.strip("}")]))
    return f"{metric}{{{shown}}}"


def firing(alert: str, at: str, clusters: list[str], labels: dict[str, str] | None = None) -> dict[str, Any]:
    """A question of promtool: at this time the alert fires in exactly these clusters, with what its texts name."""
    matchers = {"alertname": alert, "alertstate": "firing", **(labels or {})}
    shown = _named(alert) if clusters else []
    chosen = ", ".join([*(f'{name}="{value}"' for name, value in matchers.items()), *shown])
    return {
        "expr": f"count by (cluster) (ALERTS{{{chosen}}}) > bool 0",
        "eval_time": at,
        "exp_samples": [{"labels": f'{{cluster="{cluster}"}}', "value": 1} for cluster in clusters],
    }


def _named(alert: str) -> list[str]:
    """The labels that a text shows, as matchers: one that the expression loses leaves a hole in the sentence."""
    rules = [rule for group in GROUPS for rule in group.alerts if rule.name == alert]
    texts = "".join(rule.summary + rule.description for rule in rules)
    return [f'{label}!=""' for label in sorted({*re.findall(r"\$labels\.(\w+)", texts)})]


def told(case: dict[str, Any]) -> list[dict[str, Any]]:
    """
    Two tests of promtool: one cluster in trouble, and none.

    What a case has `elsewhere` this fleet's rules record for its hub's cluster, and another's for the other.
    """
    alert, at, both = case["alert"], case.get("at", "30m"), case.get("both", {})
    others = both | case.get("elsewhere", {})
    well = of(WELL, case["well"] | both)
    return [
        {
            "name": f"{alert} in trouble",
            "interval": "1m",
            "input_series": of(SICK, case["sick"] | others) + well,
            "promql_expr_test": [firing(alert, at, [SICK], case.get("labels"))],
        },
        {
            "name": f"{alert} when all is well",
            "interval": "1m",
            "input_series": of(SICK, case["well"] | others) + well,
            "promql_expr_test": [firing(alert, at, [], case.get("labels"))],
        },
    ]


def rules_of(case: dict[str, Any], group: Group) -> list[Alert]:
    """The rules that a case is about: those of its alert whose labels it does not deny."""
    chosen = case.get("labels", {})
    return [
        rule
        for rule in group.alerts
        if rule.name == case["alert"]
        and all(chosen.get(name, value) == value for name, value in [("severity", rule.severity), *rule.labels.items()])
    ]


def judge(promtool: Promtool, folder: Path, fleet: Fleet, tests: list[dict[str, Any]], *groups: str) -> None:
    """Have promtool run tests on the rules of a fleet, or on those of a few of its groups."""
    rules = rules_of_fleet(fleet)
    promtool.accepts("test", "rules", lay(folder, {name: rules[name] for name in groups or rules}, tests))


def rules_of_fleet(fleet: Fleet) -> dict[str, str]:
    """The files of its rules by the names of their groups."""
    return {name.removesuffix(".yml"): text for name, text in render.rules(fleet).items()}


def lay(folder: Path, rules: Mapping[str, str], tests: list[dict[str, Any]], every: str = "1m") -> Path:
    """Write files of rules and a file of tests on them, which evaluates the rules that often; gives the latter."""
    folder.mkdir(exist_ok=True)
    for name, text in rules.items():
        (folder / f"{name}.yml").write_text(text)
    files = [f"{name}.yml" for name in rules]
    # promtool has no order of its own, and all groups join the inventory.
    given = {"rule_files": files, "group_eval_order": [*rules], "evaluation_interval": every, "tests": tests}
    (file := folder / "test.yml").write_text(yaml.safe_dump(given))
    return file


def without_other_alerts(rules: str, alert: str) -> str:
    """A file of one group with its recording rules and those of one alert."""
    [group] = yaml.load(rules, yaml.CSafeLoader)["groups"]
    kept = [rule for rule in group["rules"] if rule.get("alert", alert) == alert]
    return yaml.dump({"groups": [{**group, "rules": kept}]}, Dumper=yaml.CSafeDumper)


class TestAlerts:
    @pytest.mark.parametrize("group", CASES)
    def test_fire_where_the_trouble_is(self, group: str, promtool: Promtool, tmp_path: Path) -> None:
        """
        eu1 is in trouble and us1 is just well: the alert names eu1 alone; when both are well it names nobody.
        """
        rules = rules_of_fleet(FLEET)
        needed = {} if group == "thanos-replicas" else {"inventory": rules["inventory"]}  # those say how many they are
        files = [
            lay(tmp_path / str(number), needed | {group: without_other_alerts(rules[group], case["alert"])}, told(case))
            for number, case in enumerate(CASES[group])
        ]

        promtool.accepts("test", "rules", *files)

    @pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
    def test_are_all_tested(self, group: Group) -> None:
        """
        An alert without a case may never fire, and a case without its alert, or of two rules, proves nothing.
        """
        told = [rules_of(case, group) for case in CASES[group.name]]

        assert [rules for rules in told if len(rules) != 1] == []
        assert [rule for rule in group.alerts if [rule] not in told] == []


def tuned(**alerts: Any) -> Fleet:
    return Fleet.model_validate(RAW | {"alerts": alerts})


class TestTuning:
    """Both clusters have the same trouble: a target that is down."""

    DOWN: ClassVar = {'up{job="pods", instance="a"}': "0x60"}
    SERIES = (*of(SICK, DOWN), *of(WELL, DOWN))

    def judge(self, promtool: Promtool, folder: Path, fleet: Fleet, *questions: dict[str, Any]) -> None:
        judge(
            promtool,
            folder,
            fleet,
            [{"interval": "1m", "input_series": [*self.SERIES], "promql_expr_test": list(questions)}],
        )

    def test_waits_as_long_as_the_cluster_wants(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        A longer `for` of one cluster holds for it alone.
        """
        fleet = tuned(clusters={SICK: {"TargetDown": {"for": "40m"}}})

        early, late = (firing("TargetDown", at, who) for at, who in (("30m", [WELL]), ("50m", [SICK, WELL])))
        self.judge(promtool, tmp_path, fleet, early, late)

    def test_is_silent_where_it_is_switched_off(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        An alert that is switched off for one cluster still fires in the other.
        """
        fleet = tuned(clusters={SICK: {"TargetDown": {"enabled": False}}})

        self.judge(promtool, tmp_path, fleet, firing("TargetDown", "30m", [WELL]))

    def test_vanishes_where_it_is_switched_off_for_all(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        But a cluster that says otherwise keeps it, with a team of its own.
        """
        fleet = tuned(
            rules={"TargetDown": {"enabled": False}},
            clusters={SICK: {"TargetDown": {"team": "shop"}}},
        )

        self.judge(promtool, tmp_path, fleet, firing("TargetDown", "30m", [SICK], {"team": "shop"}))


class TestMaintenance:
    def test_lasts_from_start_to_end(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        The window's alert fires for its cluster, and only as long as it lasts; promtool's clock starts in 1970.
        """
        window = {
            "cluster": SICK,
            "start": "1970-01-01T00:10Z",
            "until": "1970-01-01T01:30+01:00",
            "reason": "Upgrade.",
        }
        moments = {"5m": [], "11m": [SICK], "29m": [SICK], "31m": []}

        judge(
            promtool,
            tmp_path,
            tuned(maintenance=[window]),
            [
                {
                    "interval": "1m",
                    "input_series": of(SICK, {"up": "1x60"}),
                    "promql_expr_test": [firing(MAINTENANCE, at, who, {"job": ""}) for at, who in moments.items()],
                }
            ],
        )


def test_every_case_is_of_a_group() -> None:
    """
    No file of cases lies beside the groups that are tested.
    """
    files = {file.stem for file in (Path(__file__).parent / "alerts").glob("*.yaml")}

    assert files == set(CASES)
