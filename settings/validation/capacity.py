"""The rule that samples of the whole retention fit on the server's volume."""

from collections.abc import Iterator, Mapping
from math import ceil

from ..cluster import USUAL_SERIES, Cluster
from ..errors import Problem
from ..thanos import Receive
from ..types import duration, in_bytes, seconds
from .partial import PartialFleet

BYTES_PER_SAMPLE = 2
"""Upper end of the 1 to 2 bytes that Prometheus documents: https://prometheus.io/docs/prometheus/latest/storage/."""
USABLE_PERCENT = 80
"""Share of the volume for samples; the rest is for the WAL and a compaction under way."""

_GI = 2**30
_DAY, _HOUR, _SHORTEST = 86400, 3600, 2 * 3600


def retention_fits(partial: PartialFleet) -> Iterator[Problem]:
    """The samples of the whole retention fit on the volume."""
    server = partial.server or partial.watcher
    if not server or not partial.scrape or None in partial.clusters.values() or None in partial.agents.values():
        return
    interval = seconds(partial.scrape.interval)
    bytes_per_second_times_interval = BYTES_PER_SAMPLE * planned_series(partial)
    usable = in_bytes(server.storage) * USABLE_PERCENT // 100
    if bytes_per_second_times_interval * seconds(server.retention) <= usable * interval:
        return
    needed = bytes_per_second_times_interval * seconds(server.retention) / interval
    storage = ceil(needed * 100 / USABLE_PERCENT / _GI)
    fitting = usable * interval // bytes_per_second_times_interval
    rate = ceil(planned_series(partial) / interval)
    yield Problem(
        (server.section, "retention"),
        f"does not fit in storage: {server.storage} at {rate} samples/s",
        f"Write storage: {storage}Gi{_or_retention(fitting)}.",
        server.retention,
    )


def planned_series(partial: PartialFleet) -> int:
    """Active series of the server's own cluster and of all that write to it, or of all that a watcher scrapes."""
    if partial.watcher:
        return sum(series_of(partial.clusters, name) for name in partial.watcher.clusters)
    if not partial.server:
        return 0
    received = partial.thanos and partial.thanos.receive
    return series_of(partial.clusters, partial.server.cluster) + (0 if received else written_series(partial))


def written_series(partial: PartialFleet) -> int:
    """Active series of all agents that write to this stack."""
    return sum(series_of_writer(partial, name) for name in partial.writers)


def stored_series(partial: PartialFleet) -> int:
    """Active series to plan Stores and the Compactor for: those of the server and of all agents."""
    received = partial.thanos and partial.thanos.receive
    return planned_series(partial) + (written_series(partial) if received else 0)


def ingested_series(partial: PartialFleet, receive: Receive) -> int:
    """Active series to plan for in each ingestor of Receive."""
    return written_series(partial) * receive.replication // receive.replicas


def series_of_writer(partial: PartialFleet, name: str) -> int:
    """Active series of a cluster whose agent writes to this stack; of another stack's the hub's section has them."""
    elsewhere = partial.hub.agents.get(name) if partial.hub else None
    if elsewhere and name not in partial.clusters:
        return elsewhere.series
    return series_of(partial.clusters, name)


def series_of(clusters: Mapping[str, Cluster | None], name: str) -> int:
    """Active series to plan for in one cluster."""
    cluster = clusters.get(name)
    return cluster.series if cluster else USUAL_SERIES


def _or_retention(length: int) -> str:
    if length < _SHORTEST:
        return ""
    unit = _DAY if length >= _DAY else _HOUR
    return f", or retention: {duration(length - length % unit)}"
