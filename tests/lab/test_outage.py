"""How long an agent survives without its hub, and what no setting can save. Hours are pressed into minutes."""

import time
from pathlib import Path

import pytest
import yaml

import prometheus
from lab.build import command
from settings import Fleet, from_file

from .processes import SERIES, Server, Target
from .stack import ROOT, eventually

pytestmark = pytest.mark.lab
HOURS = 12
"""The outage in the stack file."""
PRESSED = 480
"""How many seconds of life one second of the test stands for."""
OUTAGE = HOURS * 3600 // PRESSED
BATCH = 5
"""Seconds that a sender waits for a batch to fill, upstream's `batch_send_deadline`."""
UPSTREAM = ["--agent", f"--storage.agent.wal-truncate-frequency={2 * 3600 // PRESSED}s"]
"""Upstream cuts the log every two hours, whatever was sent."""


@pytest.fixture(scope="module")
def binary():
    return command("prometheus")


@pytest.fixture
def start(binary, tmp_path):
    """Start a server by name; at the end all are stopped, the hub last, since agents without a hub are slow to go."""
    started: list[Server] = []

    def start(name: str, config: dict, flags: list[str]) -> Server:
        server = Server(binary, tmp_path / name, config, flags)
        started.append(server)
        server.start()
        return server

    yield start
    for server in reversed(started):
        server.stop()


@pytest.fixture
def hub(start, tmp_path):
    """A hub with the storage and the flags that the program gives it; what it scrapes is the test's."""
    fleet = from_file(ROOT / "Pulumi.dev.yaml")
    flags = own_flags(prometheus.hub_flags(fleet), f"--storage.tsdb.path={tmp_path}/hub/data")
    return start("hub", {"storage": yaml.safe_load(prometheus.hub_config(fleet))["storage"]}, flags)


@pytest.fixture(scope="module")
def target():
    target = Target()
    yield target
    target.shutdown()


def config(cluster: str, hub: Server, target: Target) -> dict:
    """Take an agent's configuration as the program renders it; what it scrapes and whom it trusts is the test's."""
    fleet = Fleet.model_validate(
        {
            "clusters": {cluster: {"context": cluster}},
            "scrape": {"interval": "1s", "timeout": "1s"},
            "agents": {cluster: {"outage": f"{HOURS}h", "hub": {"stack": "organization/promfleet/hub"}}},
        }
    )
    made = yaml.safe_load(
        prometheus.agent_config(fleet, cluster, f"{hub.url}/api/v1/write", own=True, ca_file=None, token_file="")
    )
    made["scrape_configs"] = [{"job_name": "oracle", "static_configs": [{"targets": [target.address]}]}]
    for write in made["remote_write"]:
        del write["authorization"]
    return made


def own_flags(flags: list[str], path: str) -> list[str]:
    """Keep what the program decides; configuration, address and path are the test's."""
    replaced = ("--config.", "--web.listen-address", path.partition("=")[0])
    return [path, *(flag for flag in flags if not flag.startswith(replaced))]


def ours(folder: Path) -> list[str]:
    """Take the flags for the outage in the stack file, their times pressed."""
    plan = prometheus.wal_plan(HOURS * 3600, SERIES, PRESSED)
    pressed = plan._replace(truncate_every=plan.truncate_every // PRESSED, retention_max=plan.retention_max // PRESSED)
    return own_flags(prometheus.agent_flags(pressed), f"--storage.agent.path={folder}/data")


def begin(hub: Server, clusters: list[str]) -> float:
    """Wait until every agent's samples arrive; return the time."""
    since = time.time()

    def assert_arriving() -> None:
        for cluster in clusters:
            assert hub.metric("prometheus_tsdb_head_series") >= SERIES * len(clusters), cluster

    eventually(assert_arriving, seconds=30)
    return since


def arrived(hub: Server, cluster: str, since: float, until: float) -> float:
    """Wait until everything up to a time has arrived, and return the widest gap in it, in seconds."""
    gaps: list[float] = []
    eventually(lambda: gaps.append(hub.widest_gap(cluster, since, until)), seconds=60)
    return gaps[-1]


class TestOutage:
    def test_the_setting_holds_where_upstreams_defaults_lose(self, start, hub, target, tmp_path):
        """
        A hub that is away for three of upstream's truncations costs the agent with the setting nothing.
        """
        configs = {cluster: config(cluster, hub, target) for cluster in ("ours", "upstream")}
        start("ours", configs["ours"], ours(tmp_path / "ours"))
        start("upstream", configs["upstream"], [f"--storage.agent.path={tmp_path}/upstream/data", *UPSTREAM])
        since = begin(hub, ["ours", "upstream"])

        hub.stop()
        time.sleep(OUTAGE - 5)
        hub.start()
        back = time.time()

        lost = {cluster: arrived(hub, cluster, since, back) for cluster in configs}
        assert lost["ours"] <= 2
        assert lost["upstream"] > OUTAGE / 3


class TestRestartWhileBehind:
    def test_loses_what_was_not_sent_and_no_more(self, start, hub, target, tmp_path, record_property):
        """
        An agent that restarts during an outage forgets the outage so far; docs/loss.md says so.
        """
        agent = start("ours", config("ours", hub, target), ours(tmp_path / "ours"))
        since = begin(hub, ["ours"])

        down = time.time()
        hub.stop()
        time.sleep(20)
        agent.stop()
        agent.start()
        hub.start()
        back = time.time()

        lost = arrived(hub, "ours", since, back)
        record_property("seconds lost", lost)
        assert 10 < lost < back - down + 10


class TestHerd:
    def test_ten_agents_catch_up_within_fifteen_seconds(self, start, hub, target, tmp_path):
        """
        All agents come back at once; nobody is refused and nothing is missing.
        """
        clusters = [f"c{n}" for n in range(10)]
        agents = [start(c, config(c, hub, target), ours(tmp_path / c)) for c in clusters]
        since = begin(hub, clusters)

        hub.stop()
        time.sleep(60)
        hub.start()

        def assert_caught_up() -> None:
            until = time.time() - BATCH
            gaps = {cluster: hub.widest_gap(cluster, since, until) for cluster in clusters}
            assert max(gaps.values()) <= 2, gaps

        eventually(assert_caught_up, seconds=15)
        assert sum(agent.metric("prometheus_remote_storage_samples_failed_total") for agent in agents) == 0
        assert sum(agent.metric("prometheus_remote_storage_samples_dropped_total") for agent in agents) == 0
