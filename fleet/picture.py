"""Draws a fleet as one page: values, a table of clusters, and lines over time."""

from datetime import UTC
from datetime import datetime as moment
from itertools import cycle
from typing import Any

import numpy
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from dashboards.model import Step, Steps

from .overview import Number, Overview, Trend
from .units import formatted

WIDTH = 1600
"""Width of the page in pixels; its height follows from the number of clusters."""
_DPI = 100
_EDGE, _HEADER, _NUMBERS, _ROW, _CHART = 48, 76, 104, 36, 300
_CHARTS_PER_LINE, _BETWEEN = 2, 32

_DAY = 86400
"""Matplotlib counts time in days since 1970."""

_INK, _SOFT, _RULE = "#1b1f24", "#667080", "#e4e7eb"
_SIGNAL = {"green": "#1a7f37", "yellow": "#9a6700", "red": "#c62828"}
_PALETTE = ("#2f6fde", "#e07b00", "#1d9a6c", "#a445c8", "#d43d6a", "#0f97b5")
_PALETTE += ("#8a6d1f", "#5b6470", "#3a3fb8", "#7aa51e", "#b5541c", "#e083b8")


def draw(overview: Overview) -> Figure:
    """Lay the page out from top to bottom."""
    lines = -(-len(overview.trends) // _CHARTS_PER_LINE)
    height = 2 * _EDGE + _HEADER + _NUMBERS + _ROW * (len(overview.rows) + 1) + lines * _CHART
    colors = dict(zip(overview.rows, cycle(_PALETTE), strict=False))
    figure = Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    page.axis("off")
    _header(page, overview)
    _numbers(page, overview.numbers, _EDGE + _HEADER)
    top = _table(page, overview, colors, _EDGE + _HEADER + _NUMBERS)
    for index, trend in enumerate(overview.trends):
        line, place = divmod(index, _CHARTS_PER_LINE)
        _chart(figure, page, trend, overview, colors, (place, top + line * _CHART))
    return figure


def _header(page: Axes, overview: Overview) -> None:
    now = moment.fromtimestamp(overview.end, UTC)
    _text(page, _EDGE, _EDGE + 18, "Fleet overview", size=22, weight="bold")
    _text(page, WIDTH - _EDGE, _EDGE + 18, f"{now:%-d %B %Y, %H:%M} UTC", color=_SOFT, size=12, ha="right")


def _numbers(page: Axes, numbers: tuple[Number, ...], top: float) -> None:
    width = (WIDTH - 2 * _EDGE) / len(numbers)
    for index, number in enumerate(numbers):
        left = _EDGE + index * width
        color = _INK if number.value is None else _signal(number.value, number.panel.steps)
        _text(page, left, top + 16, _written(number.value, number.panel.unit), size=24, color=color)
        _text(page, left, top + 52, number.panel.title.lower(), color=_SOFT)


def _table(page: Axes, overview: Overview, colors: dict[str, str], top: float) -> float:
    """Draw the table and tell where it ends; a cluster's dot is the colour of its lines below."""
    first = 130
    width = (WIDTH - 2 * _EDGE - first) / len(overview.columns)
    rights = [_EDGE + first + (index + 1) * width for index in range(len(overview.columns))]
    _text(page, _EDGE, top + _ROW / 2, "cluster", color=_SOFT)
    for column, right in zip(overview.columns, rights, strict=True):
        _text(page, right, top + _ROW / 2, column.title, color=_SOFT, ha="right")
    for cluster, figures in overview.rows.items():
        top += _ROW
        page.plot((_EDGE, WIDTH - _EDGE), (top, top), color=_RULE, linewidth=0.8)
        page.plot(_EDGE + 6, top + _ROW / 2, "o", color=colors[cluster], markersize=7)
        _text(page, _EDGE + 22, top + _ROW / 2, cluster, size=12, weight="bold")
        for column, right in zip(overview.columns, rights, strict=True):
            value = figures.get(column.title)
            color = _SOFT if value is None else _signal(value, column.steps)
            _text(page, right, top + _ROW / 2, _written(value, column.unit), size=12, color=color, ha="right")
    return top + _ROW


def _chart(
    figure: Figure, page: Axes, trend: Trend, overview: Overview, colors: dict[str, str], place: tuple[int, float]
) -> None:
    """Draw one panel at a place: its column, and its top in pixels."""
    height = page.get_ylim()[0]
    width = (WIDTH - 2 * _EDGE - _BETWEEN * (_CHARTS_PER_LINE - 1)) / _CHARTS_PER_LINE
    left, top = _EDGE + place[0] * (width + _BETWEEN), place[1]
    _text(page, left, top + 52, trend.panel.title, size=12.5, weight="bold")
    box = ((left + 64) / WIDTH, 1 - (top + _CHART) / height, (width - 64) / WIDTH, (_CHART - 104) / height)
    if not trend.lines:
        _text(page, left, top + 84, trend.panel.empty, color=_SOFT)
        return
    axes = figure.add_axes(box)
    for cluster, line in trend.lines.items():
        axes.plot(*_with_gaps(line.times, line.values), color=colors.get(cluster, _SOFT), linewidth=1.7)
    _axes(axes, trend, overview)


def _axes(axes: Axes, trend: Trend, overview: Overview) -> None:
    """Style the axes: time below, values at the side, few grid lines."""
    axes.set_xlim(overview.start / _DAY, overview.end / _DAY)
    axes.set_ylim(bottom=0)
    axes.set_frame_on(False)
    axes.tick_params(length=0, colors=_SOFT, labelsize=10, pad=6)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatted(value, trend.panel.unit)))
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=7))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))
    axes.grid(axis="y", color=_RULE, linewidth=0.8)
    axes.set_axisbelow(True)


def _with_gaps(times: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Break a line where samples are missing: a line through an outage would be wrong."""
    step = min(numpy.diff(times), default=0.0)
    broken: list[tuple[float, float]] = []
    for time, value in zip(times, values, strict=True):
        if broken and time - broken[-1][0] > 1.5 * step:
            broken.append((broken[-1][0] + step, numpy.nan))
        broken.append((time, value))
    return [time / _DAY for time, _ in broken], [value for _, value in broken]


def _text(page: Axes, left: float, middle: float, text: str, **more: Any) -> None:
    page.text(left, middle, text, {"size": 10.5, "color": _INK, "va": "center", **more})


def _written(value: float | None, unit: str) -> str:
    return "-" if value is None else formatted(value, unit)


def _signal(value: float, steps: Steps) -> str:
    """The colour of the highest threshold that a value has reached; the text colour below all of them."""
    reached = [step for step in steps if value >= step.least]
    step = reached[-1] if reached else Step(0, "")
    return _SIGNAL.get(step.color, _INK)
