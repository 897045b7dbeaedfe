"""
What Query and a Store cost beside one Prometheus that has the same month of blocks.

The bucket is a folder: a real one adds its round trips to whatever the Store's caches lack. All blocks are raw, so a
long range folds every sample of it, where a compactor's coarser ones would spare Query most of them.
"""

import math
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

import render
from lab.build import command
from render.thanos.bucket_roles import stores
from render.thanos.query import query_flags
from render.yaml import to_json
from settings import Fleet
from tests.lab.history import DAY, STEP, described
from tests.lab.processes import free_port
from tests.lab.stack import eventually
from tests.rendered import server_config

from .measure import cpu, resident

ROUNDS = 15
PATIENCE = 60
"""Seconds after which no further round begins: on a busy machine there are fewer."""
SERIES = 200
BLOCK = 54 * 3600
"""Seconds of a block: the longest that a Prometheus makes which keeps samples for 42 days."""
BLOCKS = 14
PROMETHEUS, STORE, QUERY, BOTH = "Prometheus", "Store", "Query", "Query + Store"
SIDES = {PROMETHEUS: (PROMETHEUS,), BOTH: (QUERY, STORE)}
"""The servers that work on an answer, the one that is asked first."""
STACK = {
    "clusters": {"bench": {"context": "bench"}},
    "hub": {"cluster": "bench", "expose": {"host": "hub.bench.example", "tls": {"secret": "bench"}}},
    "thanos": {"storage": {"filesystem": {"claim": "bench"}}},
}


class Question(NamedTuple):
    """What is asked of both."""

    name: str
    path: str
    parameters: Mapping[str, str | int]


class Asked(NamedTuple):
    """One answer, and what it took."""

    wall: float
    """Milliseconds until all of it was there."""
    cpu: float
    """Milliseconds of all processes that worked on it."""
    series: list[dict[str, Any]]


class Latency(NamedTuple):
    """What a question takes, in milliseconds."""

    first: float
    """Until its answer is there, when it had not been asked before."""
    wall: float
    """Likewise, the median of later rounds."""
    cpu: float
    """The mean of later rounds, so that each has its part of what collecting garbage takes."""


class Memory(NamedTuple):
    """Resident MiB."""

    ready: float
    """Before the first question."""
    peak: float
    """The most so far."""
    anonymous: float
    """After the last question, without the pages of files, which the kernel takes back when it needs them."""


class Server(NamedTuple):
    """A process that is ready."""

    address: str
    """Host and port of its HTTP API."""
    pid: int


class Comparison(NamedTuple):
    """What was found."""

    latencies: dict[str, dict[str, Latency]]
    """By question, then by side."""
    memory: dict[str, Memory]
    """By server, and of Query and Store together, whose peaks need not coincide."""
    rounds: int
    """How many there were after the first."""


def questions(end: int) -> list[Question]:
    """What dashboards ask, of a history that ends at a Unix time."""
    week = end - 7 * DAY
    rate, average = "sum by (path) (rate(bench_requests_total[5m]))", "sum(avg_over_time(bench_requests_total[1h]))"
    return [
        Question("an hour, a week ago", "query", {"query": "sum(increase(bench_requests_total[1h]))", "time": week}),
        Question("a day by minutes", "query_range", {"query": rate, "start": week - DAY, "end": week, "step": 60}),
        Question(
            "a month by hours", "query_range", {"query": average, "start": end - 30 * DAY, "end": end, "step": 3600}
        ),
    ]


def compare(folder: Path) -> Comparison:
    """Ask both in turn, so that a slow moment meets each; raises `RuntimeError` where their answers differ."""
    end = int(time.time()) // BLOCK * BLOCK
    bucket = write_blocks(folder, end)
    with ExitStack() as started:
        servers = start(started, folder, bucket)
        ready = {name: resident(server.pid) for name, server in servers.items()}
        rounds = asked(servers, end)
        after = {name: resident(server.pid) for name, server in servers.items()}
    memory = {name: Memory(ready[name]["VmRSS"], now["VmHWM"], now["RssAnon"]) for name, now in after.items()}
    memory[BOTH] = Memory(*map(sum, zip(memory[STORE], memory[QUERY], strict=True)))
    latencies = {
        question: {side: latency([each[question][side] for each in rounds]) for side in SIDES} for question in rounds[0]
    }
    return Comparison(latencies, memory, len(rounds) - 1)


def asked(servers: Mapping[str, Server], end: int) -> list[dict[str, dict[str, Asked]]]:
    """Ask in rounds about a history that ends at a Unix time; each round has its answers by question and side."""
    rounds = []
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=60) as client:
        while len(rounds) < 2 or (len(rounds) <= ROUNDS and time.monotonic() < deadline):
            rounds.append({})
            for question in questions(end):
                found = {side: ask(client, question, [servers[name] for name in SIDES[side]]) for side in SIDES}
                if not equal(*(each.series for each in found.values())):
                    raise RuntimeError(f"{' and '.join(SIDES)} differ about {question.name}")
                rounds[-1][question.name] = found
    return rounds


def latency(answers: Sequence[Asked]) -> Latency:
    """Sum up what one side took for one question in all rounds."""
    first, *later = answers
    return Latency(
        first.wall, statistics.median(each.wall for each in later), statistics.fmean(each.cpu for each in later)
    )


def write_blocks(folder: Path, end: int) -> Path:
    """Make a month of blocks of busy counters, up to a Unix time, and return the folder that has them as a bucket."""
    bucket, partial = folder / "bucket", folder / "draft"
    bucket.mkdir()
    times = range(end - BLOCKS * BLOCK, end, STEP)
    requests = list(accumulate(random.Random(1).choices(range(100), k=len(times))))  # noqa: S311 — no secret
    labels = [f'{{instance="{n // 10}",path="/{n % 10}"}}' for n in range(SERIES)]
    for since in range(0, len(times), BLOCK // STEP):  # promtool reads its file anew for each block
        span = range(since, since + BLOCK // STEP)
        with (folder / "history.om").open("w") as text:
            text.write("# TYPE bench_requests counter\n")
            for n, own in enumerate(labels):
                text.writelines(f"bench_requests_total{own} {requests[at] * (n + 1)} {times[at]}\n" for at in span)
            text.write("# EOF\n")
        subprocess.run(
            [
                *(command("promtool"), "tsdb", "create-blocks-from", "openmetrics"),
                *(f"--max-block-duration={BLOCK}s", text.name, partial),
            ],
            check=True,
            capture_output=True,
        )
        [meta] = partial.glob("*/meta.json")
        shutil.move(described(meta.parent, "bench"), bucket)
    return bucket


def start(started: ExitStack, folder: Path, bucket: Path) -> dict[str, Server]:
    """Start Prometheus, Store and Query with the program's flags."""
    fleet = Fleet.model_validate(STACK)
    if not fleet.thanos:
        raise ValueError("the stack has no Thanos")
    alone, web, grpc, query, unasked = (f"127.0.0.1:{free_port()}" for _ in range(5))
    config, endpoints = folder / "prometheus.yml", folder / "endpoints.yml"
    config.write_text(yaml.safe_dump({"storage": server_config(fleet)["storage"]}))
    endpoints.write_text(yaml.safe_dump({"endpoints": [{"address": grpc}]}))
    shutil.copytree(bucket, folder / "data")
    storage = {"type": "FILESYSTEM", "config": {"directory": str(bucket)}}
    places = {
        PROMETHEUS: {"--config.file": config, "--web.listen-address": alone, "--storage.tsdb.path": folder / "data"},
        STORE: {
            "--http-address": web,
            "--grpc-address": grpc,
            "--data-dir": folder / "store",
            "--objstore.config": to_json(storage),
        },
        QUERY: {"--http-address": query, "--grpc-address": unasked, "--endpoint.sd-config-file": endpoints},
    }
    commands = {
        PROMETHEUS: [command("prometheus"), *render.server_flags(fleet)],
        STORE: [command("thanos"), *stores(fleet.thanos)[STORE].flags],
        QUERY: [command("thanos"), *query_flags(fleet.thanos)],
    }
    listening = {PROMETHEUS: alone, STORE: web, QUERY: query}
    servers = {
        name: started.enter_context(
            running([*placed(arguments, places[name])], listening[name], folder / f"{name}.log")
        )
        for name, arguments in commands.items()
    }

    def assert_stores_known() -> None:
        assert httpx.get(f"http://{query}/api/v1/stores").json()["data"].get("store")

    eventually(assert_stores_known)
    return servers


def placed(arguments: Sequence[str | Path], places: Mapping[str, str | Path]) -> Iterator[str]:
    """Give flags the addresses and the folders of this run instead of a pod's."""
    for argument in map(str, arguments):
        flag = argument.partition("=")[0]
        yield f"{flag}={places[flag]}" if flag in places else argument


@contextmanager
def running(arguments: Sequence[str], address: str, log: Path) -> Generator[Server]:
    """Give a server that is ready; it is gone afterwards in any case."""
    with log.open("wb") as said:
        process = subprocess.Popen(arguments, stdout=said, stderr=said)

    def assert_ready() -> None:
        if process.poll() is not None:
            raise RuntimeError(f"{log.stem} answered {process.returncode}: {log.read_text()[-2000:]}")
        assert httpx.get(f"http://{address}/-/ready").status_code == 200, log.read_text()[-2000:]

    try:
        eventually(assert_ready)
        yield Server(address, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ask(client: httpx.Client, question: Question, servers: Sequence[Server]) -> Asked:
    """Ask the first of the servers that work on an answer."""
    pids = [server.pid for server in servers]
    spent, began = cpu(*pids), time.perf_counter()
    answer = client.get(f"http://{servers[0].address}/api/v1/{question.path}", params=question.parameters)
    took, spent = time.perf_counter() - began, cpu(*pids) - spent
    return Asked(took * 1000, spent * 1000, answer.raise_for_status().json()["data"]["result"])


def equal(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """Tell whether two answers are the same series with the same samples; the last digits of a sum may differ."""
    mine, others = samples(one), samples(other)
    return (
        bool(mine)
        and mine.keys() == others.keys()
        and all(math.isclose(value, others[key], rel_tol=1e-9) for key, value in mine.items())
    )


def samples(answer: list[dict[str, Any]]) -> dict[tuple[str, float], float]:
    """Labels and Unix time -> value."""
    return {
        (to_json(series["metric"]), at): float(value)
        for series in answer
        for at, value in series.get("values") or [series["value"]]
    }
