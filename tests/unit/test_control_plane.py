import re
from typing import Any

import pytest
import yaml

import render
from settings import Fleet
from settings.control_plane import OF_CONTROL_PLANE
from settings.reserved import OUR_JOBS
from tests.unit.builders import HUB
from tests.unit.relabelling import relabel, visible

ALL: dict[str, Any] = {"scheduler": {}, "controllerManager": {}, "etcd": {}, "kubeProxy": {}}
CONTROL, WORKER = (
    {
        "__address__": "10.0.0.1:10250",
        "__meta_kubernetes_node_name": "n1",
        "__meta_kubernetes_node_address_InternalIP": "10.0.0.1",
        "__meta_kubernetes_node_label_kubernetes_io_os": "linux",
        **labels,
    }
    for labels in ({"__meta_kubernetes_node_labelpresent_node_role_kubernetes_io_control_plane": "true"}, {})
)


def fleet(control_plane: dict[str, Any], **cluster: Any) -> Fleet:
    """A hub, an agent in a cluster with this control plane, and one in a cluster that says nothing of its own."""
    clusters: dict[str, dict[str, Any]] = {name: {"context": name} for name in ("hub", "us1")}
    clusters["eu1"] = {"context": "eu1", "controlPlane": control_plane, **cluster}
    return Fleet.model_validate({"clusters": clusters, "hub": HUB, "agents": {"eu1": {}, "us1": {}}})


def jobs(described: Fleet, cluster: str = "eu1") -> dict[str, dict[str, Any]]:
    text = render.agent_config(described, cluster, "https://h", own=True, ca_file=None, token_file="/t")
    return {config["job_name"]: config for config in yaml.load(text, yaml.CSafeLoader)["scrape_configs"]}


class TestJobs:
    def test_there_are_none_unless_somebody_asks_for_them(self) -> None:
        """
        Most clusters hide their control plane, and kubeadm's listens on loopback.
        """
        assert jobs(fleet({})).keys().isdisjoint(OF_CONTROL_PLANE)
        assert jobs(fleet(ALL), "us1").keys().isdisjoint(OF_CONTROL_PLANE)

    def test_nobody_elses_job_takes_their_names(self) -> None:
        """
        Alerts select by them.
        """
        assert [job for job in OF_CONTROL_PLANE if not re.fullmatch(OUR_JOBS, job)] == []

    @pytest.mark.parametrize(
        ("job", "port"),
        [("kube-scheduler", 10259), ("kube-controller-manager", 10257), ("kube-etcd", 2381), ("kube-proxy", 10249)],
    )
    def test_are_asked_at_their_usual_ports_of_the_nodes(self, job: str, port: int) -> None:
        """
        What listens on another one is asked there; a series tells the node.
        """
        found = relabel(CONTROL, jobs(fleet(ALL))[job]["relabel_configs"])
        moved = {name: {"port": 1234} for name in ALL}
        elsewhere = relabel(CONTROL, jobs(fleet(moved))[job]["relabel_configs"])

        assert found is not None
        assert elsewhere is not None
        assert found["__address__"] == f"10.0.0.1:{port}"
        assert visible(found) == {"node": "n1", "cluster": "eu1"}
        assert elsewhere["__address__"] == "10.0.0.1:1234"

    def test_only_proxies_run_on_every_node(self) -> None:
        """
        A worker has no scheduler.
        """
        made = jobs(fleet(ALL))

        kept = {job for job in OF_CONTROL_PLANE if relabel(WORKER, made[job]["relabel_configs"]) is not None}

        assert kept == {"kube-proxy"}

    def test_a_windows_node_has_no_proxy_of_ours_to_ask(self) -> None:
        """
        Its kube-proxy is another program.
        """
        windows = {**WORKER, "__meta_kubernetes_node_label_kubernetes_io_os": "windows"}

        assert relabel(windows, jobs(fleet(ALL))["kube-proxy"]["relabel_configs"]) is None

    def test_nodes_of_etcd_may_have_a_label_of_their_own(self) -> None:
        """
        As RKE2 gives it to nodes without an API server.
        """
        rules = jobs(fleet({"etcd": {"nodes": "node-role.kubernetes.io/etcd"}}))["kube-etcd"]["relabel_configs"]
        labelled = {**WORKER, "__meta_kubernetes_node_labelpresent_node_role_kubernetes_io_etcd": "true"}

        assert relabel(labelled, rules) is not None
        assert relabel(CONTROL, rules) is None

    def test_the_token_is_shown_to_whom_the_clusters_authority_vouches_for(self) -> None:
        """
        Unless somebody says otherwise.
        """
        said = {"scheduler": {"serverName": "scheduler.example"}, "controllerManager": {"insecureSkipVerify": True}}
        made = jobs(fleet(said))

        scheduler, manager = made["kube-scheduler"], made["kube-controller-manager"]
        assert scheduler["scheme"] == manager["scheme"] == "https"
        assert scheduler["authorization"] == jobs(fleet({}))["kubelet"]["authorization"]
        assert scheduler["tls_config"] == {
            "ca_file": "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
            "server_name": "scheduler.example",
        }
        assert manager["tls_config"]["insecure_skip_verify"] is True

    def test_etcd_and_proxies_get_no_token(self) -> None:
        """
        They speak plain HTTP, and ask nobody.
        """
        made = jobs(fleet(ALL))

        assert not {"authorization", "scheme", "tls_config"} & (made["kube-etcd"].keys() | made["kube-proxy"].keys())

    def test_a_client_certificate_of_etcd_is_mounted_from_a_secret(self) -> None:
        """
        Where its configuration says.
        """
        tls = {
            "cert_file": {"secret": {"name": "etcd-client", "key": "tls.crt"}},
            "key_file": {"secret": {"name": "etcd-client", "key": "tls.key"}},
        }
        described = fleet({"etcd": {"port": 2379, "client": {"scheme": "https", "tls_config": tls}}})

        asked = jobs(described)["kube-etcd"]["tls_config"]

        mounted = [
            f"/etc/prometheus/jobs/{one.kind}/{one.name}/{one.key}" for one in render.mounted_files(described, "eu1")
        ]
        assert [asked["cert_file"], asked["key_file"]] == mounted


class TestAlerts:
    def test_are_for_the_clusters_that_have_the_job(self) -> None:
        """
        Where nobody asks for it there are no series, so that no cluster need be named.
        """
        some = yaml.safe_load(render.rules(fleet({"scheduler": {}}))["control-plane.yml"])["groups"][0]["rules"]

        [rule] = some
        assert rule["alert"] == "KubeSchedulerDown"
        assert "us1" not in rule["expr"]
        assert "eu1" not in rule["expr"]
        assert "control-plane.yml" not in render.rules(fleet({}))
