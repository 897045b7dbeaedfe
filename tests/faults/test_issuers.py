"""What happens to writers when their cluster's keys change, when they are taken out, and when a token is stolen."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest

from fleet.client import PrometheusClient
from lab.pki import authority
from settings.expose import NodePorts
from tests.lab import fleets
from tests.lab.clusters import Lab
from tests.lab.fleets import AGENTS, FLEET, HUB_AUDIENCE
from tests.lab.samples import Watch, delivered, fired, watching
from tests.lab.stack import eventually
from tests.lab.stacks import Stacks

from .conftest import Record

pytestmark = pytest.mark.faults
AGENT = "prometheus-agent"
WRITE = httpx.URL(f"https://{FLEET['hub']['expose']['host']}:{NodePorts().write}/api/v1/write")
LIFETIME = 600
"""Seconds that the stolen token is valid; an API server issues none for less."""
LEEWAY = 60
"""Seconds by which clocks may differ, to Envoy."""
RELOADED = 150
"""Seconds until the kubelet has written a changed ConfigMap into a pod, and Envoy has read it."""
AT_ONCE = 60
"""Seconds of the same, if somebody has the kubelet look at the pod."""
BEHIND = 30
"""Seconds; no agent is so much behind that is not refused."""
IMPATIENT = fleets.DEV.changed({"alerts": {"rules": {"PromfleetWritersNotVerified": {"for": "15s"}}}})


def write(lab: Lab, token: str) -> int:
    """Write a sample to the hub from this machine, and return the status."""
    return lab.write(WRITE, token, "stolen_metric")


@pytest.fixture(scope="module")
def stolen(lab: Lab, stacks: Stacks) -> tuple[str, float]:
    """A token of the agent in eu1, which somebody took elsewhere, and when it expires."""
    stacks.deploy({"dev": fleets.DEV})
    how = ("create", "token", AGENT, f"--audience={HUB_AUDIENCE}", f"--duration={LIFETIME}s")
    return lab.kubectl("eu1", "-n", "promfleet", *how).strip(), time.time() + LIFETIME


@contextmanager
def renewed_token(lab: Lab, cluster: str) -> Generator[None]:
    """At the end, have the agent of a cluster show another token than before."""
    before = lab.shown_token(cluster)
    yield

    def assert_renewed() -> None:
        lab.update_mounts(cluster)
        assert lab.shown_token(cluster) != before

    eventually(assert_renewed, 180)


@pytest.mark.usefixtures("stolen")  # which expires meanwhile
class TestIssuerThatIsTakenOut:
    def test_is_refused_from_its_next_request(self, lab: Lab, stacks: Stacks) -> None:
        """
        Once Envoy has read its configuration anew, which `docs/writers.md` says how to have at once; others write on.
        """
        stacks.deploy({"dev": fleets.DEV})
        token = lab.token(AGENT, cluster="us1", audience=HUB_AUDIENCE)
        assert write(lab, token) < 300
        stacks.update("dev", fleets.DEV.changed({"agents": {"us1": {"token": True}}}))
        lab.update_mounts("hub")

        def assert_refused() -> None:
            assert write(lab, token) == 503

        eventually(assert_refused, AT_ONCE)
        assert write(lab, lab.token(AGENT, cluster="eu1", audience=HUB_AUDIENCE)) < 300


class TestKeys:
    def test_that_change_at_once_are_told_and_cost_nothing(
        self, lab: Lab, stacks: Stacks, oracle: str, stolen: tuple[str, float], record: Record
    ) -> None:
        """
        The hub refuses tokens of a key that it does not know with an error after which agents try again.
        """
        [stack] = stacks.deploy({"dev": IMPATIENT})
        with stacks.open_prometheus(stack) as hub:
            [watch] = watching(hub, ["us1"])
            with renewed_token(lab, "us1"):
                lab.sign_tokens("us1", [authority("next").key])

            def assert_told() -> None:
                firing = hub.query('ALERTS{alertname="PromfleetWritersNotVerified",alertstate="firing"}')
                assert len(firing) == 1
                [behind] = hub.query('time() - max(timestamp(oracle_seconds_total{cluster="us1"}))')
                assert behind.value > BEHIND

            eventually(assert_told, 120)
            stack.up()

            healed = "`pulumi up` found the new key, and the agent sent its WAL"
            keep(record, hub, watch, "a cluster's signing key is replaced at once", healed)

    def test_that_change_with_an_overlap_cost_nothing(
        self, lab: Lab, stacks: Stacks, oracle: str, stolen: tuple[str, float], record: Record
    ) -> None:
        """
        The hub learns the next key while the former one still signs, and forgets that one afterwards.

        A token that was stolen before is good from anywhere until it expires; one of the former key is good no more.
        """
        [stack] = stacks.deploy({"dev": fleets.DEV})
        token, expires = stolen
        if time.time() < expires:
            assert write(lab, token) < 300
        with stacks.open_prometheus(stack) as hub:
            [watch] = watching(hub, ["eu1"])
            former, following = lab.signing_key("eu1"), authority("next").key
            of_former_key = lab.token(AGENT, cluster="eu1", audience=HUB_AUDIENCE)
            lab.sign_tokens("eu1", [former, following])
            stack.up()
            with renewed_token(lab, "eu1"):
                lab.sign_tokens("eu1", [following, former])

            def assert_expired() -> None:
                assert write(lab, token) == 503

            eventually(assert_expired, max(expires + LEEWAY + 10 - time.time(), 0))
            lab.sign_tokens("eu1", [following])
            stack.up()

            def assert_forgotten() -> None:
                assert write(lab, of_former_key) == 503

            eventually(assert_forgotten, RELOADED)
            keep(record, hub, watch, "a cluster's signing key is replaced, with an overlap", "nothing was to heal")


def keep(record: Record, hub: PrometheusClient, watch: Watch, fault: str, healed: str) -> None:
    """Assert that no sample is missing, and keep the figures."""
    [samples] = delivered([watch], 240)
    assert samples.longest_gap <= 15
    record(f"{fault}: agent {watch.cluster}", samples, alerts=fired(hub, time.time() - watch.began), healed=healed)


class TestChange:
    def test_from_tokens_costs_nothing(self, lab: Lab, stacks: Stacks, oracle: str, record: Record) -> None:
        """
        The hub accepts both for one update, in which it comes first.
        """
        both = fleets.DEV.changed({"hub": {"agents": {name: {"token": True} for name in AGENTS}}})
        [stack] = stacks.deploy({"dev": fleets.TOKENS})
        with stacks.open_prometheus(stack) as hub:
            watches = watching(hub, AGENTS)
        stacks.deploy({"dev": both})
        stacks.deploy({"dev": fleets.DEV})
        with stacks.open_prometheus(stack) as hub:
            for watch in watches:
                watch.hub = hub
                keep(record, hub, watch, "agents change from tokens to issuers", "`pulumi up`")
