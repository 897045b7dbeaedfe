"""What it costs that the Prometheus Operator is killed, and that it is upgraded by one release."""

import time

import pytest

from lab.images import OPERATOR_BEFORE, RELOADER_BEFORE
from settings.images import CONFIG_RELOADER, PROMETHEUS_OPERATOR
from tests.lab.clusters import Lab
from tests.lab.fleets import OPERATOR, OPERATOR_STACK
from tests.lab.samples import delivered, fired, watching
from tests.lab.stack import Stack, eventually
from tests.lab.stacks import Stacks
from tests.lab.test_fleet import CLUSTERS

from .conftest import Record

pytestmark = pytest.mark.faults
OPERATED = {"hub": "prometheus-prometheus-hub", "eu1": "prom-agent-prometheus-agent"}
"""Cluster -> name of the StatefulSet that the operator makes of the server's or the agent's resource."""
SENT, LONGEST_GAP = 5, 10
"""Seconds: between two samples of a job that is scraped every second, and while an agent's pod is replaced."""
SERVER_GAP = 60
"""Seconds while the server's own pod is replaced, which scrapes its cluster too."""
PATIENCE = 180


def stateful_set(lab: Lab, cluster: str, path: str) -> str:
    return lab.kubectl(
        cluster, "-n", "promfleet", "get", "statefulset", OPERATED[cluster], "-o", f"jsonpath={{{path}}}"
    )


def changes(lab: Lab, cluster: str) -> int:
    """Give how often the StatefulSet's pods were replaced by others: the newest number of its revisions."""
    revision = stateful_set(lab, cluster, ".status.updateRevision")
    asked = ("get", "controllerrevision", revision, "-o", "jsonpath={.revision}")
    return int(lab.kubectl(cluster, "-n", "promfleet", *asked))


def assert_operator_runs(lab: Lab, cluster: str, image: str, reloader: str) -> None:
    """The operator's only pod is of this image, and what it runs has this reloader in every pod."""
    pods = lab.kubectl(
        cluster,
        "-n",
        "promfleet",
        "get",
        "pods",
        "-l",
        "app.kubernetes.io/name=prometheus-operator",
        "-o",
        "jsonpath={.items[*].spec.containers[0].image} {.items[*].status.containerStatuses[0].ready}",
    )
    assert pods.split() == [image, "true"]
    assert reloader in stateful_set(lab, cluster, ".spec.template.spec.containers[*].image").split()
    now, then = ".status.currentRevision", ".status.updateRevision"
    assert stateful_set(lab, cluster, now) == stateful_set(lab, cluster, then)
    assert stateful_set(lab, cluster, ".status.readyReplicas") == "1"


class TestKilledOperator:
    def test_costs_no_sample(self, lab: Lab, operated: Stack, stacks: Stacks, oracle: str, record: Record) -> None:
        """
        What it runs goes on without it, and is not restarted when it is back.
        """
        before = {cluster: changes(lab, cluster) for cluster in OPERATED}
        with stacks.open_prometheus(operated) as hub:
            watches = watching(hub, CLUSTERS)
            for cluster in OPERATED:
                killed = (
                    "delete",
                    "pod",
                    "-l",
                    "app.kubernetes.io/name=prometheus-operator",
                    "--grace-period=0",
                    "--force",
                )
                lab.kubectl(cluster, "-n", "promfleet", *killed)

            for cluster in OPERATED:
                eventually(
                    lambda c=cluster: assert_operator_runs(lab, c, PROMETHEUS_OPERATOR, CONFIG_RELOADER), PATIENCE
                )
            found = delivered(watches)
            alerts = fired(hub, time.time() - watches[0].began)

        assert {cluster: changes(lab, cluster) for cluster in OPERATED} == before
        for cluster, samples in zip(CLUSTERS, found, strict=True):
            assert samples.longest_gap <= SENT
            record(f"the operator is killed: {cluster}", samples, alerts=alerts, healed="its Deployment")


class TestUpgradedOperator:
    def test_rolls_what_it_runs_once(
        self, lab: Lab, operated: Stack, upgrade_parts: None, stacks: Stacks, oracle: str, record: Record
    ) -> None:
        """
        From the release before to the one that is shipped: its reloader is in every pod, so each is replaced once.
        """
        older = {"images": {"prometheusOperator": OPERATOR_BEFORE, "configReloader": RELOADER_BEFORE}}
        stacks.deploy({OPERATOR_STACK: OPERATOR.changed(older)})
        for cluster in OPERATED:
            eventually(lambda c=cluster: assert_operator_runs(lab, c, OPERATOR_BEFORE, RELOADER_BEFORE), PATIENCE)
        before = {cluster: changes(lab, cluster) for cluster in OPERATED}
        with stacks.open_prometheus(operated) as hub:
            watches = watching(hub, CLUSTERS)

        stacks.deploy({OPERATOR_STACK: OPERATOR})

        for cluster in OPERATED:
            eventually(lambda c=cluster: assert_operator_runs(lab, c, PROMETHEUS_OPERATOR, CONFIG_RELOADER), PATIENCE)
        with stacks.open_prometheus(operated) as hub:
            for watch in watches:
                watch.hub = hub
            found = delivered(watches)
            alerts = fired(hub, time.time() - watches[0].began)
        assert {cluster: changes(lab, cluster) - before[cluster] for cluster in OPERATED} == dict.fromkeys(OPERATED, 1)
        for cluster, samples in zip(CLUSTERS, found, strict=True):
            assert samples.longest_gap <= (SERVER_GAP if cluster == "hub" else LONGEST_GAP)
            record(f"the operator is upgraded: {cluster}", samples, alerts=alerts, healed="its StatefulSets")
