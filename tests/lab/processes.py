"""Hub and agents as plain processes on loopback, where an outage of hours is pressed into a minute or two."""

import itertools
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import yaml

from tests.exposition import total
from tests.http_server import EXPOSITION, Handler, HttpServer

from .stack import eventually

SERIES = 500
"""Series of each target: enough for the queue in memory to overflow within seconds of an outage."""


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = itertools.count(10_000 + 2_000 * _WORKER)
"""None that the kernel gives to clients, or another worker to a server, before the server that asked has begun."""


def free_port() -> int:
    """Find a port of loopback that nobody listens on."""
    return next(filter(_is_free, _PORTS))


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


class Target(HttpServer):
    """Numbers its scrapes, in as many series as are asked for; each agent scrapes a path of its own."""

    def __init__(self) -> None:
        self.scrapes: dict[str, int] = {}
        """How often each path was answered."""
        target = self

        class Answering(Handler):
            def do_GET(self) -> None:
                number = target.scrapes.get(self.path, 0) + 1
                lines = [f'oracle_scrapes_total{{n="{n}"}} {number}' for n in range(SERIES)]
                self.answer(200, ("\n".join(lines) + "\n").encode(), EXPOSITION)
                target.scrapes[self.path] = number

        super().__init__(Answering)

    def answered(self, cluster: str) -> int:
        """How often a cluster's agent was answered."""
        return self.scrapes.get(f"/{cluster}", 0)


class Server:
    """One Prometheus process; `stop` and `start` keep its data."""

    def __init__(self, binary: Path, folder: Path, config: dict, flags: Sequence[str]) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.config = folder / "prometheus.yml"
        self.config.write_text(yaml.safe_dump(config))
        self.command = [
            str(binary),
            f"--config.file={self.config}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            *flags,
        ]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

        def assert_ready() -> None:
            assert httpx.get(f"{self.url}/-/ready").status_code == 200

        eventually(assert_ready, seconds=30)

    def stop(self) -> None:
        """End it as Kubernetes would, and wait until it is gone."""
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=90)
            self.process = None

    def metric(self, name: str) -> float:
        """Sum the series of one of its own metrics."""
        return total(httpx.get(f"{self.url}/metrics").text, name)

    def stored(self, cluster: str, since: float) -> dict[int, float]:
        """Numbers of the scrapes of one cluster's target that it stores -> their times, in seconds."""
        window = int(time.time() - since) + 2
        query = f'oracle_scrapes_total{{cluster="{cluster}",n="0"}}[{window}s]'
        found = httpx.get(f"{self.url}/api/v1/query", params={"query": query}).json()["data"]["result"]
        return {int(value): at for series in found for at, value in series["values"] if at >= since}
