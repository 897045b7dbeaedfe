"""A Java program with Micrometer, which the operator's agent scrapes in one cluster and a plain agent in another."""

import json
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from dashboards import jvm
from fleet.client import PrometheusClient
from lab.images import SHOP
from lab.node import LabError

from . import fleets
from .catalogue import Panels
from .checks import FORGOTTEN, JOBS
from .clusters import Lab
from .stack import Stack, eventually
from .stacks import Stacks
from .test_operator import SECONDS, TEAM, rule

pytestmark = [pytest.mark.lab, pytest.mark.long]
METRICS = "/actuator/prometheus"
SOLD = {"app": "shop", "app.kubernetes.io/part-of": "store"}
SHARED = {"namespace": TEAM, "selector": SOLD, "port": "http", "path": METRICS, "interval": "5s", "job": "shop"}
SELLING = fleets.OPERATOR.changed(
    {
        "clusters": {"us1": {"namespaced": True}},
        "applications": {f"shop-{cluster}": {"cluster": cluster, **SHARED} for cluster in fleets.AGENTS},
    }
)
"""
The file of the operator's stack, with the program in the clusters of both kinds of agents.

That of us1 may list the namespaces of its targets only.
"""
LABELS = {"cluster", "container", "endpoint", "instance", "job", "namespace", "node", "pod", "service"}
SILENT = {"Connections to databases", "Errors logged per second", "Garbage collection"}
"""Panels that may be empty: it has no database, no logback, and garbage to collect after a while only."""


def shop() -> list[dict[str, Any]]:
    """The program as its team deploys it, without an annotation and without a monitor."""
    pods = {"app": "shop"}
    container = {
        "name": "shop",
        "image": SHOP,
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2},
    }
    named = {"name": "shop", "namespace": TEAM}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": named,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": pods},
                "template": {
                    "metadata": {"labels": pods},
                    "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**named, "labels": SOLD},
            "spec": {"selector": pods, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        },
    ]


@pytest.fixture(scope="module")
def team(lab: Lab, java_parts: None) -> Iterator[None]:
    """Both clusters with the program in a namespace of its own, before anybody scrapes it."""
    for cluster in fleets.AGENTS:
        lab.apply(cluster, shop())
    for cluster in fleets.AGENTS:
        lab.kubectl(cluster, "-n", TEAM, "rollout", "status", "deployment/shop", f"--timeout={SECONDS}s")
    yield
    for cluster in fleets.AGENTS:
        lab.kubectl(cluster, "delete", "namespace", TEAM)


@pytest.fixture
def selling(stacks: Stacks, operator_parts: None, team: None) -> Stack:
    """The stack that names the program; every cluster reports."""
    [stack] = stacks.deploy({fleets.OPERATOR_STACK: SELLING})
    return stack


@pytest.fixture
def hub(selling: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    with stacks.open_prometheus(selling) as hub:
        yield hub


def pod(lab: Lab, cluster: str) -> str:
    return lab.kubectl(cluster, "-n", TEAM, "get", "pod", "-l", "app=shop", "-o", "jsonpath={.items[0].metadata.name}")


def ours(lab: Lab, cluster: str) -> list[str]:
    """Name what this program has in the namespace, but the agent's right to it."""
    kinds = "serviceaccounts,configmaps,secrets,services,networkpolicies"
    monitors = ",servicemonitors" if cluster == "eu1" else ""
    chosen = ("-l", "app.kubernetes.io/part-of=promfleet", "-o", "name")
    return lab.kubectl(cluster, "-n", TEAM, "get", kinds + monitors, *chosen).split()


class TestApplications:
    def test_have_the_same_series_whoever_scrapes_them(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        Memory of a real JVM is at the hub from both clusters, with the names and labels of each other's series.
        """

        def assert_alike() -> None:
            lab.update_mounts("eu1")
            found = hub.query('{job="shop", namespace="shop"}')
            names = {
                cluster: {(s.labels["__name__"], *sorted(s.labels)) for s in found if s.labels["cluster"] == cluster}
                for cluster in fleets.AGENTS
            }
            memory = [s for s in found if s.labels["__name__"] == "jvm_memory_used_bytes"]
            assert {s.labels["cluster"]: s.labels["pod"] for s in memory} == {
                cluster: pod(lab, cluster) for cluster in fleets.AGENTS
            }
            assert all(s.value > 0 for s in memory if s.labels["id"] == "Metaspace")
            assert all(s.labels.keys() - {"__name__", "area", "id"} == LABELS for s in memory)
            assert {one for one in names["eu1"] ^ names["us1"] if not one[0].startswith("jvm_gc_pause")} == set()

        eventually(assert_alike, 2 * SECONDS)

    def test_are_on_the_dashboard(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        The panels for programs with Micrometer have an answer for it.
        """
        chosen = {"cluster": "eu1", "job": "shop", "namespace": TEAM, "pod": pod(lab, "eu1"), "__rate_interval": "1m"}
        panels = Panels((jvm.DASHBOARD,), [chosen])

        def assert_answered() -> None:
            assert {title for _, title in panels.silent(hub)} - SILENT == set()

        eventually(assert_answered, SECONDS)

    def test_are_found_without_a_right_to_others_pods(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        The agent of us1 may list pods where its targets are, and every target of its jobs is up.
        """
        agent = "--as=system:serviceaccount:promfleet:prometheus-agent"
        allowed = {
            namespace: lab.kubectl("us1", "-n", namespace, "auth", "can-i", "list", "pods", agent).strip()
            for namespace in (TEAM, "kube-system")
        }

        def assert_up() -> None:
            up = {s.labels["job"]: s.value for s in hub.query('min by (job) (up{cluster="us1"})')}
            assert up == dict.fromkeys((*JOBS, "shop"), 1)

        assert allowed == {TEAM: "yes", "kube-system": "yes"}
        with pytest.raises(LabError):
            lab.kubectl("us1", "-n", "kube-public", "auth", "can-i", "list", "pods", agent)
        eventually(assert_up, FORGOTTEN)

    def test_leave_the_namespace_alone(self, lab: Lab, selling: Stack) -> None:
        """
        The operator's cluster has a ServiceMonitor there and nothing else, the other one nothing.
        """
        assert ours(lab, "us1") == []
        assert ours(lab, "eu1") == ["servicemonitor.monitoring.coreos.com/promfleet-shop-eu1"]
        for cluster in fleets.AGENTS:
            metadata = json.loads(lab.kubectl(cluster, "get", "namespace", TEAM, "-o", "json"))["metadata"]
            assert metadata["labels"] == {"kubernetes.io/metadata.name": TEAM}
            assert "promfleet" not in json.dumps(metadata.get("annotations", {}))


class TestUnread:
    def test_rules_in_an_agents_cluster_are_named_in_a_preview(self, lab: Lab, selling: Stack) -> None:
        """
        Nobody evaluates them; the ServiceMonitors beside are read, and nothing is said of them.
        """
        lab.apply("eu1", [rule("lost", "sum(up)")])
        try:
            said = " ".join(selling.pulumi("preview").split())
        finally:
            lab.kubectl("eu1", "-n", TEAM, "delete", "prometheusrule", "lost")

        assert "eu1: no Prometheus reads 1 PrometheusRules of this cluster: shop/lost." in said
        assert "ServiceMonitors" not in said


class TestRemoved:
    def test_nothing_of_it_stays(self, lab: Lab, selling: Stack, stacks: Stacks) -> None:
        """
        The program runs on, and its namespace is as it was.
        """
        stacks.deploy({fleets.OPERATOR_STACK: fleets.OPERATOR})

        assert ours(lab, "eu1") == []
        assert pod(lab, "eu1")
