from typing import Any

from settings import Fleet
from tests.rendered import server_config

from .relabelling import relabel, visible

FLEET = {
    "clusters": {"hub": {"context": "hub"}},
    "hub": {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
}
ROUTED = {**FLEET, "alertmanager": {"receivers": {"quiet": {}}, "default": "quiet"}}


def config(fleet: dict[str, Any]) -> dict[str, Any]:
    return server_config(Fleet.model_validate(fleet))


class TestNotifier:
    def test_alerts_go_to_every_replica_through_its_proxy(self):
        """
        The hub shows the token that is made for auth proxies, and trusts exactly the certificate of its host.
        """
        [reached] = config(ROUTED)["alerting"]["alertmanagers"]

        assert (reached["scheme"], reached["api_version"]) == ("https", "v2")
        assert reached["tls_config"] == {
            "ca_file": "/etc/prometheus/certificate/tls.crt",
            "server_name": "hub.example",
        }
        assert reached["authorization"]["credentials_file"] == "/var/run/secrets/promfleet.io/token"
        assert [rule["regex"] for rule in reached["relabel_configs"]] == ["notify"]

    def test_two_equal_prometheus_raise_one_alert(self):
        """
        What tells replicas apart is taken off before Alertmanager compares.
        """
        [rule] = config(ROUTED)["alerting"]["alert_relabel_configs"]

        assert rule == {"regex": "hub|replica", "action": "labeldrop"}

    def test_its_replicas_are_scraped_under_the_hubs_cluster(self):
        """
        One job, whose instances are the pods.
        """
        [job] = [job for job in config(ROUTED)["scrape_configs"] if job["job_name"] == "alertmanager"]

        labels = {rule.get("target_label"): rule.get("replacement") for rule in job["relabel_configs"]}
        assert labels["cluster"] == "hub"
        assert "instance" in labels

    def test_what_reloads_its_replicas_is_scraped(self):
        """
        By the port that the Service of the replicas gives it; an instance is the pod, and one metric is kept.
        """
        [job] = [job for job in config(ROUTED)["scrape_configs"] if job["job_name"] == "config-reloader"]
        target = {
            "__address__": "10.0.0.9:8080",
            "__meta_kubernetes_endpointslice_port_name": "reloader",
            "__meta_kubernetes_pod_name": "alertmanager-0",
        }
        told = {"__name__": "reloader_last_reload_successful"}

        found = visible(relabel(target, job["relabel_configs"]))
        assert found == {"cluster": "hub", "instance": "alertmanager-0"}
        assert relabel(told, job["metric_relabel_configs"]) == told
        assert relabel({"__name__": "reloader_watches"}, job["metric_relabel_configs"]) is None

    def test_a_hub_without_alertmanager_notifies_nobody(self):
        """
        Neither a section nor a job is left over.
        """
        found = config(FLEET)

        assert "alerting" not in found
        assert not {"alertmanager", "config-reloader"} & {job["job_name"] for job in found["scrape_configs"]}
