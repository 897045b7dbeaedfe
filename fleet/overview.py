"""Queries the panels of the dashboard Fleet, for a picture."""

import math
from typing import NamedTuple

from dashboards import fleet as board
from dashboards import resolved
from dashboards.model import Column, Panel, TimeSeries

from .client import Line, PrometheusClient

POINTS = 240
"""Samples in each line of a picture."""
ALL = ".+"


class Number(NamedTuple):
    """One value; None where there is no sample."""

    panel: Panel
    value: float | None


class Trend(NamedTuple):
    """Values over time, by cluster."""

    panel: TimeSeries
    lines: dict[str, Line]


class Overview(NamedTuple):
    """A fleet at one time."""

    start: float
    end: float
    numbers: tuple[Number, ...]
    columns: tuple[Column, ...]
    rows: dict[str, dict[str, float]]
    """Cluster -> title of the column -> value; without entries for missing samples."""
    trends: tuple[Trend, ...]


def ask(hub: PrometheusClient, end: float, span: float) -> Overview:
    """Run every query of the overview; `end` is a Unix time, `span` are the seconds before it that lines show."""
    step = max(15, math.ceil(span / POINTS))
    values = {"cluster": ALL, "__rate_interval": f"{max(120, 2 * step)}s"}
    start = end - span
    return Overview(
        start,
        end,
        tuple(_number(hub, panel, values) for panel in board.NOW.panels),
        board.CLUSTER_TABLE.columns,
        _rows(hub, values),
        tuple(
            Trend(panel, {line.labels["cluster"]: line for line in hub.query_range(promql, start, end, step)})
            for panel in board.TRENDS
            for promql in [resolved(panel.queries[0].expr, values)]
        ),
    )


def _number(hub: PrometheusClient, panel: Panel, values: dict[str, str]) -> Number:
    found = hub.query(resolved(panel.exprs[0], values))
    return Number(panel, found[0].value if found else None)


def _rows(hub: PrometheusClient, values: dict[str, str]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for column in board.CLUSTER_TABLE.columns:
        for sample in hub.query(resolved(column.expr, values)):
            rows.setdefault(sample.labels["cluster"], {})[column.title] = sample.value
    return dict(sorted(rows.items()))
