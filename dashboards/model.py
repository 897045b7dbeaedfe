"""What a dashboard is made of: facts, that Grafana's own models are rendered from."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template
from typing import NamedTuple


class Query(NamedTuple):
    """PromQL that keeps or filters `cluster`, and the name of each of its series (`{{label}}`)."""

    expr: str
    legend: str = ""


class Column(NamedTuple):
    """One value per row of a table; the labels that all columns' results have identify the rows."""

    title: str
    expr: str
    unit: str = "short"
    steps: "Steps" = ()


class Step(NamedTuple):
    """From this value on a figure has this colour."""

    least: float
    color: str


Steps = tuple[Step, ...]


class Link(NamedTuple):
    """Where a row leads: a dashboard's uid, and the labels of the row that are its variables."""

    title: str
    uid: str
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Fields of every panel. Sizes are in Grafana's grid, 24 columns wide."""

    title: str
    description: str
    """What it shows, and what is bad."""
    empty: str
    """What it means that there is nothing to show."""
    unit: str = "short"
    steps: Steps = ()
    width: int
    height: int

    @property
    def exprs(self) -> tuple[str, ...]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSeries(Panel):
    """Figures over time."""

    queries: tuple[Query, ...]
    stacked: bool = False
    width: int = 8
    height: int = 8

    @property
    def exprs(self) -> tuple[str, ...]:
        return tuple(query.expr for query in self.queries)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stat(Panel):
    """One number, now."""

    expr: str
    width: int = 4
    height: int = 4

    @property
    def exprs(self) -> tuple[str, ...]:
        return (self.expr,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Panel):
    """Figures of many things, now; sorted by a column, its greatest first."""

    columns: tuple[Column, ...]
    link: Link | None = None
    sort: str = ""
    width: int = 24
    height: int = 9

    @property
    def exprs(self) -> tuple[str, ...]:
        return tuple(column.expr for column in self.columns)


class Variable(NamedTuple):
    """A choice at the top of a dashboard, filled by `label_values(...)`."""

    name: str
    query: str
    many: bool = False
    """Several may be chosen, and all; its filters are `=~`."""


class Row(NamedTuple):
    """A titled row of panels, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dashboard:
    """One dashboard. Its uid is stable: people and links hold it."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    since: str = "now-6h"

    @property
    def panels(self) -> tuple[Panel, ...]:
        return tuple(panel for row in self.rows for panel in row.panels)


def resolved(text: str, values: dict[str, str]) -> str:
    """Put values in the place of a query's variables; raises `KeyError` for one that has none."""
    return Template(text).substitute(values)


def queries(boards: tuple[Dashboard, ...], values: dict[str, str]) -> Iterator[tuple[Dashboard, Panel, str]]:
    """Every query of the dashboards as it is sent when each variable has the value given."""
    for board in boards:
        for panel in board.panels:
            for expr in panel.exprs:
                yield board, panel, resolved(expr, values)
