"""
Plans an agent's write-ahead log, so that its truncation keeps the samples that a hub has missed.

At every tick the agent closes the segment it writes and deletes the older two thirds of the closed ones, sent or not
(`truncate` in tsdb/agent/db.go). What is left of one tick's length P, at worst over all rates of samples:
all of P while fewer than three segments fill in P, 0.31 P from 15 segments on, and 0.25 P between them.
"""

from math import ceil
from typing import NamedTuple

BYTES_PER_SAMPLE = 10
"""In the lab 6.4 with steady targets (Prometheus 3.15, November 2026); new series and changing values need more."""
WRONG_BY = 4
"""The rate of samples may be the expected one times this factor, or divided by it."""

_MB, _GI = 2**20, 2**30
_LARGEST, _SMALLEST = 256 * _MB, 10 * _MB
"""Largest and smallest segment size that Prometheus accepts."""
_SHORTEST_CATCHING_UP = 600


class WalPlan(NamedTuple):
    """Settings of the WAL; times in seconds, sizes in bytes."""

    kept: int
    """Seconds of samples that the WAL always has: the outage, and the time to catch up after it."""
    truncate_every: int
    segment_bytes: int
    retention_max: int
    """Series without samples for this long are dropped at the next truncation."""
    volume: str
    """Size of the volume, as Kubernetes writes it."""


def kept(outage: int) -> int:
    """Seconds of samples that survive an outage of this many seconds, with the time that catching up takes."""
    return outage + max(outage // 4, _SHORTEST_CATCHING_UP)


def wal_plan(outage: int, series: int, interval: int) -> WalPlan:
    """
    Truncate as often as the outage allows, because series that ended stay in memory until the next truncation.

    With few bytes, segments are so large that fewer than three fill between two truncations, and none is deleted early.
    With many, they are so small that close to a third remains.
    """
    span = kept(outage)
    bytes_per_second = series * BYTES_PER_SAMPLE / interval
    if bytes_per_second * span * WRONG_BY < 3 * _LARGEST:
        return _plan(span, span, _LARGEST, 4 * bytes_per_second * span)
    every = ceil(3.5 * span)
    return _plan(span, every, _SMALLEST, 1.75 * bytes_per_second * every)


def _plan(span: int, every: int, segment: int, peak: float) -> WalPlan:
    """
    Reserve twice the peak: a truncation copies unsent samples into its checkpoint before it deletes segments.

    Prometheus raises a shorter retention to the truncation's interval.
    """
    return WalPlan(span, every, segment, every, f"{max(1, ceil(2 * peak / _GI))}Gi")
