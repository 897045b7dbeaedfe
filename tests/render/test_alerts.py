"""Each alert fires for the cluster that is in trouble, and for no other."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import prometheus
from alerts import ALERTS
from settings import Fleet

from .promtool import Promtool

pytestmark = pytest.mark.render

FLEET = Fleet.model_validate(
    {
        "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1", "labels": {"region": "eu"}}},
        "hub": {
            "cluster": "hub",
            "storage": "500Gi",
            "expose": {"host": "hub.example", "tls": {"secret": "tls"}},
        },
        "agents": {"eu1": {}},
    }
)
ITSELF = 'job="prometheus", instance="prometheus"'
STEADY = "1+0x60"
BOTH_UP = [(f'up{{cluster="{cluster}", {ITSELF}}}', STEADY) for cluster in ("eu1", "hub")]


class Case(NamedTuple):
    """Series of eu1 in trouble; the hub's are the same but healthy."""

    alert: str
    name: str
    sick: str
    well: str
    labels: str = ITSELF
    needs: tuple[tuple[str, str], ...] = ()
    """Further series of both clusters."""


CASES = [
    Case("PromfleetTargetDown", "up", "0x60", STEADY, 'job="pods", instance="10.0.0.7:80"'),
    Case(
        "PromfleetAgentLagging",
        "prometheus_remote_storage_queue_highest_sent_timestamp_seconds",
        "1000x60",
        "1000+60x60",
        f'{ITSELF}, remote_name="hub", url="https://hub"',
        ((f"prometheus_remote_storage_highest_timestamp_in_seconds{{{ITSELF}, cluster=%s}}", "1000+60x60"),),
    ),
    Case("PromfleetSamplesRejected", "prometheus_remote_storage_samples_failed_total", "0+5x60", "5x60"),
    Case("PromfleetConfigReloadFailed", "prometheus_config_last_reload_successful", "0x60", STEADY),
    Case("PromfleetScrapeLimitExceeded", "prometheus_target_scrape_pool_exceeded_label_limits_total", "0+1x60", "3x60"),
    Case(
        "PromfleetScrapeLimitNear",
        "scrape_samples_post_metric_relabeling",
        "90x60",
        "50x60",
        needs=((f"scrape_sample_limit{{{ITSELF}, cluster=%s}}", "100x60"),),
    ),
    Case("PromfleetTargetInvalid", "prometheus_target_sync_failed_total", "0+1x60", "3x60"),
    Case(
        "PromfleetHubStorageFull",
        "prometheus_tsdb_storage_blocks_bytes",
        "95x60",
        "80x60",
        needs=((f"prometheus_tsdb_retention_limit_bytes{{{ITSELF}, cluster=%s}}", "100x60"),),
    ),
    Case(
        "PromfleetVolumeFull",
        "kubelet_volume_stats_available_bytes",
        "5x60",
        "20x60",
        'persistentvolumeclaim="prometheus-agent"',
        (('kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="prometheus-agent", cluster=%s}', "100x60"),),
    ),
]


def firing(alert: str, series: list[tuple[str, str]], at: str, clusters: list[str]) -> dict[str, Any]:
    """A test of promtool: at this time the alert fires in exactly these clusters."""
    fired = f'count by (cluster) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [
            {
                "expr": fired,
                "eval_time": at,
                "exp_samples": [{"labels": f'{{cluster="{cluster}"}}', "value": 1} for cluster in clusters],
            }
        ],
    }


def check(promtool: Promtool, folder: Path, *tests: dict[str, Any]) -> None:
    rules = prometheus.rules(FLEET)
    for name, text in rules.items():
        (folder / name).write_text(text)
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [*rules], "evaluation_interval": "1m", "tests": list(tests)}))
    promtool.accepts("test", "rules", file)


class TestAlerts:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
    def test_fires_where_the_trouble_is(self, case: Case, promtool: Promtool, tmp_path: Path) -> None:
        """
        eu1 is in trouble and the hub's cluster is well: the alert names eu1 alone.
        """
        series = [
            (f'{case.name}{{{case.labels}, cluster="eu1"}}', case.sick),
            (f'{case.name}{{{case.labels}, cluster="hub"}}', case.well),
            *((name % f'"{cluster}"', values) for name, values in case.needs for cluster in ("eu1", "hub")),
        ]

        check(promtool, tmp_path, firing(case.alert, series, "30m", ["eu1"]))

    def test_a_cluster_that_never_reported(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        A missing cluster is named after ten minutes, and is not called silent.
        """
        check(
            promtool,
            tmp_path,
            firing("PromfleetClusterNeverReported", BOTH_UP[1:], "30m", ["eu1"]),
            firing("PromfleetClusterNeverReported", BOTH_UP, "30m", []),
            firing("PromfleetClusterSilent", BOTH_UP[1:], "30m", []),
        )

    def test_a_cluster_that_fell_silent(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        A cluster is silent within seven minutes of its last sample, and not after two.
        """
        silenced = [(BOTH_UP[0][0], "1+0x20"), BOTH_UP[1]]
        check(
            promtool,
            tmp_path,
            firing("PromfleetClusterSilent", silenced, "22m", []),
            firing("PromfleetClusterSilent", silenced, "27m", ["eu1"]),
            firing("PromfleetClusterNeverReported", silenced, "59m", []),
            firing("PromfleetClusterSilent", BOTH_UP, "30m", []),
        )

    def test_every_alert_is_tested(self) -> None:
        """
        An alert without a case here may never fire.
        """
        others = {"PromfleetClusterNeverReported", "PromfleetClusterSilent"}

        assert {case.alert for case in CASES} | others == set(ALERTS)
