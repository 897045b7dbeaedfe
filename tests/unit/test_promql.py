"""What is asked of a hub beside its rules and dashboards, and whether what judges a query can tell right from wrong."""

import promql_parser
import pytest
import yaml

from fleet.status import QUESTIONS
from render.thanos.receive import limits
from settings.promql import has_cluster, losses, selectors
from tests.promql import fragile, is_named
from tests.rendered import server

from .test_rules import fleet


@pytest.mark.parametrize(
    ("selector", "named"),
    [
        ('kube_pod_info{job="kube-state-metrics"}', True),
        ("kube_pod_info", False),
        ('kube_pod_info{job="node-exporter"}', False),
        ('kube_pod_info{job=~"kube-state-metrics|pods"}', False),
        ('kube_pod_info{job!="pods"}', False),
        ('kube_pod_info{job=~".+"}', False),
        ('kube_pod_fortune{job="kube-state-metrics"}', False),
        ('nobodys_total{job="prometheus"}', False),
        ("nobodys_total", False),
        ('prometheus_tsdb_head_series{job=~"prometheus|thanos-receive"}', True),
        ('thanos_status{job=~"thanos-.+"}', True),
        ('jvm_memory_used_bytes{job=~"pods|services"}', True),
        ("jvm_memory_used_bytes", False),
        ('{job=~"pods|services"}', True),
        ('{cluster="eu1"}', False),
        ("up", True),
        ("ALERTS", True),
        ("promfleet_cluster_expected", True),
        ("promfleet_fortune", False),
        ("cluster_job:up:sum", True),
        ("cluster:fortune:sum", False),
        ('push_time_seconds{job!~"pods|services"}', True),
        ("push_time_seconds", False),
    ],
)
def test_what_names_its_job_is_known(selector: str, named: bool) -> None:  # noqa: FBT001 — a parameter of the test
    """
    Whoever holds rules and dashboards against it can fail.
    """
    assert is_named(promql_parser.parse(selector)) == named


@pytest.mark.parametrize(
    ("expr", "wrong", "instead"),
    [
        ("sum by (node) (up)", "aggregates over clusters in `sum by (node)(up)`", "Write `sum by (cluster, node)`."),
        ("sum(up) > 3", "aggregates over clusters in `sum(up)`", "Write `sum by (cluster)`."),
        ("topk(3, up)", "aggregates over clusters in `topk(3, up)`", "Write `topk by (cluster)`."),
        (
            "sum without (cluster) (up)",
            "aggregates over clusters in `sum without (cluster)(up)`",
            "Remove cluster from `without`.",
        ),
        (
            "max_over_time(sum(rate(x[5m]))[1h:])",
            "aggregates over clusters in `sum(rate(x[5m]))`",
            "Write `sum by (cluster)`.",
        ),
        (
            "a / on (node) group_left () b",
            "matches series of different clusters in `a / on (node) group_left () b`",
            "Write `on (cluster, node)`.",
        ),
        (
            "a * on (node) group_left (cluster) b",
            "matches series of different clusters in `a * on (node) group_left (cluster) b`",
            "Write `on (cluster, node)`.",
        ),
        (
            "a unless ignoring (cluster, pod) b",
            "matches series of different clusters in `a unless ignoring (cluster, pod) b`",
            "Write `ignoring (pod)`.",
        ),
        (
            "absent(up)",
            "asks in `absent(up)` whether all clusters together have no series",
            "Write `promfleet_cluster_expected unless on (cluster) …`, which answers for each.",
        ),
        (
            "a > scalar(b)",
            "takes one number for all clusters in `scalar(b)`",
            "Join with `on (cluster) group_left ()` instead.",
        ),
        (
            "topk by (cluster) (scalar(b), a)",
            "takes one number for all clusters in `scalar(b)`",
            "Join with `on (cluster) group_left ()` instead.",
        ),
        (
            'label_replace(up, "cluster", "x", "", "")',
            'overwrites the label cluster in `label_replace(up, "cluster", "x", "", "")`',
            "Use another label.",
        ),
        *(
            (
                expr,
                "has an answer without the label cluster",
                "In place of a number write `max by (cluster) (0 * promfleet_cluster_expected)`.",
            )
            for expr in (
                *("vector(1)", "1", "hour() > 5", "sum by (cluster) (a) or vector(0)", "vector(1) and on () a"),
                *(
                    "a * on () vector(2)",
                    "a / ignoring (cluster) vector(2)",
                    "sum by (cluster) (vector(1))",
                    "fleet > 5",
                ),
                "sum by (node) (fleet)",
            )
        ),
    ],
)
def test_an_expression_that_loses_its_cluster_is_told_where(expr: str, wrong: str, instead: str) -> None:
    """
    And what to write instead; `fleet` is a metric that has none.
    """
    assert [*losses(promql_parser.parse(expr), {"fleet"})] == [(wrong, instead)]


@pytest.mark.parametrize(
    "expr",
    [
        "up",
        "-up > 0",
        "time() - a > 5",
        "(1 + 1) * a",
        "sum by (cluster, node) (up)",
        "sum without (node) (up)",
        "a / ignoring (node) b",
        "a and on (cluster) b",
        "a * on (cluster) group_left (x) b",
        "a * on (cluster) group_right (x) b",
        "a and on () hour() > 8",
        "a and on () (vector(time()) > 8)",
        "a * on () group_left () vector(2)",
        "vector(2) * on () group_right () a",
        "a > on () group_left () fleet",
        "fleet * on () group_right () a",
        "max by (cluster) (0 * promfleet_cluster_expected)",
        'absent(up{cluster="eu1"})',
        'absent_over_time(up{cluster="eu1"}[5m])',
        'label_replace(vector(1), "cluster", "eu1", "", "")',
        "histogram_quantile(0.9, sum by (cluster, le) (rate(a_bucket[5m])))",
        "max_over_time(sum by (cluster) (rate(a[5m]))[1h:5m])",
        "a > scalar(fleet)",
    ],
)
def test_an_expression_that_keeps_its_cluster_is_right(expr: str) -> None:
    """
    Whoever asks what time it is, or how large the whole fleet is, mixes no clusters.
    """
    assert [*losses(promql_parser.parse(expr), {"fleet"})] == []
    assert has_cluster(promql_parser.parse(expr), {"fleet"})


@pytest.mark.parametrize(
    ("expr", "fails"),
    [
        ("a > on (cluster) b", True),
        ("max by (cluster) (a) > on (cluster) b", True),
        ("a > on (cluster) max by (cluster) (b)", True),
        ("max by (cluster) (a) > on (cluster) max by (cluster) (b)", False),
        ("a > on (cluster) group_left () max by (cluster) (b)", False),
        ("a > on (cluster) group_left () b", True),
        ("a > on (cluster) group_left () max by (cluster, instance) (b)", True),
        ("max by (cluster) (a) - on (cluster) group_right () b", False),
        ("a - on (cluster) group_right () max by (cluster) (b)", True),
        ("a * on (cluster) group_left (x) topk by (cluster) (1, b)", False),
        ("a * on (cluster) group_left (x) topk by (cluster) (2, b)", True),
        ("(sum by (cluster) (a) or 0 * b) + on (cluster) sum by (cluster) (c)", True),
        ("(sum by (cluster) (a) or 0 * max by (cluster) (b)) + on (cluster) sum by (cluster) (c)", False),
        ("a and on (cluster) b", False),
        ("a > b", False),
    ],
)
def test_expressions_that_fail_with_duplicate_series_are_known(expr: str, fails: bool) -> None:  # noqa: FBT001 — likewise
    """
    Likewise.
    """
    assert any(fragile(promql_parser.parse(expr))) == fails


def test_status_names_the_job_that_brings_what_it_asks_for() -> None:
    """
    `fleet status` counts a cluster's pods once, whoever else tells of them.
    """
    read = [selector for question in QUESTIONS.values() for selector in selectors(promql_parser.parse(question))]

    assert len(read) >= len(QUESTIONS)
    assert [str(selector) for selector in read if not is_named(selector)] == []


def test_limits_count_what_receive_itself_says() -> None:
    """
    No workload makes a tenant look fuller, or emptier, than it is.
    """
    thanos = fleet().thanos
    assert thanos
    assert thanos.receive
    asked = yaml.safe_load(limits(server(fleet()), fleet(), thanos.receive))["write"]["global"][
        "meta_monitoring_limit_query"
    ]

    assert [is_named(selector) for selector in selectors(promql_parser.parse(asked))] == [True]
