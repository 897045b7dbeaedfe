"""What happens to an agent whose account at the hub is gone."""

import time

import pytest

from fleet.client import PrometheusClient
from tests.lab import fleets
from tests.lab.clusters import Lab
from tests.lab.samples import delivered, fired, watching
from tests.lab.stack import Stack, eventually
from tests.lab.stacks import Stacks

from .conftest import Record

pytestmark = pytest.mark.faults
PATIENCE = 180
"""Seconds: the auth proxy remembers for two minutes whom it knows."""


@pytest.fixture
def deployed(stacks: Stacks) -> Stack:
    """The dev stack, whose agents have tokens of the hub's cluster."""
    [stack] = stacks.deploy({"dev": fleets.TOKENS})
    return stack


class TestDeletedAccount:
    def test_stops_its_writes_until_it_has_a_new_token(
        self, lab: Lab, deployed: Stack, hub: PrometheusClient, oracle: str, record: Record
    ) -> None:
        """
        Its token is unknown once the auth proxy's cache has forgotten it, and what it sends then is lost.

        What was deleted by hand `--refresh` finds and mends, and the agent reads its new token without a restart.
        """
        [watch] = watching(hub, ["us1"])
        pod = ("us1", "-n", "promfleet", "get", "pod", "prometheus-agent-0", "-o", "jsonpath={.metadata.uid}")
        before = lab.kubectl(*pod)
        old = deployed.outputs["writerTokens"]["us1"]
        lab.kubectl("hub", "-n", "promfleet", "delete", "serviceaccount", "writer-us1")

        def assert_refused() -> None:
            newest = {s.labels["cluster"]: s.value for s in hub.query("time() - max by (cluster) (timestamp(up))")}
            assert newest["us1"] > 30

        eventually(assert_refused, PATIENCE + 60)
        deployed.pulumi("up", "--refresh", "--yes", "--skip-preview")

        assert deployed.outputs["writerTokens"]["us1"] != old
        [samples] = delivered([watch], PATIENCE)
        assert samples.longest_gap > 30
        assert lab.kubectl(*pod) == before
        record(
            "an agent's account at the hub is deleted",
            samples,
            alerts=fired(hub, time.time() - watch.began),
            healed="`pulumi up --refresh` made a new token, which the agent read without a restart",
        )
