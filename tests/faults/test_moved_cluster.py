"""What a fleet loses while its clusters move to the Prometheus Operator and away from it."""

import time

import pytest

from fleet.client import PrometheusClient
from tests.lab.clusters import Lab
from tests.lab.fleets import OPERATOR, OPERATOR_STACK
from tests.lab.samples import answers, delivered, fired, watching
from tests.lab.stack import Stack
from tests.lab.stacks import Stacks
from tests.lab.test_fleet import CLUSTERS

from .conftest import Record

pytestmark = pytest.mark.faults
MOVED = {
    "clusters": {"hub": {"operator": None}, "eu1": {"operator": None}, "us1": {"operator": {"install": True}}},
}
"""What changes the stack file to one with the operator in the other cluster."""
PAST, LONGEST_GAP = 60, 120
"""Seconds: of samples to look back on, and without a sample while a Prometheus is stopped and another starts."""


class TestMove:
    def test_costs_no_more_than_two_restarts(
        self, lab: Lab, operated: Stack, stacks: Stacks, oracle: str, record: Record
    ) -> None:
        """
        One line in the stack file moves a cluster, there and back; the server keeps its samples.
        """
        until = str(int(time.time()))

        def counted(hub: PrometheusClient) -> dict[str, float]:
            found = answers(hub, f'sum by (job) (count_over_time(up{{cluster="hub"}}[{PAST}s]))', time=until)
            return {one["metric"]["job"]: float(one["value"][1]) for one in found}

        with stacks.open_prometheus(operated) as hub:
            watches = watching(hub, CLUSTERS)
            before = counted(hub)

        stacks.deploy({OPERATOR_STACK: OPERATOR.changed(MOVED)})

        for cluster, kind in {"hub": "prometheus", "eu1": "prometheusagent"}.items():
            assert lab.kubectl(cluster, "-n", "promfleet", "get", kind, "-o", "name").strip() == ""
        assert "prometheus-agent" in lab.kubectl("us1", "-n", "promfleet", "get", "prometheusagent", "-o", "name")
        with stacks.open_prometheus(operated) as hub:
            for watch in watches:
                watch.hub = hub
            found = delivered(watches)
            assert counted(hub) == before != {}
            alerts = fired(hub, time.time() - watches[0].began)
        assert [samples for samples in found if samples.longest_gap > LONGEST_GAP] == []
        for cluster, samples in zip(CLUSTERS, found, strict=True):
            direction = "to the operator" if cluster == "us1" else "away from the operator"
            record(f"{cluster} moves {direction}", samples, alerts=alerts, healed="what was down is not scraped")
