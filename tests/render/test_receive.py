"""Thanos Receive of the release that is deployed, with the command line that an ingestor has."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from live import free_port
from render.thanos.receive import ingestor_flags
from tests.remote_write import sample
from tests.unit.builders import EVERYTHING, fleet

from .alertmanager import started
from .tools import tool

pytestmark = pytest.mark.render

DAY = 24 * 3600
HEADERS = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}


class Ingestor:
    """What a test asks of it."""

    def __init__(self, port: int) -> None:
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HEADERS)

    def is_ready(self) -> bool:
        """Whether it stores samples."""
        try:
            return self.store("first") == httpx.codes.OK
        except httpx.TransportError:
            return False

    def store(self, metric: str, ahead: float = 0) -> int:
        """The status with which it answers a sample from so many seconds ahead."""
        return self._api.post("/api/v1/receive", content=sample(metric, ahead)).status_code


@pytest.fixture
def ingestor(tmp_path: Path) -> Iterator[Ingestor]:
    """An ingestor on loopback that is a hashring of its own."""
    described: Any = fleet(**EVERYTHING)
    http, grpc, write = (f"127.0.0.1:{free_port()}" for _ in range(3))
    replaced = ("--http-address", "--grpc-address", "--remote-write.address", "--tsdb.path", "--objstore.config")
    flags = ingestor_flags(described.server, described.thanos, described.thanos.receive)
    ring = json.dumps([{"endpoints": [grpc]}])
    own = [f"--http-address={http}", f"--grpc-address={grpc}", f"--remote-write.address={write}"]
    command = [
        *(tool("thanos"), *(flag for flag in flags if not flag.startswith(replaced)), *own),
        *(f"--tsdb.path={tmp_path}", f"--receive.hashrings={ring}", f"--receive.local-endpoint={grpc}"),
    ]
    server = Ingestor(int(write.rpartition(":")[2]))
    with started(command, tmp_path / "log", server.is_ready):
        yield server


class TestASampleOfAClockThatIsAhead:
    @pytest.mark.parametrize("ahead", [DAY, 365 * DAY], ids=["a day", "a year"])
    def test_costs_no_other(self, ingestor: Ingestor, ahead: int) -> None:
        """
        It is refused. Stored, it would be the newest, and those of now would be too old from then on.
        """
        assert ingestor.store("wrong_clock", ahead) == httpx.codes.CONFLICT
        assert ingestor.store("right_clock") == httpx.codes.OK

    def test_is_stored_within_ten_minutes(self, ingestor: Ingestor) -> None:
        """
        As a hub does, since clocks of clusters differ a little.
        """
        assert ingestor.store("nearly_right", 9 * 60) == httpx.codes.OK
