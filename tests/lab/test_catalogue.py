"""Rules, dashboards and pictures against the metrics that three real clusters bring."""

import subprocess

import httpx
import pytest

from dashboards import dashboards_of
from fleet.client import PrometheusClient
from settings import Fleet

from .catalogue import Panels, groups, metrics, present, unhealthy
from .clusters import Lab
from .stack import ROOT, eventually
from .workloads import NAMESPACE

pytestmark = pytest.mark.lab
ARRIVAL = 180
"""Seconds until what a cluster has just begun to expose was scraped, shipped and recorded."""

NOT_HERE = {
    "kubelet_certificate_manager_client_expiration_renew_errors": "the lab's kubelets renew no certificate",
    "kubelet_certificate_manager_client_ttl_seconds": "likewise",
    "kubelet_certificate_manager_server_ttl_seconds": "likewise",
    "kubelet_server_expiration_renew_errors": "likewise",
    "kubelet_volume_stats_available_bytes": "a kubelet does not measure volumes that are folders of its node",
    "kubelet_volume_stats_capacity_bytes": "likewise",
    "kubelet_volume_stats_inodes": "likewise",
    "kubelet_volume_stats_inodes_free": "likewise",
    "node_bonding_active": "no machine of the lab has a bond of interfaces",
    "node_bonding_slaves": "likewise",
    "node_md_disks": "no machine of the lab has a RAID",
    "node_md_disks_required": "likewise",
    "node_systemd_service_restart_total": "a pod has no access to systemd",
    "node_systemd_unit_state": "likewise",
    "probe_ssl_last_chain_expiry_timestamp_seconds": "no endpoint of the lab has a certificate of a public authority",
    "prometheus_remote_storage_histograms_dropped_total": "appears with the first one that an agent gives up",
    "prometheus_remote_storage_samples_dropped_total": "likewise",
    "prometheus_sd_refresh_failures_total": "the lab discovers by watching API servers alone",
    **dict.fromkeys(
        (
            *(
                f"prometheus_operator_{what}_operations{of}_total"
                for what in ("list", "watch")
                for of in ("", "_failed")
            ),
            *(f"prometheus_operator_{what}_total" for what in ("reconcile_errors", "reconcile_operations")),
            *(f"prometheus_operator_status_update_{what}_total" for what in ("errors", "operations")),
            *(f"prometheus_operator_{what}" for what in ("managed_resources", "ready", "syncs")),
        ),
        "the dev stack has no Prometheus Operator",
    ),
    "promfleet_agent_shard_expected": "no agent of the dev stack has shards",
    "promfleet_application_expected": "the dev stack has no application",
    "promfleet_cluster_watched": "the dev stack has no watcher",
}
"""Metrics that rules or dashboards use and a healthy lab lacks, and why."""

SOMETIMES = {
    "apiserver_request_terminations_total": "appears with the first request that an API server turns away",
    "aggregator_unavailable_apiservice_total": "appears when an API first becomes unavailable",
    "kube_node_spec_taint": "a node has a taint while it starts, or after it was away",
    "kube_state_metrics_list_total": "appears with the first request that fails",
    "kube_state_metrics_watch_total": "likewise",
    "kubelet_evictions": "appears with the first pod that is evicted",
}
"""Metrics that rules use and that the lab has only after what other tests may do, and when."""

SILENT_PANELS = {
    ("promfleet-namespace", "Volumes"): "a kubelet does not measure volumes that are folders of its node",
    ("promfleet-agents", "Dropped before sending"): "no agent has given up a sample",
    ("promfleet-alertmanager", "Messages failed"): "none has",
    ("promfleet-cardinality", "Jobs"): "its comparison wants yesterday's samples",
    ("promfleet-probes", "Endpoints"): "no endpoint of the lab has a certificate of a public authority",
}
"""Dashboard and panel of which a query has no answer in a healthy lab, and why."""


@pytest.fixture
def pushed(lab, deployed) -> None:
    """A job's last words, which name another cluster than the hub's."""
    outputs = deployed.outputs
    url = outputs["pushgateway"]["url"]
    host, port = url.removeprefix("https://").split(":")
    with httpx.Client(verify=str(lab.ca)) as client:
        answer = client.put(
            f"https://{lab.node_address('hub')}:{port}/metrics/job/backup/instance/db-1",
            content='backup_bytes{cluster="eu1"} 42\n',
            headers={"Authorization": f"Bearer {outputs['pusherToken']}", "Host": host},
            extensions={"sni_hostname": host},
        )
    assert answer.status_code == 200


class TestRules:
    def test_are_all_evaluated(self, hub: PrometheusClient, fleet: Fleet) -> None:
        """
        Prometheus finds nothing wrong with any rule of the catalogue.
        """

        def assert_healthy() -> None:
            found = hub.get("/api/v1/rules").json()["data"]["groups"]
            assert {group["name"] for group in found} == groups(fleet).keys()
            assert unhealthy(hub) == {}

        eventually(assert_healthy, ARRIVAL)

    def test_use_metrics_that_exist(self, hub: PrometheusClient, fleet: Fleet, furnished: None, pushed: None) -> None:
        """
        Each metric that a rule reads is there, or known to be missing here; none is called missing that is there.
        """
        read = metrics(fleet) - SOMETIMES.keys()

        def assert_present() -> None:
            found = present(hub, read | NOT_HERE.keys())
            assert sorted(read - found - NOT_HERE.keys()) == []
            assert sorted(NOT_HERE.keys() & found) == []

        eventually(assert_present, ARRIVAL)


class TestBoards:
    def test_every_panel_has_an_answer(
        self, lab: Lab, hub: PrometheusClient, fleet: Fleet, furnished: None, pushed: None
    ) -> None:
        """
        Asked for eu1, or for the hub's cluster where only that has one, each query of each panel finds something.
        """
        common = {"probe": ".+", "__rate_interval": "1m"}
        pod = ("get", "pod", "-l", "app=jvm", "-o", "jsonpath={.items[0].metadata.name}")
        java = {**common, "cluster": "eu1", "namespace": NAMESPACE, "workload": "jvm", "job": "pods", "node": "eu1"}
        java["pod"] = lab.kubectl("eu1", "-n", NAMESPACE, *pod)
        hubs = {**common, "cluster": "hub", "job": "kubelet", "node": "hub"}
        chosen = [
            java,
            {**java, "pod": "limited"},
            {**java, "pod": "waits"},
            {**hubs, "namespace": "promfleet", "workload": "prometheus-hub", "pod": "prometheus-hub-0"},
            {**hubs, "namespace": "promfleet-node-exporter", "workload": "node-exporter", "pod": ""},
        ]

        panels = Panels(dashboards_of(fleet), chosen)

        def assert_answered() -> None:
            found = panels.silent(hub)
            assert {key: found[key] for key in found.keys() - SILENT_PANELS.keys()} == {}
            assert sorted(SILENT_PANELS.keys() - found.keys()) == []

        eventually(assert_answered, ARRIVAL)


class TestPush:
    def test_has_the_label_of_the_hubs_cluster(self, hub: PrometheusClient, pushed: None) -> None:
        """
        Job and instance are the push's own; the cluster that it claims is kept beside the true one.
        """

        def assert_arrived() -> None:
            found = [s.labels for s in hub.query("backup_bytes")]
            assert found == [
                {
                    "__name__": "backup_bytes",
                    "cluster": "hub",
                    "exported_cluster": "eu1",
                    "instance": "db-1",
                    "job": "backup",
                }
            ]
            [up] = hub.query('up{job="pushgateway"}')
            assert up.labels["cluster"] == "hub"
            assert "exported_cluster" not in up.labels

        eventually(assert_arrived, ARRIVAL)


class TestProbe:
    def test_asks_what_the_stack_file_names(self, hub: PrometheusClient) -> None:
        """
        Through the prober's auth proxy, and under the hub's cluster.
        """

        def assert_asked() -> None:
            asked = hub.query("probe_success")
            assert {s.labels["probe"]: s.value for s in asked} == {"auth-proxy": 1, "dns": 1}
            assert {s.labels["cluster"] for s in asked} == {"hub"}

        eventually(assert_asked, ARRIVAL)


class TestSnapshot:
    def test_draws_the_live_fleet(self, lab, hub: PrometheusClient, tmp_path) -> None:
        """
        The command ends with a picture of all three clusters.
        """
        file = tmp_path / "fleet.png"
        command = [ROOT / ".venv/bin/fleet", "snapshot", "--stack", "dev", "--hours", "1", "--output", file]

        done = subprocess.run(command, cwd=ROOT, env=lab.env, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        assert "3 clusters" in done.stdout
        assert file.read_bytes().startswith(b"\x89PNG")
