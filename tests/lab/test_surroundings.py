"""One cluster with what others have in theirs: a quota, a virtual node, targets that want TLS or a password."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lab.cluster import WIRE
from settings.images import PROMETHEUS

from .clusters import Lab
from .fleets import FLEET, STANDALONE, STANDALONE_STACK
from .secured import USER, Secured
from .stack import Stack, eventually
from .stacks import Stacks
from .workloads import NAMESPACE

pytestmark = pytest.mark.lab
HOST = FLEET["hub"]["expose"]["host"]
"""Name in the only certificate that the lab's authority has signed."""
LIMITED = STANDALONE.changed(
    {
        "limits": {"cpu": 2},  # the lab's nodes do not count ephemeral storage
        "scrape": {"tls": {"caConfigMap": "hub-ca", "serverName": HOST}},
    }
)
FIRST, SECOND = "first-password", "second-password"
SERVER = "prometheus-standalone-0"
LISTENS = 9090
"""Port of Prometheus in its pod, on loopback."""
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "everything", "namespace": "promfleet"},
    "spec": {"hard": {"limits.cpu": "40", "limits.memory": "40Gi"}},
}
VIRTUAL = "virtual"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": VIRTUAL, "labels": {"type": "virtual-kubelet", "kubernetes.io/os": "linux"}},
}
ADDRESSES = [{"type": "InternalIP", "address": "192.0.2.1"}]
SERVING = {
    "prometheus.yml": "{}",
    "web.yml": "tls_server_config: {cert_file: /etc/serving/tls/tls.crt, key_file: /etc/serving/tls/tls.key}",
}


def serving(secret: dict[str, Any]) -> list[dict[str, Any]]:
    """A pod that serves its metrics over TLS only, by the certificate in this Secret."""
    command = ["prometheus", "--config.file=/etc/serving/prometheus.yml", "--web.config.file=/etc/serving/web.yml"]
    command += ["--web.listen-address=:8443", "--storage.tsdb.path=/prometheus"]
    place = {"namespace": NAMESPACE, "name": "serving"}
    annotations = {"scrape": "true", "port": "8443", "scheme": "https"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": SERVING},
        {"apiVersion": "v1", "kind": "Secret", "metadata": place, "data": secret},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **place,
                "annotations": {f"prometheus.io/{key}": value for key, value in annotations.items()},
            },
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "serving",
                        "image": PROMETHEUS,
                        "command": command,
                        "volumeMounts": [
                            {"name": "config", "mountPath": "/etc/serving"},
                            {"name": "tls", "mountPath": "/etc/serving/tls"},
                            {"name": "samples", "mountPath": "/prometheus"},
                        ],
                    }
                ],
                "volumes": [
                    {"name": "config", "configMap": {"name": "serving"}},
                    {"name": "tls", "secret": {"secretName": "serving"}},
                    {"name": "samples", "emptyDir": {}},
                ],
            },
        },
    ]


def password(text: str) -> dict[str, Any]:
    metadata = {"name": "people", "namespace": "promfleet"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"password": text}}


@pytest.fixture(scope="module")
def surroundings(lab: Lab) -> Iterator[None]:
    """What was there before."""
    secret = json.loads(lab.kubectl("hub", "-n", "promfleet", "get", "secret", "hub-tls", "-o", "json"))
    lab.apply("hub", [QUOTA, NODE, *serving(secret["data"])])
    addresses = json.dumps({"status": {"addresses": ADDRESSES}})
    lab.kubectl("hub", "patch", "node", VIRTUAL, "--subresource=status", "--type=merge", "--patch", addresses)
    yield
    lab.kubectl("hub", "delete", "node", VIRTUAL)
    lab.kubectl("hub", "-n", "promfleet", "delete", "resourcequota", "everything")
    lab.kubectl("hub", "-n", NAMESPACE, "delete", "pod/serving", "configmap/serving", "secret/serving", "--wait=false")


@pytest.fixture(scope="module")
def people(lab: Lab, surroundings: None) -> Iterator[Secured]:
    """An exporter outside of the cluster, and the Secret with its password in it."""
    with Secured(str(WIRE[1]), FIRST) as exporter:
        lab.apply("hub", [password(FIRST)])
        yield exporter
    lab.kubectl("hub", "-n", "promfleet", "delete", "secret", "people")


@pytest.fixture(scope="module")
def limited(people: Secured, stacks: Stacks) -> Stack:
    job = {
        "job_name": "people",
        "static_configs": [{"targets": [people.host]}],
        "basic_auth": {"username": USER, "password": {"secret": {"name": "people", "key": "password"}}},
    }
    [stack] = stacks.deploy({STANDALONE_STACK: LIMITED.changed({"scrape": {"jobs": [job]}})})
    return stack


class TestQuota:
    def test_all_pods_are_within_it(self, lab: Lab, limited: Stack) -> None:
        """
        None is refused for want of a limit: each has those that `limits` gives.
        """
        quota = json.loads(lab.kubectl("hub", "-n", "promfleet", "get", "resourcequota", "everything", "-o", "json"))
        pods = json.loads(lab.kubectl("hub", "-n", "promfleet", "get", "pods", "-o", "json"))["items"]
        containers = [container for pod in pods for container in pod["spec"]["containers"]]

        assert {container["resources"]["limits"]["cpu"] for container in containers} == {"2"}
        assert int(quota["status"]["used"]["limits.cpu"]) == 2 * len(containers)


class TestVirtualNode:
    def test_runs_no_exporter(self, lab: Lab, limited: Stack) -> None:
        """
        A DaemonSet tolerates nodes that are not ready; this one leaves out those that run no such pods.
        """
        found = lab.kubectl(
            "hub", "-n", "promfleet-node-exporter", "get", "daemonset", "node-exporter", "-o", "jsonpath={.status}"
        )

        assert json.loads(found)["desiredNumberScheduled"] == 1

    def test_is_discovered_and_not_scraped(self, lab: Lab, limited: Stack) -> None:
        """
        It has no kubelet that could answer, and would be a target that is down for ever.
        """

        def assert_dropped() -> None:
            with lab.forwarded(SERVER, LISTENS) as port:
                targets = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets").raise_for_status().json()["data"]
            label = "__meta_kubernetes_node_name"
            dropped = [each["discoveredLabels"] for each in targets["droppedTargets"]]
            assert {each["job"] for each in dropped if each.get(label) == VIRTUAL} >= {"kubelet", "cadvisor"}
            assert [each for each in targets["activeTargets"] if each["discoveredLabels"].get(label) == VIRTUAL] == []

        eventually(assert_dropped, 60)


class TestTls:
    def test_targets_are_verified_by_their_own_authority(self, stacks: Stacks, limited: Stack) -> None:
        """
        By the ConfigMap and the name that `scrape.tls` says.
        """
        with stacks.open_prometheus(limited) as server:

            def assert_up() -> None:
                assert [up.value for up in server.query('up{job="pods", pod="serving"}')] == [1]

            eventually(assert_up, 120)


class TestOwnJob:
    def test_shows_a_password_that_may_change(self, lab: Lab, stacks: Stacks, limited: Stack, people: Secured) -> None:
        """
        It is read from the Secret at every scrape, so a new one takes no restart; its series are of this cluster.
        """
        pod = ("-n", "promfleet", "get", "pod", SERVER, "-o", "jsonpath={.metadata.uid} {..restartCount}")
        before = lab.kubectl("hub", *pod)
        with stacks.open_prometheus(limited) as server:

            def assert_scraped() -> None:
                found = server.query('people_total{job="people", exported_cluster="elsewhere"}')
                assert [one.labels["cluster"] for one in found] == ["hub"]
                assert [one.value for one in server.query('up{job="people"}')] == [1]

            def assert_refused() -> None:
                assert [one.value for one in server.query('up{job="people"}')] == [0]

            def assert_renewed() -> None:
                lab.update_mounts("hub")
                assert_scraped()

            eventually(assert_scraped, 60)
            people.password = SECOND
            eventually(assert_refused, 60)
            lab.apply("hub", [password(SECOND)])

            eventually(assert_renewed, 120)
        assert lab.kubectl("hub", *pod) == before
