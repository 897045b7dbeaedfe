"""Five bad minutes of Thanos: no object store, a Prometheus and an ingestor killed, a tenant over its limit."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fleet.client import PrometheusClient
from lab.gcp import objectstore
from tests.lab import bucket, fleets, history
from tests.lab.clusters import Lab
from tests.lab.fleets import FLEET, REPLICAS, StackFile
from tests.lab.samples import Samples, answers, widest
from tests.lab.stack import Stack, eventually
from tests.lab.stacks import Stacks, alertmanager_alerts

from .conftest import Record

pytestmark = pytest.mark.faults
INTERVAL = 15
"""Seconds between two scrapes."""
BAD_TIME = 300
"""Seconds that the object store is away for, and all else that goes wrong with it."""


class Trouble(NamedTuple):
    """When it began and ended (Unix times), and the alerts that Alertmanager had at its end."""

    began: float
    ended: float
    alerts: list[dict[str, Any]]

    @property
    def names(self) -> str:
        return ", ".join(sorted({alert["labels"]["alertname"] for alert in self.alerts} - {"Watchdog"}))


def told(stacks: Stacks, stack: Stack) -> list[dict[str, Any]]:
    """The alerts that Alertmanager has."""
    with stacks.open_alertmanager(stack) as operate:
        return alertmanager_alerts(operate)


def samples_of(query: PrometheusClient, promql: str, start: float, end: float) -> dict[str, Samples]:
    """
    What is stored of each cluster's one series between two times.

    A range query would hide a gap under the lookback: this one counts what was stored.
    """
    found = answers(query, f"{promql}[{int(end - start)}s]", time=str(end))
    assert found
    times = {series["metric"]["cluster"]: [at for at, _ in series["values"]] for series in found}
    assert len(times) == len(found)
    return {
        cluster: Samples(int((end - start) / INTERVAL), len(at), widest([start, *at, end]))
        for cluster, at in times.items()
    }


@pytest.fixture(scope="session")
def whole(thanos_parts: None) -> Mapping[str, StackFile]:
    """Of each role as many as must be for one to be missed."""
    return fleets.two_stacks(fleets.TWICE)


@pytest.fixture(scope="module")
def trouble(lab: Lab, stacks: Stacks, whole: Mapping[str, StackFile]) -> Trouble:
    """The rollout that ends it finds the ingestor starting."""
    limited = fleets.two_stacks(fleets.merged(fleets.TWICE, {"receive": {"seriesLimits": {"us1": 100}}}))
    [stack, _] = stacks.deploy(whole)
    stacks.update(fleets.HUB_STACK, limited[fleets.HUB_STACK])
    began = time.time()
    with lab.away("prometheus-hub-1", "thanos-receive-1"):
        objectstore.stop()
        try:

            def assert_over() -> None:
                assert time.time() > began + BAD_TIME
                assert {alert["labels"]["alertname"] for alert in told(stacks, stack)} >= {
                    "PrometheusReplicaMissing",
                    "ThanosSidecarBucketOperationsFailed",
                    "ThanosReceiveTenantLimitedByHeadSeries",
                }

            eventually(assert_over, BAD_TIME + 120)
            alerts = told(stacks, stack)
        finally:
            objectstore.start()
    stacks.deploy(whole)
    return Trouble(began, time.time(), alerts)


class TestTrouble:
    def test_notifies_once(self, trouble: Trouble) -> None:
        """
        Two Rulers see the replica that is gone; Alertmanager has one alert, with no label of a replica.
        """
        [labels] = [a["labels"] for a in trouble.alerts if a["labels"]["alertname"] == "PrometheusReplicaMissing"]

        assert labels["cluster"] == "hub"
        assert "replica" not in labels

    def test_leaves_no_gap(self, trouble: Trouble, query: PrometheusClient, record: Record) -> None:
        """
        Of each cluster there is a sample for every scrape: the other replica's, the other ingestors', what us1 kept.
        """
        healed = {
            "hub": "the other Prometheus scraped the same, and Query folds both",
            "eu1": "the other two ingestors took the samples",
            "us1": "answered 429, the agent tried again",
        }
        counted: dict[str, Samples] = {}

        def assert_whole() -> None:
            counted.clear()
            counted.update(samples_of(query, 'up{job="kubelet"}', trouble.began, trouble.ended))
            assert counted.keys() == set(FLEET["clusters"])
            assert max(samples.longest_gap for samples in counted.values()) < 1.9 * INTERVAL, counted

        eventually(assert_whole, 180)
        for cluster, samples in counted.items():
            fault = "no object store, one of two Prometheus and one of three ingestors killed, us1 over its limit"
            record(f"{fault}, {BAD_TIME} s: {cluster}", samples, alerts=trouble.names, healed=healed[cluster])

    def test_makes_the_agent_try_again(self, trouble: Trouble, query: PrometheusClient) -> None:
        """
        The agent that was answered 429 kept what it had, and counted how often it tried.
        """
        window = f"[{int(trouble.ended - trouble.began)}s]"

        def assert_retried() -> None:
            asked = f'sum(increase(prometheus_remote_storage_samples_retried_total{{cluster="us1"}}{window}))'
            [retried] = answers(query, asked, time=str(trouble.ended))
            assert float(retried["value"][1]) > 0

        eventually(assert_retried, 120)

    def test_is_caught_up_with_in_the_bucket(self, trouble: Trouble, record: Record) -> None:
        """
        The blocks of the Prometheus that stayed lie there without a gap.
        """

        def assert_uploaded() -> None:
            blocks = sorted(
                (meta["minTime"] / 1000, meta["maxTime"] / 1000)
                for meta in bucket.read("meta.json")
                if meta["thanos"]["labels"].get("replica") == "prometheus-hub-0"
            )
            within = [(start, end) for start, end in blocks if end > trouble.began]
            assert within
            assert within[0][0] <= trouble.began + INTERVAL
            gaps = [after - before for (_, before), (after, _) in pairwise(within)]
            assert max(gaps, default=0) <= INTERVAL
            assert max(end for _, end in within) >= trouble.ended

        eventually(assert_uploaded, 300)


class TestBlocks:
    def test_answer_for_data_that_is_gone(
        self, lab: Lab, trouble: Trouble, query: PrometheusClient, record: Record
    ) -> None:
        """
        What Prometheus wrote is in the bucket: with its volumes empty, Query answers the same.
        """
        asked = {
            "query": 'sum by (namespace) (kube_pod_info{cluster="hub", job="kube-state-metrics"})',
            "step": str(INTERVAL),
        }
        asked |= {"start": str(trouble.began), "end": str(trouble.began + BAD_TIME)}

        def answer() -> list[dict[str, Any]]:
            found = query.get("/api/v1/query_range", **asked).json()["data"]["result"]
            return sorted(found, key=lambda series: series["metric"]["namespace"])

        before = answer()
        assert before
        claims = json.loads(lab.kubectl("hub", "get", "persistentvolumes", "-o", "json"))["items"]
        folders = [
            Path(claim["spec"]["local"]["path"])
            for claim in claims
            if claim["spec"]["claimRef"]["name"].startswith("data-prometheus-hub-")
        ]
        assert len(folders) == REPLICAS
        with lab.away(*(f"prometheus-hub-{number}" for number in range(REPLICAS))):
            for entry in (entry for folder in folders for entry in folder.iterdir()):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

        def assert_same() -> None:
            assert answer() == before

        eventually(assert_same, 120)
        values = [value for series in before for value in series["values"]]
        steps = [float(at) for at, _ in before[0]["values"]]
        record(
            "the volumes of both Prometheus are emptied, with Thanos",
            Samples(len(values), len(values), widest(steps)),
            alerts="not asked",
            healed="Query answers from the bucket",
        )


@pytest.fixture(scope="module")
def damaged(
    lab: Lab, stacks: Stacks, whole: Mapping[str, StackFile], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The hub's stack, with blocks in its bucket whose index can't be read; the Compactor begins with them at once."""
    [stack, _] = stacks.deploy(whole)
    today = int(time.time()) // (2 * history.DAY) * 2 * history.DAY
    folder = tmp_path_factory.mktemp("damaged")
    for block in history.write_blocks(folder, "damaged", today - 20 * history.DAY, today - 12 * history.DAY):
        index = (block / "index").read_bytes()
        (block / "index").write_bytes(index[: len(index) // 2] + b"\0" * (len(index) - len(index) // 2))
        bucket.upload(block)
    lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "thanos-compactor-0")
    yield stack
    bucket.empty()
    lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "thanos-compactor-0")


class TestDamagedIndex:
    def test_does_not_stop_the_compactor_unnoticed(self, damaged: Stack, stacks: Stacks) -> None:
        """
        A block whose index can't be read makes it crash again and again; somebody is told.
        """

        def assert_told() -> None:
            crashing = {
                alert["labels"]["pod"]
                for alert in told(stacks, damaged)
                if alert["labels"]["alertname"] == "KubePodCrashLooping"
            }
            assert crashing == {"thanos-compactor-0"}

        eventually(assert_told, 300)
