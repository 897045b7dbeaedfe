"""Whether what the hub keeps fits on its volume."""

from collections.abc import Iterator, Mapping
from math import ceil

from ..cluster import USUAL_SERIES, Cluster
from ..errors import Problem
from ..types import duration, in_bytes, seconds
from .partial import Draft

BYTES_PER_SAMPLE = 2
"""The upper end of what Prometheus documents for its blocks."""
USABLE_PERCENT = 80
"""Share of the volume for samples; the rest is for the WAL and a compaction under way."""

_GI = 2**30
_DAY, _HOUR, _SHORTEST = 86400, 3600, 2 * 3600


def retention_fits(draft: Draft) -> Iterator[Problem]:
    """The samples of the whole retention fit on the volume."""
    if not draft.hub or not draft.scrape or None in draft.clusters.values() or None in draft.agents.values():
        return
    hub, interval = draft.hub, seconds(draft.scrape.interval)
    bytes_per_second_times_interval = BYTES_PER_SAMPLE * planned_series(draft)
    usable = in_bytes(hub.storage) * USABLE_PERCENT // 100
    if bytes_per_second_times_interval * seconds(hub.retention) <= usable * interval:
        return
    needed = bytes_per_second_times_interval * seconds(hub.retention) / interval
    storage = ceil(needed * 100 / USABLE_PERCENT / _GI)
    fitting = usable * interval // bytes_per_second_times_interval
    rate = ceil(planned_series(draft) / interval)
    yield Problem(
        ("hub", "retention"),
        f"does not fit in storage: {hub.storage} at {rate} samples/s",
        f"Write storage: {storage}Gi{_or_retention(fitting)}.",
        hub.retention,
    )


def planned_series(draft: Draft) -> int:
    """Active series of the hub's own cluster, and of all that write to it instead of to a Receive."""
    if not draft.hub:
        return 0
    received = draft.thanos and draft.thanos.receive
    return _series(draft.clusters, draft.hub.cluster) + (0 if received else written_series(draft))


def written_series(draft: Draft) -> int:
    """Active series of all that write to this stack."""
    if not draft.hub:
        return 0
    here = set(draft.local_agents)
    others = [writer.series for name, writer in draft.hub.agents.items() if name not in here]
    return sum(_series(draft.clusters, name) for name in here) + sum(others)


def _series(clusters: Mapping[str, Cluster | None], name: str) -> int:
    cluster = clusters.get(name)
    return cluster.series if cluster else USUAL_SERIES


def _or_retention(length: int) -> str:
    if length < _SHORTEST:
        return ""
    unit = _DAY if length >= _DAY else _HOUR
    return f", or retention: {duration(length - length % unit)}"
