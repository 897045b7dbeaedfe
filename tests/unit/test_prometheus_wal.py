"""How much a cut log still holds, by a small model of `truncate` in Prometheus' tsdb/agent/db.go."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from render.prometheus.wal import BYTES_PER_SAMPLE, WRONG_BY, WalPlan, kept, wal_plan

TICKS = 12


def cuts(plan: WalPlan, bytes_per_second: float) -> Iterator[tuple[float, float]]:
    """At every tick of an agent: seconds of samples before the cut and after it."""
    fills_in = plan.segment_bytes / bytes_per_second
    starts = [0.0]
    for tick in range(1, TICKS + 1):
        now = float(tick * plan.truncate_every)
        while starts[-1] + fills_in < now:
            starts.append(starts[-1] + fills_in)
        before = now - starts[0]
        closed = len(starts) - 2  # the newest of those that were there before the tick is never cut
        last_cut = closed * 2 // 3
        if last_cut > 0:
            starts = starts[last_cut + 1 :]
        yield before, now - starts[0]
        starts.append(now)


class TestWalPlan:
    @given(
        outage=st.integers(60, 48 * 3600),
        series=st.integers(1000, 50_000_000),
        interval=st.sampled_from([5, 15, 30, 60]),
        wrong=st.floats(1 / WRONG_BY, WRONG_BY),
    )
    @example(outage=6 * 3600, series=30_000, interval=60, wrong=1.0)
    @example(outage=6 * 3600, series=45_000, interval=60, wrong=4.0)
    @example(outage=6 * 3600, series=50_000, interval=60, wrong=0.25)
    def test_holds_the_outage_even_if_the_expected_series_are_four_times_wrong(
        self, outage: int, series: int, interval: int, wrong: float
    ) -> None:
        """
        After every cut the log still reaches back over the outage and the time to catch up.
        """
        plan = wal_plan(outage, series, interval)
        rate = min(series * BYTES_PER_SAMPLE / interval * wrong, 3000 * plan.segment_bytes / plan.truncate_every)

        # Before the first cut everything is there.
        left = [after for before, after in cuts(plan, rate) if after < before]

        assert all(after >= kept(outage) for after in left)

    @given(
        outage=st.integers(60, 48 * 3600),
        series=st.integers(1000, 1_000_000),
        interval=st.sampled_from([15, 30, 60]),
    )
    def test_expected_log_takes_half_of_its_volume_at_most(self, outage: int, series: int, interval: int) -> None:
        """
        The other half is for the checkpoint that a cut writes before it deletes.
        """
        plan = wal_plan(outage, series, interval)
        rate = min(series * BYTES_PER_SAMPLE / interval, 3000 * plan.segment_bytes / plan.truncate_every)

        longest = max(before for before, _ in cuts(plan, rate))

        assert longest * series * BYTES_PER_SAMPLE / interval <= int(plan.volume.removesuffix("Gi")) * 2**30 / 2

    def test_upstreams_defaults_would_not_do(self) -> None:
        """
        The model finds what the defaults of Prometheus lose: a two-hour tick leaves less than an hour.
        """
        upstream = WalPlan(0, 7200, 128 * 2**20, 4 * 3600, "1Gi")

        left = min(after for before, after in cuts(upstream, 4.01 * upstream.segment_bytes / 7200) if after < before)

        assert left < 3600

    @pytest.mark.parametrize("series", [1000, 100_000, 5_000_000])
    def test_segments_are_of_a_size_that_prometheus_accepts(self, series: int) -> None:
        """
        The agent refuses to start with segments outside 10 MB to 256 MB.
        """
        assert 10 * 2**20 <= wal_plan(6 * 3600, series, 60).segment_bytes <= 256 * 2**20
