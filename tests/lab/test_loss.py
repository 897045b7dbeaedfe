"""What is lost when something dies, measured by a counter that is scraped every second in every cluster."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from lab.node import running

from .stack import eventually

pytestmark = pytest.mark.lab
AGENTS = ["eu1", "us1"]
OUTAGE = 120
"""Seconds the hub is away."""


class Watch:
    """The oracle's samples at the hub since the watch began."""

    def __init__(self, hub, cluster):
        self.hub, self.cluster, self.began = hub, cluster, time.time()

    def samples(self):
        """Return the stored samples as (timestamp, value), in seconds, oldest first."""
        window = int(time.time() - self.began) + 5
        promql = f'oracle_seconds_total{{cluster="{self.cluster}"}}[{window}s]'
        found = self.hub.get("/api/v1/query", query=promql).json()["data"]["result"]
        return sorted((float(at), float(value)) for series in found for at, value in series["values"])

    def assert_no_gap_over(self, seconds, until):
        """Everything from the watch's beginning to a time has arrived, and no two neighbours lie further apart."""
        times = [self.began, *(at for at, _ in self.samples())]
        assert times[-1] >= until, f"the newest sample of {self.cluster} is {until - times[-1]:.1f} s short"
        gap = max(after - before for before, after in pairwise(times))
        assert gap <= seconds, f"{self.cluster} has a gap of {gap:.1f} s"

    def assert_true(self):
        """Every stored value is what the clock said when it was scraped."""
        wrong = [(at, value) for at, value in self.samples() if not -1.5 <= at - value <= 2.5]
        assert wrong == []


@pytest.fixture
def watches(hub, oracle):
    watches = [Watch(hub, cluster) for cluster in AGENTS]
    time.sleep(10)
    return watches


def process_of(lab, cluster, pod):
    """Find the Prometheus process of a pod; the lab's containers are processes of this machine."""
    uid = lab.kubectl(cluster, "-n", "promfleet", "get", "pod", pod, "-o", "jsonpath={.metadata.uid}")
    servers = running("name", "prometheus")
    [found] = [process for process in servers if uid in Path(f"/proc/{process.pid}/cgroup").read_text()]
    return found


def assert_delivered(watches, gap, seconds=120):
    now = time.time()

    def check():
        for watch in watches:
            watch.assert_no_gap_over(gap, until=now)

    eventually(check, seconds)
    for watch in watches:
        watch.assert_true()


class TestHub:
    def test_an_outage_costs_nothing_while_the_agents_stay(self, lab, watches):
        """
        After two minutes without a hub no gap is wider than two seconds.
        """
        lab.kubectl("hub", "-n", "promfleet", "scale", "statefulset", "prometheus-hub", "--replicas=0")
        lab.kubectl("hub", "-n", "promfleet", "wait", "pod/prometheus-hub-0", "--for=delete", "--timeout=120s")
        time.sleep(OUTAGE)
        lab.kubectl("hub", "-n", "promfleet", "scale", "statefulset", "prometheus-hub", "--replicas=1")
        lab.kubectl("hub", "-n", "promfleet", "rollout", "status", "statefulset", "prometheus-hub", "--timeout=120s")

        assert_delivered(watches, 2.0)

    def test_sigkill_costs_nothing_that_was_acknowledged(self, lab, watches):
        """
        What the killed hub had accepted is in its log; what it had not, the agents send again.
        """
        process_of(lab, "hub", "prometheus-hub-0").kill()

        assert_delivered(watches, 2.0)


class TestAgent:
    def test_sigkill_costs_ten_seconds_at_most(self, lab, watches):
        """
        With the hub up, a killed agent is back within ten seconds.
        """
        process_of(lab, "eu1", "prometheus-agent-0").kill()

        assert_delivered(watches, 10.0)

    def test_a_roll_costs_ten_seconds_at_most(self, lab, watches):
        """
        A rolled agent delivers what it holds, ends within its grace period and starts again.
        """
        grace = lab.kubectl(
            "eu1",
            *("-n", "promfleet", "get", "pod", "prometheus-agent-0"),
            *("-o", "jsonpath={.spec.terminationGracePeriodSeconds}"),
        )
        began = time.monotonic()
        lab.kubectl("eu1", "-n", "promfleet", "rollout", "restart", "statefulset", "prometheus-agent")
        lab.kubectl("eu1", "-n", "promfleet", "rollout", "status", "statefulset", "prometheus-agent", "--timeout=120s")

        assert time.monotonic() - began < float(grace)
        assert_delivered(watches, 10.0)
