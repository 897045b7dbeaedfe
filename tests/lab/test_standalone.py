"""One cluster that its own Prometheus watches: no hub, no agents, and nothing left of it."""

import time
from collections.abc import Generator

import pytest

from fleet.client import PrometheusClient

from .clusters import Lab
from .fleets import STANDALONE, STANDALONE_STACK
from .samples import answers
from .stack import Stack, eventually
from .stacks import Stacks

pytestmark = pytest.mark.lab
JOBS = {"prometheus", "node-exporter", "kubelet", "cadvisor", "apiserver", "kube-state-metrics", "coredns"}
WRITTEN = 60
"""Seconds of samples to look back on."""


@pytest.fixture
def standalone(stacks: Stacks) -> Stack:
    [stack] = stacks.deploy({STANDALONE_STACK: STANDALONE})
    return stack


@pytest.fixture
def server(standalone: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    """The server as people reach it from outside the cluster, with the reader's token."""
    with stacks.open_prometheus(standalone) as server:
        yield server


class TestStandalone:
    def test_every_target_is_up(self, server: PrometheusClient) -> None:
        """
        Prometheus, nodes, API server and exporters, each with the cluster's name; node-exporter's tells its node.
        """

        def assert_up() -> None:
            found = server.query("min by (cluster, job) (up)")
            assert {(s.labels["cluster"], s.labels["job"]): s.value for s in found} == {("hub", job): 1 for job in JOBS}

        eventually(assert_up)
        [exporter] = server.query('up{job="node-exporter"}')
        assert exporter.labels["node"] == exporter.labels["instance"]
        assert exporter.labels["host_ip"]

    def test_is_at_rest(self, standalone: Stack) -> None:
        """
        A preview after `pulumi up` shows no changes.
        """
        assert "unchanged" in standalone.pulumi("preview", "--expect-no-changes")

    def test_a_restart_loses_nothing_that_was_stored(self, lab: Lab, server: PrometheusClient) -> None:
        """
        What a query over a past span counted before the pod was replaced, it counts afterwards.
        """
        until = str(int(time.time()))
        asked = f'sum by (job) (count_over_time(up{{cluster="hub"}}[{WRITTEN}s]))'

        def counted() -> dict[str, float]:
            found = answers(server, asked, time=until)
            assert found
            return {one["metric"]["job"]: float(one["value"][1]) for one in found}

        before = counted()
        lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "prometheus-standalone-0")

        def assert_same() -> None:
            assert counted() == before

        eventually(assert_same)

    def test_destroy_leaves_nothing(self, lab: Lab, standalone: Stack, stacks: Stacks) -> None:
        """
        Neither namespaced nor cluster-wide objects stay.
        """
        stacks.deploy({})

        assert lab.left() == {}
