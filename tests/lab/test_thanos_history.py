"""What the Compactor makes of a past, in a real bucket."""

from typing import Any

import pytest

from fleet.client import PrometheusClient

from . import bucket, history
from .samples import answers
from .stack import Stack, eventually
from .stacks import Stacks, alertmanager_alerts
from .thanos_fixtures import Past

pytestmark = pytest.mark.lab


class TestHistory:
    def test_is_compacted_and_downsampled_to_equal_sums(self, past: Past, query: PrometheusClient) -> None:
        """
        All three resolutions of the same fortnight exist, and each answers the same sum.
        """

        def resolutions() -> dict[int, list[dict[str, Any]]]:
            found: dict[int, list[dict[str, Any]]] = {}
            for meta in bucket.read("meta.json"):
                if meta["thanos"]["labels"].get("cluster") == "history":
                    found.setdefault(meta["thanos"]["downsample"]["resolution"], []).append(meta)
            return found

        def assert_downsampled() -> None:
            assert resolutions().keys() == {0, 300_000, 3_600_000}

        eventually(assert_downsampled, 600)
        [coarse, *_] = resolutions()[3_600_000]
        hours = (coarse["maxTime"] - coarse["minTime"]) // 3_600_000 - 1
        asked = f'sum(sum_over_time(history_value{{cluster="history"}}[{hours}h]))'

        def assert_equal() -> None:
            at = str(coarse["minTime"] // 1000 + hours * 3600)
            found = {
                resolution: answers(query, asked, time=at, max_source_resolution=resolution)
                for resolution in ("0s", "5m", "1h")
            }
            assert all(found.values()), found
            sums = {resolution: float(answer[0]["value"][1]) for resolution, answer in found.items()}
            exact = history.SERIES * hours * 3600 / history.STEP
            # An aggregate lies where its time ends, so that at the edges one hour may be in or out.
            assert sums == pytest.approx(dict.fromkeys(sums, exact), abs=history.SERIES * 3600 / history.STEP)

        eventually(assert_equal, 240)

    def test_loses_what_is_past_its_retention_and_nothing_else(self, past: Past) -> None:
        """
        Raw blocks that are too old are marked for deletion; their aggregates, and all that is younger, stay.
        """

        def assert_marked() -> None:
            marks = {mark["id"]: mark["details"] for mark in bucket.read("deletion-mark.json")}
            blocks = {meta["ulid"]: meta["thanos"] for meta in bucket.read("meta.json")}
            too_old = [blocks[ulid] for ulid, why in marks.items() if "retention" in why]
            assert {(block["labels"].get("cluster"), block["downsample"]["resolution"]) for block in too_old} == {
                ("ancient", 0)
            }
            kept = [block for ulid, block in blocks.items() if ulid not in marks]
            assert {b["downsample"]["resolution"] for b in kept if b["labels"].get("cluster") == "ancient"} == {300_000}

        eventually(assert_marked, 120)

    def test_alerts_on_broken_blocks(self, past: Past, thanos: Stack, stacks: Stacks) -> None:
        """
        A block without its meta.json and one with a damaged one are left alone, and somebody is told.
        """
        with stacks.open_alertmanager(thanos) as operate:

            def assert_told() -> None:
                told = {alert["labels"]["alertname"] for alert in alertmanager_alerts(operate)}
                assert told >= {"ThanosBlocksPartial", "ThanosBlocksCorrupted"}

            eventually(assert_told, 240)
        left = {name.partition("/")[0] for name in bucket.names()}
        assert {past.partial, past.unreadable} <= left
