"""An Alertmanager of the release that is deployed, on loopback."""

import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from live import free_port

from .tools import tool

PATIENCE = 120
"""Seconds that it may take to start, to judge and to stop."""

Labels = dict[str, str]


def until(what: str, condition: Callable[[], bool]) -> None:
    """Wait for a condition; in vain, the test fails with what was waited for."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE} s"
        time.sleep(0.1)


@contextmanager
def started(command: Sequence[str], log: Path, is_ready: Callable[[], bool]) -> Generator[None]:
    """Run a process, which writes to this log, until the block ends; the block begins when it is ready."""
    with log.open("w") as written:
        process = subprocess.Popen(command, stderr=written)
        try:
            until(f"{command[0]} starts", lambda: process.poll() is not None or is_ready())
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


class Alertmanager:
    """What a test asks of it."""

    def __init__(self, port: int) -> None:
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v2")

    def answers(self) -> bool:
        """Tell whether it has started."""
        try:
            return self._api.get("/status").is_success
        except httpx.TransportError:
            return False

    def take(self, *alerts: Labels, annotations: Sequence[Labels] = ()) -> None:
        """Hand over alerts, as Prometheus does."""
        texts = annotations or [{} for _ in alerts]
        sent = [{"labels": own, "annotations": text} for own, text in zip(alerts, texts, strict=True)]
        self._api.post("/alerts", json=sent).raise_for_status()

    def alerts(self, cluster: str) -> list[dict[str, Any]]:
        """Every alert of one cluster, and what came of it."""
        return self._api.get("/alerts", params={"filter": f'cluster="{cluster}"'}).raise_for_status().json()

    def muted(self, cluster: str) -> set[str]:
        """The names of a cluster's alerts that another one mutes."""
        return {alert["labels"]["alertname"] for alert in self.alerts(cluster) if alert["status"]["inhibitedBy"]}


@contextmanager
def running(config: str, folder: Path) -> Generator[Alertmanager]:
    """Run it with this configuration until the block ends."""
    file = folder / "alertmanager.yml"
    file.write_text(config)
    port = free_port()
    flags = [
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    server = Alertmanager(port)
    with started([tool("alertmanager"), *flags], folder / "log", server.answers):
        yield server
