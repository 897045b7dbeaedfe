"""Thanos in the lab: its stacks, a past that they never had, and a sidecar of somebody else's."""

import socket
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fleet.client import PrometheusClient
from lab import pki
from lab.connect import NAMESPACE

from . import bucket, elsewhere, fleets, history
from .clusters import Bringup, Lab
from .fixtures import THANOS, wait_for
from .fleets import StackFile
from .stack import Stack
from .stacks import Stacks

MEMCACHED = 11211


class Past(NamedTuple):
    """Broken blocks that were put into the bucket, by their ULIDs."""

    partial: str
    """Its upload broke off: it has no meta.json."""
    unreadable: str
    """Its meta.json is no JSON."""


@pytest.fixture(scope="session")
def thanos_parts(lab: Lab, pytestconfig: pytest.Config, bringup: Bringup) -> None:
    """The images of Thanos and memcached in every cluster, and the object store."""
    wait_for(pytestconfig, bringup, THANOS)


@pytest.fixture(scope="session")
def endpoint(lab: Lab, thanos_parts: None) -> Iterator[dict[str, Any]]:
    """A Prometheus of somebody else's in eu1, whose sidecar shows a certificate and wants to be shown one."""
    authority = pki.authority("elsewhere")
    host = lab.node_address("eu1")
    lab.apply("eu1", elsewhere.objects(pki.issue(authority, "sidecar", hosts=[host]), authority.certificate))
    pair = pki.issue(authority, "query")
    lab.connect()  # makes the namespace
    lab.apply("hub", [elsewhere.certificates("elsewhere", NAMESPACE, pair, authority.certificate)])
    yield {"address": f"{host}:{elsewhere.PORT}", "tlsSecret": "elsewhere"}
    lab.kubectl("hub", "-n", NAMESPACE, "delete", "secret", "elsewhere", "--ignore-not-found")
    lab.kubectl("eu1", "delete", "namespace", elsewhere.NAMESPACE, "--wait=false")


@pytest.fixture(scope="session")
def whole(lab: Lab, endpoint: dict[str, Any]) -> dict[str, StackFile]:
    """
    Files of a hub's stack with every role of Thanos, and of a stack with its agents.

    The agent in eu1 has a token that the hub's stack made, the one in us1 shows tokens of its own cluster.
    """
    files = fleets.two_stacks({"query": {"endpoints": [endpoint]}})
    return fleets.without_secrets(files, "us1", lab.issuer("us1"), lab.ca.read_text(encoding="utf-8"))


@pytest.fixture
def thanos(stacks: Stacks, whole: dict[str, StackFile]) -> Stack:
    """The hub's stack of both; every cluster reports."""
    return stacks.deploy(whole)[0]


@pytest.fixture
def query(thanos: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    with stacks.open_prometheus(thanos) as query:
        yield query


@pytest.fixture(scope="session")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """A month of blocks, older ones, and some that are to be broken; they are written while the clusters start."""
    today = int(time.time()) // (2 * history.DAY) * 2 * history.DAY
    days = {"history": (32, 2), "ancient": (62, 58), "broken": (50, 48)}
    return {
        name: history.write_blocks(
            tmp_path_factory.mktemp(name), name, today - first * history.DAY, today - last * history.DAY
        )
        for name, (first, last) in days.items()
    }


@pytest.fixture(scope="session")
def past(blocks: dict[str, list[Path]], lab: Lab, stacks: Stacks, whole: dict[str, StackFile]) -> Past:
    """Put the blocks into the bucket, two of them broken; the Compactor begins with them at once."""
    stacks.deploy(whole)
    now = int(time.time() * 1000)  # older ones the compactor takes away by itself
    partial, unreadable, *_ = (
        block.rename(block.with_name(history.aged(block.name, now))) for block in blocks["broken"]
    )
    (partial / "meta.json").unlink()
    (unreadable / "meta.json").write_text("{")
    for block in (*blocks["history"], *blocks["ancient"], partial, unreadable):
        bucket.upload(block)
    with (
        lab.forwarded("thanos-memcached-0", MEMCACHED) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as memcached,
    ):
        memcached.sendall(b"flush_all\r\n")  # a Store has the list of blocks from there, for five minutes
        assert memcached.recv(4) == b"OK\r\n"
    lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "thanos-compactor-0")
    return Past(partial.name, unreadable.name)
