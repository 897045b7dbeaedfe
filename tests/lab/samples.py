"""Samples that arrived, held against those that were to: how many, and how far apart."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from alerts import MAINTENANCE, WATCHDOG
from fleet.client import PrometheusClient

from .catalogue import MACHINE
from .stack import eventually

BATCH = 5
"""Seconds that a sender waits for a batch to fill, upstream's `batch_send_deadline`."""


class Samples(NamedTuple):
    """What is stored of one series that is scraped all the time."""

    expected: int
    present: int
    longest_gap: float
    """Seconds between the two neighbours that lie furthest apart."""


def widest(times: Sequence[float]) -> float:
    """Seconds between the two neighbours that lie furthest apart."""
    return max(after - before for before, after in pairwise(times))


class Watch:
    """The oracle of one cluster, as the hub has it since the watch began: scraped every second, it says the time."""

    def __init__(self, hub: PrometheusClient, cluster: str) -> None:
        self.hub, self.cluster, self.began = hub, cluster, time.time()

    def stored(self) -> list[tuple[float, float]]:
        """Return the stored samples as (timestamp, value), in seconds, oldest first."""
        window = int(time.time() - self.began) + 5
        promql = f'oracle_seconds_total{{cluster="{self.cluster}"}}[{window}s]'
        found = self.hub.get("/api/v1/query", query=promql).json()["data"]["result"]
        pairs = sorted((float(at), float(value)) for series in found for at, value in series["values"])
        return [(at, value) for at, value in pairs if at >= self.began]

    def until(self, end: float) -> Samples:
        """Count what there is up to a time, a second apart; AssertionError while the newest sample is older."""
        times = [at for at, _ in self.stored()]
        assert times, f"nothing of {self.cluster} is stored"
        assert times[-1] >= end, f"the newest sample of {self.cluster} is {end - times[-1]:.1f} s short"
        within = [self.began, *(at for at in times if at <= end), end]
        return Samples(int(end - self.began), len(within) - 2, widest(within))

    def assert_true(self) -> None:
        """Every stored value is what the clock said when it was scraped."""
        wrong = [(at, value) for at, value in self.stored() if not -1.5 <= at - value <= 2.5]
        assert wrong == []


def watching(hub: PrometheusClient, clusters: Sequence[str]) -> list[Watch]:
    """Begin to watch once the oracle of each cluster arrives every second."""

    def assert_arriving() -> None:
        counted = hub.query("min by (cluster) (count_over_time(oracle_seconds_total[15s]))")
        assert {s.labels["cluster"] for s in counted if s.value >= 10} >= set(clusters)

    eventually(assert_arriving)
    return [Watch(hub, cluster) for cluster in clusters]


def delivered(watches: Sequence[Watch], seconds: float = 120) -> list[Samples]:
    """Wait until everything up to now has arrived, true in every sample, and count it."""
    now = time.time()
    counted: list[list[Samples]] = []
    eventually(lambda: counted.append([watch.until(now) for watch in watches]), seconds)
    for watch in watches:
        watch.assert_true()
    return counted[-1]


def answers(query: PrometheusClient, promql: str, **parameters: str) -> list[dict[str, Any]]:
    """Answer an instant query as the API does, with parameters of Thanos' own."""
    return query.get("/api/v1/query", query=promql, **parameters).json()["data"]["result"]


def fired(hub: PrometheusClient, seconds: float) -> str:
    """Name the alerts that fired in the last seconds, but those that always do."""
    always = "|".join((WATCHDOG, MAINTENANCE, MACHINE))
    asked = f'max_over_time(ALERTS{{alertstate="firing", alertname!~"{always}"}}[{int(seconds)}s])'
    found = hub.query(f"count by (alertname, cluster) ({asked})")
    return ", ".join(sorted(f"{s.labels['alertname']} ({s.labels['cluster']})" for s in found)) or "none"
