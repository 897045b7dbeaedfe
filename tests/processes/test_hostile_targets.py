"""What a workload can do to its cluster and to the hub by what it exposes: processes on loopback, without a cluster."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml

import render
from lab.build import command
from settings import Fleet, in_bytes, memory
from tests.http_server import EXPOSITION, Handler, HttpServer
from tests.lab.processes import Server, Target
from tests.lab.stack import eventually
from tests.rendered import server_config

SERIES = 10_000
"""Of the cluster, as its stack file plans: the smallest memory that an agent and a hub get."""
SECONDS = 20
"""How long the hostile ones go on."""
FLEET = Fleet.model_validate(
    {
        "clusters": {"hub": {"context": "hub", "series": SERIES}, "eu1": {"context": "eu1", "series": SERIES}},
        "hub": {"cluster": "hub", "storage": "500Gi", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
        "agents": {"eu1": {}},
        "scrape": {"interval": "1s", "timeout": "1s"},
    }
)
LIMITS = FLEET.scrape.limits
MEMORY = {
    "hub": in_bytes(memory.server_memory(2 * SERIES).limit),
    "agent": in_bytes(memory.agent_memory(SERIES).limit),
}


def exposed(series: int, labels: int, length: int) -> bytes:
    """So many series with so many labels of a length."""
    others = ",".join(f'l{n}="{n:0{length}}"' for n in range(labels - 1))
    return "".join(f'forged{{n="{n:0{length}}",{others}}} 1\n' for n in range(series)).encode()


HOSTILE = {
    "/long": exposed(750, 1, 48_000),
    "/large": exposed(150, 1, 48_000),
    "/edge": exposed(150, LIMITS.labels - 10, LIMITS.label_value),
}
"""36 MB of labels that are too long, 7 MB of them, and as much as a stranger may bring."""


class Exporter(HttpServer):
    """Answers with what is hostile of each path."""

    def __init__(self) -> None:
        class Answering(Handler):
            def do_GET(self) -> None:
                self.answer(200, HOSTILE[self.path], EXPOSITION)

        super().__init__(Answering)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: an answer that is too long is not read to its end."""


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, Server, Target]]:
    """A hub, an agent that scrapes an innocent pod and hostile ones, and the innocent one; the hub ends last."""

    def started(name: str, config: dict, *flags: str) -> Server:
        monkeypatch.setenv("GOMEMLIMIT", str(MEMORY[name] * 9 // 10))  # as Prometheus takes it from its cgroup
        made = Server(command("prometheus"), tmp_path / name, config, flags)
        if name == "agent":
            itself = {"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{made.port}"]}]}
            made.config.write_text(yaml.safe_dump({**config, "scrape_configs": [itself, *config["scrape_configs"]]}))
        ending.callback(made.stop)
        made.start()
        return made

    with ExitStack() as ending:
        hostile, innocent = ending.enter_context(Exporter()), ending.enter_context(Target())
        stored = {"storage": server_config(FLEET)["storage"]}
        hub = started("hub", stored, "--web.enable-remote-write-receiver", f"--storage.tsdb.path={tmp_path}/hub/data")
        sent = watching(hub, innocent, hostile)
        yield hub, started("agent", sent, "--agent", f"--storage.agent.path={tmp_path}/agent/data"), innocent


def watching(hub: Server, innocent: Target, hostile: Exporter) -> dict:
    """The agent's configuration as the program renders it, but that its pods are found by their addresses."""
    url = f"{hub.url}/api/v1/write"
    made = yaml.safe_load(render.agent_config(FLEET, "eu1", url, own=True, ca_file=None, token_file=""))
    del made["remote_write"][0]["authorization"]
    [pods] = [job for job in made["scrape_configs"] if job["job_name"] == "pods"]
    del pods["kubernetes_sd_configs"]
    exporters = {"/eu1": innocent.host} | dict.fromkeys(HOSTILE, hostile.host)
    pods["static_configs"] = [
        {
            "targets": [address],
            "labels": {
                "__meta_kubernetes_pod_name": path.strip("/"),
                "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
                "__meta_kubernetes_pod_annotation_prometheus_io_path": path,
            },
        }
        for path, address in exporters.items()
    ]
    return {**made, "scrape_configs": [pods]}


def over_limit(hub: Server) -> dict[str, str]:
    """Pods that exceed a limit, and the alert that says which limit."""
    groups = yaml.safe_load(render.rules(FLEET)["prometheus.yml"])["groups"]
    told = {}
    for rule in (rule for group in groups for rule in group["rules"] if rule["alert"].endswith("LimitHit")):
        found = httpx.get(f"{hub.url}/api/v1/query", params={"query": rule["expr"]}).json()["data"]["result"]
        told |= {series["metric"]["pod"]: rule["alert"] for series in found}
    return told


class TestHostileTargets:
    def test_cost_their_neighbours_nothing(self, servers: tuple[Server, Server, Target]) -> None:
        """
        Every sample of the innocent pod arrives, both servers stay in their memory, and the alert tells who is refused.
        """
        hub, agent, innocent = servers
        since, first = time.time(), innocent.answered("eu1") + 1
        time.sleep(SECONDS)
        last = innocent.answered("eu1")

        def assert_arrived() -> None:
            assert set(range(first + 1, last + 1)) <= hub.stored("eu1", since - 1).keys()
            assert over_limit(hub) == {"long": "PrometheusScrapeBodySizeLimitHit", "large": "PrometheusLabelLimitHit"}

        eventually(assert_arrived, 30)
        assert last - first > SECONDS / 2
        assert agent.metric("prometheus_remote_storage_samples_failed_total") == 0
        for name, server in {"agent": agent, "hub": hub}.items():
            assert server.metric("process_resident_memory_bytes") < MEMORY[name]
