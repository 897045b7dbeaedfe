"""An agent whose targets are divided among two shards, and one that is whole again."""

from collections.abc import Generator

import pytest

from fleet.client import PrometheusClient

from . import fleets
from .checks import FORGOTTEN, JOBS, assert_hub_agrees
from .clusters import Lab
from .stack import Stack, eventually
from .stacks import Stacks

pytestmark = [pytest.mark.lab, pytest.mark.long]
CLUSTER = "eu1"
DIVIDED = fleets.DEV.changed({"agents": {CLUSTER: {"shards": 2}}})
SHARDS = {"prometheus-agent", "prometheus-agent-shard-1"}


@pytest.fixture(scope="module")
def whole(stacks: Stacks) -> set[tuple[str, str]]:
    """The targets of the cluster while its agent is one: job and instance."""
    [stack] = stacks.deploy({"dev": fleets.DEV})
    with stacks.open_prometheus(stack) as hub:

        def assert_complete() -> None:
            [discovered] = hub.query(f'sum(prometheus_target_scrape_pool_targets{{cluster="{CLUSTER}"}})')
            found = targets(hub)
            assert {job for job, _ in found} >= JOBS
            assert len(found) == discovered.value

        eventually(assert_complete, FORGOTTEN)
        return targets(hub)


@pytest.fixture
def divided(stacks: Stacks, whole: set[tuple[str, str]]) -> Stack:
    """The same stack, whose agent in one cluster has two shards."""
    [stack] = stacks.deploy({"dev": DIVIDED})
    return stack


@pytest.fixture
def hub(divided: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    with stacks.open_prometheus(divided) as hub:
        yield hub


def targets(hub: PrometheusClient) -> set[tuple[str, str]]:
    found = hub.query(f'up{{cluster="{CLUSTER}"}} == 1')
    return {(s.labels["job"], s.labels["instance"]) for s in found}


def volumes(lab: Lab) -> set[str]:
    chosen = ("-n", "promfleet", "get", "persistentvolumeclaims", "-o", "jsonpath={.items[*].metadata.name}")
    return set(lab.kubectl(CLUSTER, *chosen).split())


class TestShards:
    def test_no_target_is_scraped_twice_or_never(
        self, lab: Lab, hub: PrometheusClient, whole: set[tuple[str, str]]
    ) -> None:
        """
        Both together have every target that the one agent had, and no more: a series can't tell who scraped it.
        """

        def assert_divided() -> None:
            assert targets(hub) == whole | {("prometheus", shard) for shard in SHARDS}
            scraped = hub.query(f'sum by (scrape_job) (prometheus_target_scrape_pool_targets{{cluster="{CLUSTER}"}})')
            known = hub.query(f'count by (job) (up{{cluster="{CLUSTER}"}})')
            assert {s.labels["scrape_job"]: s.value for s in scraped if s.value} == {
                s.labels["job"]: s.value for s in known
            }
            twice = hub.query(f'count by (job, instance) (up{{cluster="{CLUSTER}"}}) != 1')
            assert [s.labels for s in twice] == []

        eventually(assert_divided, FORGOTTEN)

    def test_the_hub_still_counts_every_pod(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        What it says of each cluster and namespace is what that cluster's API server says.
        """
        eventually(lambda: assert_hub_agrees(lab, hub), FORGOTTEN)

    def test_the_rules_know_both(self, hub: PrometheusClient) -> None:
        """
        One of them that does not report is missed.
        """
        recorded = hub.query("promfleet_agent_shard_expected")

        assert {(s.labels["cluster"], s.labels["instance"]) for s in recorded} == {(CLUSTER, one) for one in SHARDS}

    def test_an_agent_becomes_whole_again(
        self, lab: Lab, stacks: Stacks, divided: Stack, whole: set[tuple[str, str]]
    ) -> None:
        """
        The first shard scrapes what both scraped; the volume of the other is gone with it, since nothing is protected.
        """
        assert volumes(lab) >= SHARDS
        [stack] = stacks.deploy({"dev": fleets.DEV})

        with stacks.open_prometheus(stack) as hub:

            def assert_whole() -> None:
                assert targets(hub) == whole

            eventually(assert_whole, FORGOTTEN)
        assert volumes(lab) & SHARDS == {"prometheus-agent"}
