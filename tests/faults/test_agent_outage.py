"""How long an agent survives without its hub, and what no setting can save. Hours are pressed into minutes."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

import render
from lab.build import command
from settings import Fleet, from_file
from tests.lab.processes import SERIES, Server, Target
from tests.lab.samples import BATCH, Samples, widest
from tests.lab.stack import ROOT, eventually
from tests.rendered import server_config

from .conftest import Record

pytestmark = pytest.mark.faults
HOURS = 12
"""The outage in the stack file."""
PRESSED = 480
"""How many seconds of life one second of the test stands for."""
OUTAGE = HOURS * 3600 // PRESSED
UPSTREAM = ["--agent", f"--storage.agent.wal-truncate-frequency={2 * 3600 // PRESSED}s"]
"""Upstream cuts the log every two hours, whatever was sent."""
IN_TIME = 15
"""Seconds in which a sample arrives where nothing is in its way: a queue sends what it has after five."""
NO_RULES = "none: processes without rules"
Start = Callable[[str, dict, list[str]], Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server by name; at the end all are stopped, the hub last, since agents without a hub are slow to go."""
    started: list[Server] = []
    binary = command("prometheus")

    def start(name: str, config: dict, flags: list[str]) -> Server:
        server = Server(binary, tmp_path / name, config, flags)
        started.append(server)
        server.start()
        return server

    yield start
    for server in reversed(started):
        server.stop()


@pytest.fixture
def hub(start: Start, tmp_path: Path) -> Server:
    """A hub with the storage and the flags that the program gives it; what it scrapes is the test's."""
    return receiver("hub", start, tmp_path)


def receiver(name: str, start: Start, folder: Path) -> Server:
    """A server that is what the program makes of a hub."""
    fleet = from_file(ROOT / "Pulumi.dev.yaml")
    flags = own_flags(render.server_flags(fleet), f"--storage.tsdb.path={folder}/{name}/data")
    return start(name, {"storage": server_config(fleet)["storage"]}, flags)


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as target:
        yield target


def config(cluster: str, hub: Server, target: Target, destinations: Mapping[str, Server] | None = None) -> dict:
    """Take an agent's configuration as the program renders it; what it scrapes and whom it trusts is the test's."""
    fleet = Fleet.model_validate(
        {
            "clusters": {cluster: {"context": cluster}},
            "scrape": {"interval": "1s", "timeout": "1s"},
            "agents": {
                cluster: {
                    "outage": f"{HOURS}h",
                    "hub": {"stack": "organization/promfleet/hub"},
                    "destinations": {
                        name: {"url": f"{server.url}/api/v1/write", "allow_http": True}
                        for name, server in (destinations or {}).items()
                    },
                }
            },
        }
    )
    made = yaml.safe_load(
        render.agent_config(fleet, cluster, f"{hub.url}/api/v1/write", own=True, ca_file=None, token_file="")
    )
    made["scrape_configs"] = [
        {"job_name": "oracle", "metrics_path": f"/{cluster}", "static_configs": [{"targets": [target.host]}]}
    ]
    for write in made["remote_write"]:
        write.pop("authorization", None)
    return made


def own_flags(flags: list[str], path: str) -> list[str]:
    """Keep what the program decides; configuration, address and path are the test's."""
    replaced = ("--config.", "--web.listen-address", path.partition("=")[0])
    return [path, *(flag for flag in flags if not flag.startswith(replaced))]


def ours(folder: Path) -> list[str]:
    """Take the flags for the outage in the stack file, their times pressed."""
    plan = render.wal_plan(HOURS * 3600, SERIES, PRESSED)
    pressed = plan._replace(truncate_every=plan.truncate_every // PRESSED, retention_max=plan.retention_max // PRESSED)
    return own_flags(render.agent_flags(pressed), f"--storage.agent.path={folder}/data")


class Scrapes:
    """What the target answered since it began to be watched, and what of that the hub stores."""

    def __init__(self, hub: Server, target: Target, clusters: Sequence[str]) -> None:
        self.hub, self.target, self.clusters = hub, target, clusters
        eventually(self._assert_arriving, 30)
        self.since = time.time()
        self.first = {cluster: target.answered(cluster) + 1 for cluster in clusters}

    def _assert_arriving(self) -> None:
        for cluster in self.clusters:
            self._stored(cluster, time.time() - 60)

    def _stored(self, cluster: str, since: float) -> dict[int, float]:
        stored = self.hub.stored(cluster, since)
        assert stored, f"nothing of {cluster} is stored"
        return stored

    def lost(self, cluster: str, seconds: float = 60) -> tuple[list[int], Samples]:
        """Wait until the scrapes up to now have arrived; give the numbers of those that never will, and the count."""
        last = self.target.answered(cluster)
        stored: dict[int, float] = {}

        def assert_arrived() -> None:
            stored.clear()
            stored.update(self._stored(cluster, self.since))
            assert max(stored) >= last

        eventually(assert_arrived, seconds)
        expected = range(self.first[cluster], last + 1)
        missing = [number for number in expected if number not in stored]
        times = [self.since, *sorted(stored.values())]
        return missing, Samples(len(expected), len(expected) - len(missing), widest(times))


class TestOutage:
    def test_the_setting_holds_where_upstreams_defaults_lose(
        self, start: Start, hub: Server, target: Target, tmp_path: Path, record: Record
    ) -> None:
        """
        A hub that is away for three of upstream's truncations costs the agent with the setting nothing.
        """
        configs = {cluster: config(cluster, hub, target) for cluster in ("ours", "upstream")}
        start("ours", configs["ours"], ours(tmp_path / "ours"))
        start("upstream", configs["upstream"], [f"--storage.agent.path={tmp_path}/upstream/data", *UPSTREAM])
        scrapes = Scrapes(hub, target, ["ours", "upstream"])

        hub.stop()
        time.sleep(OUTAGE - 5)
        hub.start()

        missing, samples = scrapes.lost("ours")
        assert missing == []
        fault = f"the hub is away for {HOURS} h, pressed into {OUTAGE} s"
        record(f"{fault}: our agent", samples, alerts=NO_RULES, healed="the agent sent its WAL")
        missing, samples = scrapes.lost("upstream")
        assert len(missing) > OUTAGE / 3
        record(f"{fault}: upstream's defaults", samples, alerts=NO_RULES, healed="not: the WAL was cut unsent")


class TestDestinations:
    def test_one_that_is_away_costs_the_other_nothing(
        self, start: Start, hub: Server, target: Target, tmp_path: Path, record: Record
    ) -> None:
        """
        While a destination is away the hub gets every sample in time, and the destination gets all of them later.
        """
        other = receiver("other", start, tmp_path)
        start("ours", config("ours", hub, target, {"other": other}), ours(tmp_path / "ours"))
        to_hub, to_other = Scrapes(hub, target, ["ours"]), Scrapes(other, target, ["ours"])

        other.stop()
        time.sleep(OUTAGE - 5)
        during, samples = to_hub.lost("ours", IN_TIME)
        other.start()

        missing, later = to_other.lost("ours")

        # A number that both miss was never scraped, and lost by nobody.
        assert (during, missing) == ([], [])
        fault = f"a destination is away for {HOURS} h, pressed into {OUTAGE} s"
        record(f"{fault}: what the hub got meanwhile", samples, alerts=NO_RULES, healed="nothing to heal")
        record(f"{fault}: what it got", later, alerts=NO_RULES, healed="the agent sent its WAL")


class TestRestartWhileBehind:
    def test_loses_what_was_not_sent_and_no_more(
        self, start: Start, hub: Server, target: Target, tmp_path: Path, record: Record
    ) -> None:
        """
        An agent that restarts during an outage forgets the outage so far; docs/reliability.md says so.
        """
        agent = start("ours", config("ours", hub, target), ours(tmp_path / "ours"))
        scrapes = Scrapes(hub, target, ["ours"])

        sent = target.answered("ours") - BATCH
        hub.stop()
        time.sleep(20)
        agent.stop()
        forgotten = target.answered("ours")
        agent.start()
        hub.start()

        missing, samples = scrapes.lost("ours")
        assert missing
        assert sent < min(missing)
        assert max(missing) <= forgotten
        record(
            "an agent restarts while the hub is away (20 s)", samples, alerts=NO_RULES, healed="not: it was not sent"
        )


class TestHerd:
    def test_ten_agents_catch_up(
        self, start: Start, hub: Server, target: Target, tmp_path: Path, record: Record
    ) -> None:
        """
        All agents come back at once; nobody is refused and nothing is missing.
        """
        clusters = [f"c{n}" for n in range(10)]
        agents = [start(c, config(c, hub, target), ours(tmp_path / c)) for c in clusters]
        scrapes = Scrapes(hub, target, clusters)

        hub.stop()
        time.sleep(60)
        hub.start()
        back = time.monotonic()

        lost = {cluster: scrapes.lost(cluster) for cluster in clusters}
        took = time.monotonic() - back
        assert {cluster: missing for cluster, (missing, _) in lost.items() if missing} == {}
        assert sum(agent.metric("prometheus_remote_storage_samples_failed_total") for agent in agents) == 0
        assert sum(agent.metric("prometheus_remote_storage_samples_dropped_total") for agent in agents) == 0
        counted = [samples for _, samples in lost.values()]
        total = Samples(
            sum(samples.expected for samples in counted),
            sum(samples.present for samples in counted),
            max(samples.longest_gap for samples in counted),
        )
        record(
            "the hub of ten agents is away for 60 s",
            total,
            alerts=NO_RULES,
            healed=f"all had caught up {took:.0f} s after its return",
        )
