"""What is lost when a process dies, measured by a counter that is scraped every second in every cluster."""

import time

import pytest

from .fleets import AGENTS
from .samples import delivered, watching
from .stack import eventually

pytestmark = pytest.mark.lab
RESTART = 30
"""Seconds that a restart of an agent may cost on a machine that has other work; a quiet one takes a third."""

JITTER = 5
"""Seconds between two scrapes that are to be one second apart, on such a machine."""


GONE = 'up{pod!=""} unless on (cluster, pod) kube_pod_info'
"""Targets of pods that were deleted: a Prometheus that is killed now would show them as down for five minutes."""


@pytest.fixture
def watches(hub, oracle):
    def assert_forgotten():
        assert hub.query(GONE) == []

    eventually(assert_forgotten)
    return watching(hub, AGENTS)


class TestHub:
    def test_sigkill_costs_nothing_that_was_acknowledged(self, lab, watches):
        """
        What the killed hub had accepted is in its log; what it had not, the agents send again.
        """
        lab.process("hub", "prometheus-hub-0").kill()

        assert max(samples.longest_gap for samples in delivered(watches)) <= JITTER


class TestAgent:
    def test_a_restart_costs_what_it_takes_at_most(self, lab, watches):
        """
        With the hub up, a killed agent is back at once; a rolled one delivers what it holds and ends in time.
        """
        grace = lab.kubectl(
            "us1",
            *("-n", "promfleet", "get", "pod", "prometheus-agent-0"),
            *("-o", "jsonpath={.spec.terminationGracePeriodSeconds}"),
        )
        lab.process("eu1", "prometheus-agent-0").kill()
        began = time.monotonic()
        lab.kubectl("us1", "-n", "promfleet", "delete", "pod", "prometheus-agent-0")

        assert time.monotonic() - began < float(grace)
        assert max(samples.longest_gap for samples in delivered(watches)) <= RESTART
