"""Memory requests and limits of what grows with the number of active series."""

from collections.abc import Mapping
from typing import NamedTuple

from .types import Quantity, in_bytes


class Memory(NamedTuple):
    """Request and limit, as Kubernetes quantities."""

    request: str
    limit: str


def server_memory(series: int) -> Memory:
    """
    Memory for a server's head block, its queries and the replay of its WAL.

    In the lab, a fresh head of Prometheus 3.15 had 2.5 kB a series without queries (November 2026); operators report
    3 to 8 kB in use.
    """
    return _memory(512 + series * 4 // 1024, 512 + series * 12 // 1024)


def query_memory(series: int) -> Memory:
    """Memory for the series that Query deduplicates at a time; a query over all series for a day exceeds it."""
    return _memory(128 + series // 1024, 512 + series * 8 // 1024)


def store_memory(series: int) -> Memory:
    """Memory for a Store's caches, 250 MB of index and up to 2 GB of chunks, and for index headers."""
    return _memory(256 + series // 1024, 1024 + series * 8 // 1024)


def compactor_memory(series: int) -> Memory:
    """Memory for one compaction of two weeks: the index of a block, about 1 kB a series and replica."""
    return _memory(256 + series // 1024, 1024 + series * 12 // 1024)


def memcached_memory(items: Quantity) -> Memory:
    """
    Memory for items, the hash table and connections; request and limit are equal, since all of it is used.

    In the lab, the table of memcached 1.6.45 had a fifteenth of the items' size (November 2026).
    """
    limit = in_bytes(items) // 2**20 * 9 // 8 + 128
    return _memory(limit, limit)


MAX_SHARDS = 10
"""Connections that one agent opens at most to the hub, or to a destination."""
QUEUE: Mapping[str, int] = {"capacity": 10_000, "max_samples_per_send": 2_000, "max_shards": MAX_SHARDS}
"""Fields of `queue_config` that memory is planned for: defaults of Prometheus 3.15, and the shards of this program."""
QUEUED = MAX_SHARDS * (QUEUE["capacity"] + QUEUE["max_samples_per_send"])
"""Samples that the shards of one destination may hold in an agent's memory."""


def agent_memory(series: int, destinations: int = 0) -> Memory:
    """
    Memory for an agent's series and shards; in the lab 2.3 kB a series (Prometheus 3.15, November 2026).

    Each destination keeps labels of every series again, and up to `QUEUED` samples in its shards; that is an estimate.
    """
    request, limit = 128 + series * 3 // 1024, 384 + series * 8 // 1024
    return _memory(request + destinations * (32 + series // 1024), limit + destinations * (64 + series * 2 // 1024))


def exporter_memory(series: int) -> Memory:
    """Memory of kube-state-metrics for a cluster's objects, whose number follows that of its series."""
    request = 64 + series // 500
    return _memory(request, request * 3)


def _memory(request: int, limit: int) -> Memory:
    return Memory(f"{request}Mi", f"{limit}Mi")
