"""Rules, dashboards and pictures against the metrics that three real clusters bring."""

import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from alerts import MAINTENANCE, WATCHDOG
from dashboards import dashboards_of
from fleet.hub import Hub
from settings import Fleet

from .catalogue import Panels, groups, metrics, present, raised, unhealthy
from .clusters import Lab
from .stack import ROOT, eventually
from .workloads import IMAGE, NAMESPACE, exporter

pytestmark = pytest.mark.lab
ARRIVAL = 180
"""Seconds until what a cluster has just begun to expose was scraped, shipped and recorded."""

MEMORY = 600
"""Seconds for which the rules look back at what other tests broke."""
NOT_HERE = {
    "apiserver_request_terminations_total": "appears with the first request that an API server turns away",
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
    "probe_ssl_earliest_cert_expiry": "no endpoint of the lab has a certificate of a public authority",
    "prometheus_remote_storage_samples_dropped_total": "appears with the first sample that an agent gives up",
    "prometheus_sd_refresh_failures_total": "the lab discovers by watching API servers alone",
}
"""Metrics that rules or dashboards use and a healthy lab lacks, and why."""

SOMETIMES = {
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

COUNTED = {
    "http_server_requests_seconds_count": 'status="200",uri="/cart"',
    "http_server_requests_seconds_sum": 'status="200",uri="/cart"',
    "jvm_gc_pause_seconds_sum": 'cause="full"',
    "jvm_gc_pause_seconds_count": 'cause="full"',
    "logback_events_total": 'level="error"',
}
MEASURED = (
    'jvm_memory_used_bytes{area="heap",id="eden"}',
    'jvm_memory_used_bytes{area="nonheap",id="metaspace"}',
    'jvm_memory_max_bytes{area="heap",id="eden"}',
    "jvm_threads_live_threads",
    'jvm_threads_states_threads{state="runnable"}',
    'hikaricp_connections_active{pool="db"}',
    'hikaricp_connections_max{pool="db"}',
    "process_cpu_usage",
    "process_files_max_files",
    "process_files_open_files",
    "process_uptime_seconds",
)
JVM = "\n".join(
    [
        "#!/bin/sh",
        "printf 'Content-Type: text/plain; version=0.0.4\\n\\n'",
        *(f"printf '{name}{{{labels}}} %s\\n' $(date +%s)" for name, labels in COUNTED.items()),
        *(f"printf '{series} 7\\n'" for series in MEASURED),
    ]
)
"""Exposes what Micrometer does of a Java program."""


def objects() -> Iterator[dict[str, Any]]:
    """One of each thing that rules and dashboards speak of, where a bare cluster has none."""
    meta = {"namespace": NAMESPACE}
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "work", "image": IMAGE, "command": ["/bin/busybox", "true"]}],
    }
    limited = {
        "name": "limited",
        "image": IMAGE,
        "command": ["/bin/busybox", "sleep", "86400"],
        "resources": {"limits": {"cpu": "50m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    yield {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**meta, "name": "once"},
        "spec": {"template": {"spec": pod}},
    }
    failing = {**pod, "containers": [{**pod["containers"][0], "command": ["/bin/busybox", "false"]}]}
    yield {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**meta, "name": "fails"},
        "spec": {"backoffLimit": 0, "template": {"spec": failing}},
    }
    yield {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {**meta, "name": "yearly"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }
    yield {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {**meta, "name": "jvm"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "jvm"},
            "minReplicas": 1,
            "maxReplicas": 2,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
    }
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {**meta, "name": "jvm"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "jvm"}}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {**meta, "name": "all"},
        "spec": {"hard": {"pods": "50"}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**meta, "name": "limited"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "name": "limited"},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [limited],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "limited"}}],
        },
    }
    yield lone_pod("crashes", ["false"])
    yield lone_pod("waits", ["true"], image="lab.local/busybox:never")
    yield lone_pod("homeless", ["sleep", "86400"], nodeSelector={"lab.local/no-such-node": ""})


def lone_pod(name: str, command: Sequence[str], image: str = IMAGE, **spec: Any) -> dict[str, Any]:
    """A pod of one container that nothing else makes or mends."""
    container = {"name": name, "image": image, "command": ["/bin/busybox", *command]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": NAMESPACE, "name": name},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec},
    }


@pytest.fixture(scope="module")
def furnished(lab) -> Iterator[None]:
    """eu1 with one of everything."""
    made = [*exporter("jvm", JVM, "15s"), *objects()]
    lab.apply("eu1", made)
    yield
    kinds = {f"{item['kind']}/{item['metadata']['name']}" for item in made if item["kind"] != "Namespace"}
    lab.kubectl("eu1", "-n", NAMESPACE, "delete", "--wait=false", *sorted(kinds))


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
    def test_are_all_evaluated(self, hub: Hub, fleet: Fleet) -> None:
        """
        Prometheus finds nothing wrong with any rule of the catalogue.
        """

        def assert_healthy() -> None:
            found = hub.get("/api/v1/rules").json()["data"]["groups"]
            assert {group["name"] for group in found} == groups(fleet).keys()
            assert unhealthy(hub) == {}

        eventually(assert_healthy, ARRIVAL)

    def test_find_nothing_wrong_with_a_healthy_fleet(self, hub: Hub) -> None:
        """
        Nothing fires and nothing is about to, but the heartbeat and what tells of a maintenance.
        """

        def assert_calm() -> None:
            assert raised(hub) == {f"{WATCHDOG} in hub", f"{MAINTENANCE} in us1"}

        eventually(assert_calm, MEMORY + ARRIVAL)

    def test_use_metrics_that_exist(self, hub: Hub, fleet: Fleet, furnished: None, pushed: None) -> None:
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
    def test_every_panel_has_an_answer(self, lab: Lab, hub: Hub, fleet: Fleet, furnished: None, pushed: None) -> None:
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
    def test_stands_under_the_hubs_cluster(self, hub: Hub, pushed: None) -> None:
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
    def test_asks_what_the_stack_file_names(self, hub: Hub) -> None:
        """
        Through the prober's auth proxy, and under the hub's cluster.
        """

        def assert_asked() -> None:
            asked = hub.query("probe_success")
            assert {s.labels["probe"]: s.value for s in asked} == {"auth-proxy": 1, "dns": 1}
            assert {s.labels["cluster"] for s in asked} == {"hub"}

        eventually(assert_asked, ARRIVAL)


class TestSnapshot:
    def test_draws_the_live_fleet(self, lab, hub: Hub, tmp_path) -> None:
        """
        The command ends with a picture of all three clusters.
        """
        file = tmp_path / "fleet.png"
        command = [ROOT / ".venv/bin/fleet", "snapshot", "--stack", "dev", "--hours", "1", "--output", file]

        done = subprocess.run(command, cwd=ROOT, env=lab.env, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        assert "3 clusters" in done.stdout
        assert file.read_bytes().startswith(b"\x89PNG")
