"""What agents lose while the API server of the hub's cluster is away: with tokens of their own clusters nothing."""

import time

import pytest

from fleet.client import PrometheusClient
from tests.lab import fleets
from tests.lab.clusters import Lab
from tests.lab.fleets import AGENTS
from tests.lab.samples import Samples, Watch, delivered, fired, watching
from tests.lab.stack import eventually
from tests.lab.stacks import Stacks

from .conftest import Record

pytestmark = pytest.mark.faults
RULED = "promfleet_thanos_replicas_expected"
"""A series that the Ruler records, and writes to Receive."""
OUTAGE = 600
"""Seconds the API server is away."""
REMEMBERED = 200
"""Seconds, in which kube-rbac-proxy forgets whom it knew for two minutes."""


def without_api_server(lab: Lab, hub: PrometheusClient, seconds: float) -> list[tuple[Watch, Samples]]:
    """Suspend the API server of the hub's cluster for so long, and count what arrives of each agent."""
    watches = watching(hub, AGENTS)
    with lab.suspended("hub", "kube-apiserver"):
        time.sleep(seconds)
    return list(zip(watches, delivered(watches), strict=True))


class TestApiServerOfTheHub:
    def test_is_not_needed_by_agents_with_tokens_of_their_own_clusters(
        self, lab: Lab, stacks: Stacks, oracle: str, record: Record
    ) -> None:
        """
        Envoy verifies them by public keys: after ten minutes no sample is missing, and none was late.
        """
        [stack] = stacks.deploy({"dev": fleets.DEV})
        with stacks.open_prometheus(stack) as hub:
            for watch, samples in without_api_server(lab, hub, OUTAGE):
                assert samples.longest_gap <= 10
                record(
                    f"the API server of the hub's cluster is away for {OUTAGE} s: agent {watch.cluster}",
                    samples,
                    alerts=fired(hub, time.time() - watch.began),
                    healed="nothing was to heal",
                )

    def test_is_needed_by_agents_with_tokens_of_the_hub(
        self, lab: Lab, stacks: Stacks, oracle: str, record: Record
    ) -> None:
        """
        kube-rbac-proxy asks it who they are, and answers 401, after which an agent drops the samples.
        """
        [stack] = stacks.deploy({"dev": fleets.TOKENS})
        with stacks.open_prometheus(stack) as hub:
            for watch, samples in without_api_server(lab, hub, REMEMBERED):
                assert samples.longest_gap > 10
                record(
                    f"the same for {REMEMBERED} s, with `token: true`: agent {watch.cluster}",
                    samples,
                    alerts=fired(hub, time.time() - watch.began),
                    healed="nothing: the samples are lost",
                )


class TestReceive:
    def test_takes_samples_without_the_api_server(
        self, lab: Lab, stacks: Stacks, thanos_parts: None, oracle: str, record: Record
    ) -> None:
        """
        Envoy beside each router verifies the tokens of agents and of the Ruler, and says whose the samples are.
        """
        [stack] = stacks.deploy({fleets.RECEIVING_STACK: fleets.RECEIVING})
        tenants = {(name, f"system:serviceaccount:promfleet:writer-{name}") for name in AGENTS}
        with stacks.open_prometheus(stack) as query:

            def assert_written() -> None:
                found = query.query('count by (cluster, tenant_id) (up{job="kubelet",cluster!="hub"})')
                assert {(s.labels["cluster"], s.labels["tenant_id"]) for s in found} == tenants
                [ruled] = query.query(f'{RULED}{{tenant_id!=""}}')
                assert ruled.labels["tenant_id"] == "system:serviceaccount:promfleet:thanos-ruler"

            eventually(assert_written, 240)
            for watch, samples in without_api_server(lab, query, OUTAGE):
                assert samples.longest_gap <= 10
                record(
                    f"the same for {OUTAGE} s, with Receive: agent {watch.cluster}",
                    samples,
                    alerts=fired(query, time.time() - watch.began),
                    healed="nothing was to heal",
                )
