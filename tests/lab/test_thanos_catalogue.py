"""Rules and dashboards about Thanos against the metrics that its roles bring."""

import time

import pytest

from dashboards import dashboards_of
from fleet.client import PrometheusClient
from settings import Fleet

from . import catalogue, history
from .fleets import FLEET, HUB_STACK
from .samples import answers
from .stack import eventually
from .thanos_fixtures import Past

pytestmark = pytest.mark.lab
PLAIN = Fleet.model_validate(FLEET)
ARRIVAL = 480
"""Seconds until roles that have just begun were asked for everything that they can do, and scraped."""
NOT_HERE = {
    "thanos_receive_head_series_limited_requests_total": "only in the bad time of tests/faults is a tenant limited",
    "thanos_receive_metamonitoring_failed_queries_total": "likewise",
    **dict.fromkeys(
        (
            "etcd_disk_wal_fsync_duration_seconds_bucket",
            "etcd_mvcc_db_total_size_in_bytes",
            "etcd_network_peer_sent_failures_total",
            "etcd_server_has_leader",
            "etcd_server_leader_changes_seen_total",
            "etcd_server_quota_backend_bytes",
        ),
        "no cluster has jobs of its control plane; those of agents elsewhere might",
    ),
    **dict.fromkeys(
        (
            "windows_cpu_time_total",
            "windows_logical_disk_free_bytes",
            "windows_logical_disk_size_bytes",
            "windows_memory_physical_free_bytes",
            "windows_memory_physical_total_bytes",
            "windows_system_boot_time_timestamp",
        ),
        "no cluster of the lab has Windows nodes; those of agents elsewhere might",
    ),
}
"""Metrics that rules about Thanos read and this lab lacks, and why."""
SILENT_PANELS = {
    ("promfleet-thanos", "Calls that fail"): "none does",
    ("promfleet-thanos-writes", "Refused for too many series"): "only in the bad time is a tenant limited",
}
"""Dashboard and panel of which a query has no answer in this lab, and why."""


@pytest.fixture(scope="module")
def fleet(whole) -> Fleet:
    return Fleet.model_validate(whole[HUB_STACK].fleet)


class TestCatalogue:
    def test_every_rule_is_evaluated(self, past: Past, query: PrometheusClient, fleet: Fleet) -> None:
        """
        By the hub's Prometheus or by a Ruler, and Query knows of all of them.
        """

        def assert_healthy() -> None:
            found = query.get("/api/v1/rules").json()["data"]["groups"]
            assert {group["name"] for group in found} == catalogue.groups(fleet).keys()
            assert catalogue.unhealthy(query) == {}

        eventually(assert_healthy, ARRIVAL)

    def test_rules_read_metrics_that_exist(self, past: Past, query: PrometheusClient, fleet: Fleet) -> None:
        """
        Each metric that only a rule about Thanos reads is there, or known to be missing here.
        """
        read = catalogue.metrics(fleet) - catalogue.metrics(PLAIN)

        def assert_present() -> None:
            found = catalogue.present(query, read | NOT_HERE.keys())
            assert sorted(read - found - NOT_HERE.keys()) == []
            assert sorted(NOT_HERE.keys() & found) == []

        eventually(assert_present, ARRIVAL)

    def test_every_panel_has_an_answer(self, past: Past, query: PrometheusClient, fleet: Fleet) -> None:
        """
        Each query of the dashboards about Thanos finds something.
        """
        boards = tuple(board for board in dashboards_of(fleet) if board not in dashboards_of(PLAIN))
        panels = catalogue.Panels(boards, [{"cluster": "hub", "__rate_interval": "1m"}])

        def assert_answered() -> None:
            answers(query, "history_value", time=str(int(time.time()) - 20 * history.DAY))  # or no Store is asked
            found = panels.silent(query)
            assert {key: found[key] for key in found.keys() - SILENT_PANELS.keys()} == {}
            assert sorted(SILENT_PANELS.keys() - found.keys()) == []

        eventually(assert_answered, ARRIVAL)
