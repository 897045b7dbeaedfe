from pathlib import Path

import pytest
import yaml

from alerts import ALERTS, Alert, Threshold
from settings import FleetError
from tests.unit.stack_texts import loaded, problems

MISTAKES = [
    case
    for name in (
        "fields",
        "rules",
        "sections",
        "thanos",
        "late",
        "doubles",
        "watcher",
        "operator",
        "jobs",
        "receivers",
        "routes",
        "inhibitions",
        "existing",
        "applications",
        "workloads",
        "destinations",
        "grafana",
        "issuers",
        "elsewhere",
    )
    for case in yaml.safe_load(Path(__file__).with_name(f"mistakes_{name}.yaml").read_text(encoding="utf-8"))
]


LOAD = Threshold(value=0.9, least=0.5, most=1, unit="ratio")


@pytest.fixture(autouse=True)
def catalogue(monkeypatch):
    """Alerts that stay as they are, whatever becomes of the real ones."""
    for name, threshold in {
        "NodeLoadHigh": LOAD,
        "PodGone": None,
        "VolumeFull/critical": None,
        "VolumeFull/warning": None,
    }.items():
        alert = Alert(name=name, expr="x", severity="warning", summary="x", description="x", threshold=threshold)
        monkeypatch.setitem(ALERTS, name, (alert,))


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case["mistake"])
class TestMistakes:
    def test_every_problem_and_no_other(self, tmp_path, case):
        """
        A wrong file is answered with each of its mistakes, what breaks the rule and what to write instead.
        """
        assert case["problems"] == problems(tmp_path, case["fleet"], case.get("secrets", ()))

    def test_no_secret_is_repeated(self, tmp_path, case):
        """
        What may be a secret stays out of the report, which ends in logs and pull requests.
        """
        with pytest.raises(FleetError) as caught:
            loaded(tmp_path, case["fleet"], case.get("secrets", ()))

        assert "swordfish" not in caught.value.report()


class TestReport:
    def test_one_problem(self, tmp_path):
        """
        The head names the key, the file and the number of problems.
        """
        with pytest.raises(FleetError) as caught:
            loaded(tmp_path, "clusters: {eu1: {context: a}}\nagents: {eu1: {}}\nnamespace: 1")

        assert str(caught.value).splitlines()[0] == "promfleet:fleet in Pulumi.test.yaml has 2 problems:"

    def test_each_problem_has_a_line(self, tmp_path):
        """
        Each problem is one indented line, also where the value has several.
        """
        with pytest.raises(FleetError) as caught:
            loaded(tmp_path, 'clusters: {eu1: {context: "a\\nb"}}\nagents: {eu1: {hub: {stack: o/p/hub}}}')

        assert str(caught.value).splitlines() == [
            "promfleet:fleet in Pulumi.test.yaml has 1 problem:",
            '  clusters.eu1.context: "a\\nb" is not one line of text. Write one line without spaces at either end.',
        ]

    def test_a_long_value_is_cut(self, tmp_path):
        """
        A long value is recognizable without filling the screen.
        """
        [said] = problems(tmp_path, f"clusters: {{eu1: {{context: a}}}}\nagents: {{eu1: {{outage: {'x' * 500}}}}}")[:1]

        assert said.startswith(f'agents.eu1.outage: "{"x" * 80}…" is not a duration.')
