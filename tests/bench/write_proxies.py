"""
What it costs to verify who writes: Envoy beside kube-rbac-proxy, and beside no proxy, in one run on loopback.

The requests are those that an agent sent once. Several agents send them at a fixed rate to one proxy after the other,
each over a connection of its own and with a token of its own. The API server that kube-rbac-proxy asks answers at once.
"""

import math
import ssl
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import render
from lab.build import command
from render.prometheus.auth_proxies import WRITE
from settings import Fleet
from tests.lab.processes import Server
from tests.lab.stack import eventually
from tests.render import auth_proxy, envoy
from tests.render.deployed import deployed
from tests.unit.builders import HUB

from .measure import cpu, resident

KUBE_RBAC_PROXY, ENVOY, NONE = "kube-rbac-proxy", "Envoy", "none, and no TLS"
SAMPLES = 100_000
"""Sent per second: those of 6,000,000 series that are scraped every minute."""
MINUTE = 60
ROUNDS = 9
SECONDS = 5
"""Of each round, for each of them."""
RECORDED = 100
"""Requests that are sent again and again."""
PODS = 10
"""Whose metrics these are."""
APP = "prometheus-hub"


class Recording(envoy.Listening):
    """Keeps the first requests that come."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__()

    def take(self, headers: Any, body: bytes) -> None:
        """Remember its headers too."""
        if len(self.bodies) < RECORDED:
            self.bodies.append(body)
            super().take(headers, body)


class Requests(NamedTuple):
    """What an agent sends."""

    headers: Mapping[str, str]
    """But for the token, and what each request has of its own."""
    bodies: Sequence[bytes]
    samples: int
    """Of each body."""


class Side(NamedTuple):
    """Whom the agents send to."""

    connections: Mapping[str, HTTPConnection]
    """By agent."""
    tokens: Mapping[str, str]
    """Likewise; empty where nobody asks for them."""
    pid: int | None
    """Of the proxy, if there is one."""


class Figures(NamedTuple):
    """Of one round, or of all."""

    cpu: float
    """Seconds that the proxy computes for a million samples; nan without one."""
    memory: float
    """MiB of the proxy, the most so far; nan without one."""
    median: float
    """Milliseconds from the first byte of a request until its answer is there."""
    slow: float
    """Likewise: 99% take less."""
    rate: float
    """Samples per second that were sent."""


class Comparison(NamedTuple):
    """What was found."""

    figures: dict[str, Figures]
    samples: int
    """Of a request."""
    size: float
    """kB of its body, the mean."""


def compare(folder: Path, agents: int) -> Comparison:
    """Send to one after the other, so that a slow moment meets each; raises `RuntimeError` where one refuses."""
    requests = record(folder / "agent")
    with ExitStack() as started:
        sides = start(started, folder, [f"c{n}" for n in range(agents)])
        for side in sides.values():
            send(side, requests)  # until tokens are known, connections are open and caches are full
        rounds = [{name: send(side, requests) for name, side in sides.items()} for _ in range(ROUNDS)]
    figures = {name: summed([each[name] for each in rounds]) for name in sides}
    return Comparison(figures, requests.samples, statistics.fmean(map(len, requests.bodies)) / 1000)


def summed(rounds: Sequence[Figures]) -> Figures:
    """Take each figure's median, but of memory the most."""
    return Figures(*map(statistics.median, zip(*rounds, strict=True)))._replace(memory=rounds[-1].memory)


def record(folder: Path) -> Requests:
    """Let an agent scrape itself as if it were several pods, and take what it sends."""
    receiver = Recording()
    fleet = Fleet.model_validate(
        {
            "clusters": {"eu1": {"context": "eu1"}},
            "scrape": {"interval": "1s", "timeout": "1s"},
            "agents": {"eu1": {"hub": {"stack": "organization/promfleet/hub"}}},
        }
    )
    url = f"http://{receiver.host}{WRITE.paths[0]}"
    config = yaml.safe_load(render.agent_config(fleet, "eu1", url, own=True, ca_file=None, token_file=""))
    [write] = config["remote_write"]
    del write["authorization"]
    agent = Server(command("prometheus"), folder, {}, ["--agent", f"--storage.agent.path={folder}/data"])
    targets = [
        {
            "targets": [f"127.0.0.1:{agent.port}"],
            "labels": {"instance": f"10.0.0.{n}:9090", "namespace": "shop", "pod": f"cart-{n}", "node": f"node-{n}"},
        }
        for n in range(PODS)
    ]
    config["scrape_configs"] = [{"job_name": "pods", "static_configs": targets}]
    agent.config.write_text(yaml.safe_dump(config))

    def assert_recorded() -> None:
        assert len(receiver.bodies) >= RECORDED

    try:
        agent.start()
        eventually(assert_recorded)
    finally:
        agent.stop()
        receiver.server_close()
    own = {"Host", "Content-Length"}
    headers = {name: value for name, value in receiver.came[0].items() if name not in own}
    return Requests(headers, receiver.bodies, write["queue_config"]["max_samples_per_send"])


def start(started: ExitStack, folder: Path, agents: Sequence[str]) -> dict[str, Side]:
    """Start both proxies of a hub that agents of other stacks write to; behind both is the same server."""
    at = {name: folder / name for name in (KUBE_RBAC_PROXY, ENVOY)}
    for own in at.values():
        own.mkdir()
    clusters = {name: envoy.Cluster(name) for name in agents}
    with_issuers = {name: {"issuer": cluster.settings()} for name, cluster in clusters.items()}
    envoy.certificates(at[ENVOY])
    verifying = started.enter_context(
        envoy.running(deployed(hub(with_issuers), at[ENVOY]), at[ENVOY], APP, WRITE.paths[0])
    )
    behind = verifying.upstream.server_port
    accounts = {name: auth_proxy.Token(f"writer-{name}") for name in agents}
    with_tokens = deployed(hub({name: {} for name in agents}), at[KUBE_RBAC_PROXY])
    asking = started.enter_context(
        auth_proxy.running(with_tokens, [*accounts.values()], at[KUBE_RBAC_PROXY], (APP, behind))
    )
    write = (APP, WRITE.name)
    return {
        KUBE_RBAC_PROXY: Side(
            secured(agents, asking.ports[write], asking.ca),
            {name: token.text for name, token in accounts.items()},
            asking.pids[write],
        ),
        ENVOY: Side(
            secured(agents, verifying.port, at[ENVOY] / "ca.crt"),
            {name: cluster.token() for name, cluster in clusters.items()},
            verifying.pid,
        ),
        NONE: Side({name: HTTPConnection("127.0.0.1", behind) for name in agents}, {}, None),
    }


def hub(agents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A stack with a hub that so many series fit into."""
    planned = {name: {**said, "series": SAMPLES * MINUTE // len(agents)} for name, said in agents.items()}
    return {
        "clusters": {"hub": {"context": "hub"}},
        "scrape": {"interval": f"{MINUTE}s"},
        "hub": {**HUB, "storage": "1Ti", "agents": planned},
    }


def secured(agents: Sequence[str], port: int, ca: Path) -> dict[str, HTTPConnection]:
    """A connection for each agent, which is opened by its first request."""
    context = ssl.create_default_context(cafile=str(ca))
    return {name: HTTPSConnection("127.0.0.1", port, context=context) for name in agents}


def send(side: Side, requests: Requests) -> Figures:
    """Send for one round at the fixed rate, the agents in turn."""
    agents = len(side.connections)
    pause = agents * requests.samples / SAMPLES  # seconds between two requests of an agent
    spent, began = cpu(side.pid) if side.pid else math.nan, time.perf_counter()

    def agent(number: int, name: str) -> list[float]:
        shown = {"Authorization": f"Bearer {side.tokens[name]}"} if side.tokens else {}
        latencies = []
        for n in range(number, int(SECONDS / pause) * agents, agents):
            time.sleep(max(0.0, began + pause * n / agents - time.perf_counter()))
            body = requests.bodies[n % len(requests.bodies)]
            latencies.append(post(side.connections[name], {**requests.headers, **shown}, body))
        return latencies

    with ThreadPoolExecutor(agents) as pool:
        latencies = [took for found in pool.map(agent, range(agents), side.connections) for took in found]
    wall, samples = time.perf_counter() - began, len(latencies) * requests.samples
    return Figures(
        (cpu(side.pid) - spent) / samples * 1e6 if side.pid else math.nan,
        resident(side.pid)["VmHWM"] if side.pid else math.nan,
        statistics.median(latencies),
        statistics.quantiles(latencies, n=100)[98],
        samples / wall,
    )


def post(connection: HTTPConnection, headers: Mapping[str, str], body: bytes) -> float:
    """Send one request and return the milliseconds until its answer is there."""
    began = time.perf_counter()
    connection.request("POST", WRITE.paths[0], body, headers)
    answer = connection.getresponse()
    said = answer.read()
    took = time.perf_counter() - began
    if answer.status != 204:
        raise RuntimeError(f"port {connection.port} answered {answer.status}: {said[:2000]!r}")
    return took * 1000
