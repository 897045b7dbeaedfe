"""Other people's exporters in a watched cluster: doubled by a chart, or forging what ours bring."""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from fleet.client import PrometheusClient
from fleet.status import look
from render.scrape.untrusted import OWNED
from settings.images import KUBE_STATE_METRICS, NODE_EXPORTER
from tests.promql import OF_TARGETS, owners
from tests.render.test_alerts import CASES

from .catalogue import unhealthy
from .checks import FORGOTTEN, MEMORY, assert_calm, assert_hub_agrees
from .clusters import Lab
from .stack import eventually
from .workloads import exporter

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("unchanged", "refused")]  # previews that run meanwhile
CLUSTER = "eu1"
OURS = re.compile("|".join(OWNED))
NAMESPACE = "promfleet-neighbours"
ANNOTATIONS = {"prometheus.io/scrape": "true", "prometheus.io/interval": "5s"}
SERVICES = {"kube-state-metrics": 8080, "node-exporter": 9100}
"""The neighbour's exporters, as their charts call them and annotate their Services."""


def told_by_a_forger() -> dict[str, str]:
    """Everything that our own jobs tell where an alert fires, twice: what a join looks at is equal."""
    told = {}
    for case in (case for cases in CASES.values() for case in cases):
        for series, values in (pair for part in ("sick", "both", "elsewhere") for pair in case.get(part, {}).items()):
            metric, _, labels = series.partition("{")
            value = re.match(r"-?[\d.]+", values)
            if owners(metric):
                named = re.sub(r'\bjob="[^"]*"(, )?', "", labels.rstrip("}")).strip(", ")
                for twin in ("a", "b"):
                    chosen = ", ".join(part for part in (named, f'twin="{twin}"') if part)
                    told[f"{metric}{{{chosen}}}"] = value[0] if value else "1"
    return told


def script(samples: Mapping[str, str]) -> str:
    text = "\n".join(f"{series} {value}" for series, value in samples.items())
    return f"#!/bin/sh\nprintf 'Content-Type: text/plain; version=0.0.4\\n\\n'\ncat <<'END'\n{text}\nEND\n"


def doubled(name: str, image: str, arguments: list[str]) -> list[dict[str, Any]]:
    """An exporter as its chart deploys it, with the annotation on its Service."""
    metadata, identity = {"name": name, "namespace": NAMESPACE}, {"app": name}
    container = {"name": name, "image": image, "args": arguments, "ports": [{"containerPort": SERVICES[name]}]}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": identity},
                "template": {
                    "metadata": {"labels": identity},
                    "spec": {
                        "serviceAccountName": name,
                        "terminationGracePeriodSeconds": 1,
                        "containers": [container],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "annotations": ANNOTATIONS},
            "spec": {"selector": identity, "ports": [{"name": "metrics", "port": SERVICES[name]}]},
        },
    ]


READS: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": NAMESPACE},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "promfleet-kube-state-metrics",
    },
    "subjects": [{"kind": "ServiceAccount", "name": "kube-state-metrics", "namespace": NAMESPACE}],
}
"""The neighbour's kube-state-metrics may read what ours may."""


@pytest.fixture(scope="module")
def neighbours(lab: Lab) -> Iterator[None]:
    forger = exporter("forger", script({"neighbour_says": "1", **told_by_a_forger()}), "5s", {"replica": "ours"})
    for item in forger:
        item["metadata"]["namespace"] = NAMESPACE
    lab.apply(CLUSTER, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, READS])
    lab.apply(
        CLUSTER,
        [
            *(item for item in forger if item["kind"] != "Namespace"),
            *doubled("kube-state-metrics", KUBE_STATE_METRICS, ["--port=8080", "--resources=pods,deployments,nodes"]),
            *doubled("node-exporter", NODE_EXPORTER, ["--web.listen-address=:9100"]),
        ],
    )
    yield
    lab.kubectl(CLUSTER, "delete", "clusterrolebinding", NAMESPACE)
    lab.kubectl(CLUSTER, "delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture
def told(hub: PrometheusClient, neighbours: None) -> float:
    """When all three neighbours were scraped: the time, in seconds."""

    def assert_scraped() -> None:
        found = hub.query(f'scrape_samples_scraped{{cluster="{CLUSTER}", namespace="{NAMESPACE}"}} > 20')
        assert {s.labels.get("service") for s in found} == {None, *SERVICES}
        assert [s.labels["job"] for s in hub.query("neighbour_says")] == ["pods"]

    eventually(assert_scraped, 180)
    return time.time()


def evaluated(hub: PrometheusClient) -> Mapping[str, float]:
    """Group -> when its rules were last evaluated, in seconds."""
    found = hub.get("/api/v1/rules").json()["data"]["groups"]
    return {group["name"]: datetime.fromisoformat(group["lastEvaluation"]).timestamp() for group in found}


class TestNeighbours:
    def test_speak_for_themselves_only(self, hub: PrometheusClient, told: float) -> None:
        """
        What is theirs arrives; what our exporters tell is nobody else's to tell, and no label of ours is theirs.
        """
        theirs = hub.query(
            f'count by (__name__) ({{cluster="{CLUSTER}", namespace="{NAMESPACE}", job=~"pods|services"}})'
        )
        names = {s.labels["__name__"] for s in theirs}
        assert "neighbour_says" in names
        assert {name for name in names if OURS.fullmatch(name) and not OF_TARGETS.fullmatch(name)} == set()
        assert hub.query(f'{{cluster="{CLUSTER}", namespace="{NAMESPACE}", __name__=~"up|scrape_.+", twin!=""}}') == []
        [said] = hub.query("neighbour_says")
        assert said.labels.get("replica") is None
        assert said.labels["exported_replica"] == "ours"

    def test_break_no_rule(self, hub: PrometheusClient, told: float) -> None:
        """
        Every rule is evaluated with what they tell.
        """

        def assert_evaluated() -> None:
            times = evaluated(hub)
            assert times
            assert {name: at for name, at in times.items() if at < told} == {}

        eventually(assert_evaluated, 120)
        assert unhealthy(hub) == {}

    def test_are_not_counted_as_the_objects_that_they_describe(
        self, lab: Lab, hub: PrometheusClient, told: float
    ) -> None:
        """
        Pods are counted once, at the hub and in `fleet status`, and no target of ours looks down.
        """

        def assert_true() -> None:
            assert_hub_agrees(lab, hub)
            rows = {row.cluster: row for row in look(hub)}
            assert rows[CLUSTER].pods == lab.pods(CLUSTER).total()
            assert rows[CLUSTER].down == 0

        eventually(assert_true, FORGOTTEN)

    def test_raise_no_alert(self, hub: PrometheusClient, told: float) -> None:
        """
        Nothing fires and nothing is about to but what does in a fleet that is well.
        """
        eventually(lambda: assert_calm(hub), MEMORY)
