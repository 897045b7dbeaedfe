"""What is asked of a hub beside its rules and dashboards, and whether what judges a query can tell right from wrong."""

import promql_parser
import pytest
import yaml

from fleet.status import QUESTIONS
from render.thanos.receive import limits
from tests.promql import fragile, is_named, selectors
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

    assert len(read) == len(QUESTIONS)
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
