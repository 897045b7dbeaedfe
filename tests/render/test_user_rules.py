"""People's own rules, as promtool judges them, and the tests that they wrote for them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import render
from fleet.validators import PROMTOOL, findings
from settings import Fleet, from_file
from settings.read_files import ReadFiles
from tests import ROOT

from .promtool import Promtool

pytestmark = pytest.mark.render

RULES = """\
groups:
  - name: shop
    interval: 2m
    query_offset: 30s
    limit: 10
    labels: {severity: warning}
    rules:
      - record: cluster:orders:rate5m
        expr: sum by (cluster) (rate(shop_orders_total[5m]))
      - alert: ShopSellsNothing
        expr: "cluster:orders:rate5m == 0 # also at night"
        for: 10m
        keep_firing_for: 5m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.cluster }} sells nothing."}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: cart}
spec:
  groups:
    - name: cart
      partial_response_strategy: abort
      rules:
        - {alert: CartSlow, expr: cart_seconds > 5, labels: {severity: info}}
"""
TEST = """\
rule_files: [../rules/*.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'shop_orders_total{cluster="eu1"}', values: '5x30'}
      - {series: 'shop_orders_total{cluster="us1"}', values: '5+1x30'}
    alert_rule_test:
      - eval_time: 20m
        alertname: ShopSellsNothing
        exp_alerts:
          - exp_labels: {cluster: eu1, severity: critical}
            exp_annotations: {summary: eu1 sells nothing.}
"""
TESTS = "../tests/shop.yaml"
SOURCE = "../rules/shop.yaml"
CLUSTERS = ["eu1", "hub"]


def fleet(rules: str = RULES, test: str = TEST, **entry: Any) -> Fleet:
    clusters = {name: {"context": name} for name in CLUSTERS}
    hub = {"cluster": "hub", "storage": "500Gi", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}}
    files = ReadFiles({SOURCE: [*yaml.safe_load_all(rules)]})
    alerts = {"ruleFiles": [{"files": [files], **entry}], "ruleTests": [ReadFiles({TESTS: test})]}
    return Fleet.model_validate({"clusters": clusters, "hub": hub, "agents": {"eu1": {}}, "alerts": alerts})


@pytest.mark.parametrize("entry", [{}, {"clusters": ["eu1"]}], ids=["all-clusters", "some"])
def test_prometheus_takes_them_and_their_tests_pass(entry: dict[str, Any], promtool: Promtool) -> None:
    """
    Tests see the rules as they were written, also where the files are in folders beside that of the stack file.
    """
    assert findings(PROMTOOL, promtool.command, [fleet(**entry)]) == [[]]


def test_what_promtool_refuses_is_said_of_the_file(promtool: Promtool) -> None:
    """
    It knows all of templates, and whoever wrote the rules can correct them.
    """
    broken = RULES.replace("{{ $labels.cluster }} sells", "{{ $labels.cluster | 1 }} sells")

    refused, failed = findings(PROMTOOL, promtool.command, [fleet(broken)])[0]

    assert str(refused).startswith(
        "alerts.ruleFiles[0].../rules/shop.yaml.document 1: is rendered to a file that promtool refuses: "
    )
    assert str(refused).endswith("Correct it as the documentation of recording and alerting rules says.")
    assert failed.path == ("alerts", "ruleTests", 0, TESTS)


def test_a_test_that_fails_is_said(promtool: Promtool) -> None:
    """
    With what it expected, and what it got.
    """
    [[problem]] = findings(PROMTOOL, promtool.command, [fleet(RULES.replace("for: 10m", "for: 30m"))])

    assert str(problem).startswith("alerts.ruleTests[0].../tests/shop.yaml: fails with `promtool test rules`: ")
    assert 'alertname="ShopSellsNothing", cluster="eu1"' in str(problem)
    assert str(problem).endswith("Correct the rule, or what the test expects.")


SERIES = """\
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'cart_seconds{cluster="eu1", pod="a"}', values: '9x5'}
      - {series: 'cart_seconds{cluster="hub", pod="b"}', values: '9x5'}
    promql_expr_test:
      - expr: ALERTS
        eval_time: 3m
        exp_samples:
%s
"""


@pytest.mark.parametrize("clusters", [["eu1"], ["hub"], CLUSTERS])
def test_rules_for_some_clusters_fire_for_no_other(clusters: list[str], promtool: Promtool, tmp_path: Path) -> None:
    """
    As rendered, with the labels that routes choose by.
    """
    text = next(text for name, text in render.server_rules(fleet(clusters=clusters)).items() if name.endswith("-2.yml"))
    pods = {"eu1": "a", "hub": "b"}
    labels = 'alertname="CartSlow", alertstate="firing", cluster="%s", pod="%s", severity="info", team="platform"'
    samples = [f"          - {{labels: 'ALERTS{{{labels % (name, pods[name])}}}', value: 1}}" for name in clusters]
    (tmp_path / "rules.yml").write_text(text)
    (tmp_path / "test.yml").write_text(SERIES % "\n".join(samples))

    promtool.accepts("test", "rules", tmp_path / "test.yml")


def test_the_example_of_the_documentation_passes(promtool: Promtool, tmp_path: Path) -> None:
    """
    With its test.
    """
    shutil.copytree(ROOT / "docs" / "examples", tmp_path, dirs_exist_ok=True)
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    example = page.partition("## Your own rules")[2].partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "Pulumi.example.yaml").write_text(example, encoding="utf-8")

    read = from_file(tmp_path / "Pulumi.example.yaml")

    assert [test.source for test in read.alerts.rule_tests] == ["rules/tests/shop.yaml"]
    assert findings(PROMTOOL, promtool.command, [read]) == [[]]
