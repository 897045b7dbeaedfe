"""Two configurations of others in the lab: their stack files, changed where the lab is not what they name."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.client import PrometheusClient
from settings.loading.load import merged_file

from .clusters import Lab
from .fleets import FLEET, StackFile, merged
from .stack import ROOT, eventually
from .stacks import Stacks
from .workloads import exporter

pytestmark = [pytest.mark.lab, pytest.mark.long]

HERE = ROOT / "tests" / "migrations"
SECONDS = 360
"""Until a hub with an interval of a minute has forgotten the pods that are gone, and recorded those that are there."""
LENT = {key: FLEET[key] for key in ("createNamespace", "protect")}
EXPOSE = merged(FLEET["hub"]["expose"], {"tls": {"issuer": None}, "gateway": None})
"""At ports of nodes, with the certificate of the lab."""
LEFT_OUT = {"grafana", "include", "workloads"}
"""Sections that the lab can't have: there is no image of Grafana, and its nodes are smaller than `workloads` asks."""
PROBLEMS = """#!/bin/sh
printf 'Content-Type: text/plain; version=0.0.4\\n\\n'
printf 'problem_gauge{type="KernelDeadlock",reason="DockerHung"} 1\\n'
"""


def lent(file: str, clusters: Mapping[str, Any], changes: Mapping[str, Any]) -> StackFile:
    """Give a stack file in these clusters of the lab; it finds what it names from another folder."""
    path = HERE / file
    fleet = {key: value for key, value in merged_file(path).fleet.items() if key not in LEFT_OUT}
    fleet = merged({**fleet, "clusters": clusters}, {**LENT, **changes})
    alerts = fleet.get("alerts", {})
    for key in {"ruleFiles", "ruleTests"} & alerts.keys():
        alerts[key] = beside(path.parent, alerts[key])
    return StackFile(fleet)


def beside(folder: Path, patterns: Sequence[str]) -> list[str]:
    """Give patterns of files that begin at the project, in which the stack files of tests are."""
    return [f"{folder.relative_to(ROOT).as_posix()}/{pattern}" for pattern in patterns]


def hub_and_agent() -> dict[str, StackFile]:
    """The shared cluster and a workload cluster, each with its own stack."""
    facts = FLEET["clusters"]
    hub = {
        "hub": {"storage": FLEET["hub"]["storage"], "retention": "7d", "expose": EXPOSE},
        "pushgateway": FLEET["pushgateway"],
        "alerts": {"rules": FLEET["alerts"]["rules"]},
    }
    shared, eu1 = ({key: facts[name][key] for key in ("context", "series")} for name in ("hub", "eu1"))
    return {
        "hub": lent("remote-write-hub/Pulumi.hub.yaml", {"shared": shared}, hub),
        "agents": lent("remote-write-hub/Pulumi.agents.yaml", {"eu1": eu1}, {}),
    }


def with_operator() -> dict[str, StackFile]:
    """The cluster of the build servers, whose exporter of problems answers at another path."""
    facts = FLEET["clusters"]["hub"]
    cluster = {"context": facts["context"], "series": facts["series"], "operator": {"install": True}}
    jobs = [
        {**job, "metrics_path": "/cgi-bin/metrics"}
        for job in yaml.safe_load((HERE / "aks-operator-overlays" / "jobs" / "pods.yaml").read_text(encoding="utf-8"))
    ]
    changes = {
        "standalone": {"storage": "5Gi", "retention": "7d", "expose": EXPOSE},
        "scrape": {"interval": "15s", "jobs": jobs},
        "alerts": {"rules": FLEET["alerts"]["rules"]},
        "alertmanager": {"replicas": 1, "storage": "1Gi", "expose": FLEET["alertmanager"]["expose"]},
    }
    return {"tools": lent("aks-operator-overlays/Pulumi.tools-00.yaml", {"tools-00": cluster}, changes)}


class TestHubAndAgents:
    @pytest.fixture
    def hub(self, stacks: Stacks) -> Iterator[PrometheusClient]:
        hub, _ = stacks.deploy(hub_and_agent())
        with stacks.open_prometheus(hub) as client:
            yield client

    def test_show_what_the_manifests_were_for(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        The rule file that came along counts each cluster's pods in each namespace as its API server does.
        """

        def assert_counted() -> None:
            found = hub.query("cluster_namespace:pods:count")
            told = {(s.labels["cluster"], s.labels["namespace"]): int(s.value) for s in found}
            lenders = {"shared": "hub", "eu1": "eu1"}
            assert told == {(name, ns): n for name, lender in lenders.items() for ns, n in lab.pods(lender).items()}

        eventually(assert_counted, SECONDS)

    def test_scrape_one_job_more_often(self, hub: PrometheusClient) -> None:
        """
        Prometheus itself every five seconds, kubelets every minute.
        """

        def assert_often() -> None:
            [own] = hub.query('count_over_time(up{cluster="shared", job="prometheus"}[2m])')
            [kubelet] = hub.query('count_over_time(up{cluster="shared", job="kubelet"}[2m])')
            assert own.value > 20
            assert kubelet.value <= 3

        eventually(assert_often, SECONDS)


class TestOperator:
    @pytest.fixture
    def problems(self, lab: Lab) -> Iterator[None]:
        """A node-problem-detector that has found something, the receivers' Secret, and the namespace of the builds."""
        labels = {"app.kubernetes.io/name": "node-problem-detector"}
        made = exporter("node-problem-detector", PROBLEMS, "15s", labels, namespace="monitoring")
        [container] = made[-1]["spec"]["template"]["spec"]["containers"]
        container["ports"] = [{"name": "exporter", "containerPort": 8080}]
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "slack", "namespace": "promfleet"}}
        lab.apply("hub", [*made, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "jenkins"}}])
        lab.apply("hub", [{**secret, "stringData": {"url": "https://slack.invalid/hook"}}])
        yield
        lab.kubectl("hub", "delete", "namespace", "monitoring", "jenkins", "--wait=false")
        lab.kubectl("hub", "-n", "promfleet", "delete", "secret", "slack", "--ignore-not-found")

    @pytest.fixture
    def server(self, stacks: Stacks, operator_parts: None, problems: None) -> Iterator[PrometheusClient]:
        [stack] = stacks.deploy(with_operator())
        with stacks.open_prometheus(stack) as client:
            yield client

    def test_evaluates_what_came_along(self, lab: Lab, server: PrometheusClient) -> None:
        """
        A job of theirs finds the pod, and a rule of theirs tells of its problem with the node's name.
        """
        node = lab.kubectl("hub", "get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")

        def assert_told() -> None:
            found = server.query('ALERTS{alertname="NodeProblem"}')
            assert [(s.labels["cluster"], s.labels["node"], s.labels["severity"]) for s in found] == [
                ("tools-00", node, "critical")
            ]

        eventually(assert_told, SECONDS)
        rules = lab.kubectl("hub", "-n", "promfleet", "get", "prometheusrules", "-o", "yaml")
        assert all(alert in rules for alert in ("LocalDnsDown", "ReconciliationSlow", "BuildQueueStuck"))
