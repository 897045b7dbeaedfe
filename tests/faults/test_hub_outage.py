"""What a hub costs that is away for minutes, in three real clusters."""

import time

import pytest

from fleet.client import PrometheusClient
from tests.lab.clusters import Lab
from tests.lab.fleets import AGENTS
from tests.lab.samples import delivered, fired, watching

from .conftest import Record

pytestmark = pytest.mark.faults
OUTAGE = 120
"""Seconds the hub is away."""


class TestHub:
    def test_an_outage_costs_nothing_while_the_agents_stay(
        self, lab: Lab, hub: PrometheusClient, oracle: str, record: Record
    ) -> None:
        """
        After two minutes without a hub no sample is missing.
        """
        watches = watching(hub, AGENTS)
        began = time.time()
        with lab.away("prometheus-hub-0"):
            time.sleep(OUTAGE)

        for watch, samples in zip(watches, delivered(watches, 240), strict=True):
            assert samples.longest_gap <= OUTAGE / 10
            record(
                f"the hub is away for {OUTAGE} s: agent {watch.cluster}",
                samples,
                alerts=fired(hub, time.time() - began),
                healed="the agent sent its WAL",
            )
