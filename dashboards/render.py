"""Dashboards as Grafana's dashboard model, schema 1, which every Grafana from 10 to 13 loads from files."""

import json
from collections.abc import Iterator
from itertools import count
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from settings.dashboard_file import DATASOURCE

from .model import Dashboard, Link, Panel, Row, Stat, Steps, Table, TimeSeries, Variable

_SOURCE = model.DataSourceRef("prometheus", DATASOURCE)
_TAG = "promfleet"
_GRID = 24
_FINE = "green"

Built = timeseries.Panel | stat.Panel | table.Panel


def text(board: Dashboard) -> str:
    """The dashboard's JSON, alike in every run."""
    return json.dumps(built(board), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def built(board: Dashboard) -> model.Dashboard:
    """The dashboard in the SDK's own model."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([_TAG])
        .readonly()
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .time(board.since, "now")
        .refresh("1m")
        .variables([_variable(variable) for variable in board.variables])
        .link(_others())
    )
    numbers = count(1)
    top = 0
    for row in board.rows:
        builder.with_row(dashboard.Row(row.title).id(next(numbers)).grid_pos(model.GridPos(h=1, w=_GRID, x=0, y=top)))
        for panel, place in _laid_out(row, top + 1):
            builder.with_panel(_panel(panel).id(next(numbers)).grid_pos(place))
            top = max(top, place.y + place.h)
    return builder.build()


def _laid_out(row: Row, top: int) -> Iterator[tuple[Panel, model.GridPos]]:
    """Place panels from left to right; where one does not fit, a new line starts below the highest."""
    left = height = 0
    for panel in row.panels:
        if left + panel.width > _GRID:
            left, top, height = 0, top + height, 0
        yield panel, model.GridPos(h=panel.height, w=panel.width, x=left, y=top)
        left, height = left + panel.width, max(height, panel.height)


def _variable(variable: Variable) -> dashboard.QueryVariable:
    query_variable = (
        dashboard.QueryVariable(variable.name)
        .label(variable.name.replace("_", " "))
        .datasource(_SOURCE)
        .query(variable.query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
    return (
        query_variable.multi(multi=True).include_all(include_all=True).all_value(".+")
        if variable.many
        else query_variable
    )


def _others() -> dashboard.DashboardLink:
    """All dashboards of the fleet, with what is chosen and the time."""
    return (
        dashboard.DashboardLink("Fleet")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([_TAG])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def _panel(panel: Panel) -> Built:
    match panel:
        case TimeSeries():
            builder = _time_series(panel)
        case Stat():
            builder = _stat(panel)
        case Table():
            builder = _table(panel)
        case _:
            raise TypeError(f"no panel of Grafana shows {type(panel).__name__}")
    return (
        builder.title(panel.title)
        .description(panel.description)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .no_value(panel.empty)
        .thresholds(_thresholds(panel.steps))
    )


def _time_series(panel: TimeSeries) -> timeseries.Panel:
    builder = (
        timeseries.Panel()
        .fill_opacity(30 if panel.stacked else 8)
        .line_width(1)
        .show_points(shapes.VisibilityMode.NEVER)
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .legend(common.VizLegendOptions().show_legend(show_legend=True).placement(shapes.LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING))
        .axis_soft_min(0)
    )
    if panel.stacked:
        builder.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    if panel.steps:
        builder.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphTresholdsStyleMode.DASHED))
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        builder.with_target(_target(letter, query.expr).range().legend_format(query.legend))
    return builder


def _stat(panel: Stat) -> stat.Panel:
    mode = shapes.BigValueColorMode.VALUE if panel.steps else shapes.BigValueColorMode.NONE
    return (
        stat.Panel()
        .color_mode(mode)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target("A", panel.expr).instant())
    )


def _table(panel: Table) -> table.Panel:
    builder = table.Panel().show_header(show_header=True).cell_height(shapes.TableCellHeight.SM)
    if panel.sort:
        builder.sort_by([common.TableSortByFieldState().display_name(panel.sort).desc(desc=True)])
    names: dict[str, str] = {}
    for letter, column in zip(ascii_uppercase, panel.columns, strict=False):
        builder.with_target(_target(letter, column.expr).instant().format(PromQueryFormat.TABLE))
        names["Value" if len(panel.columns) == 1 else f"Value #{letter}"] = column.title
        builder.override_by_name(column.title, _column(column.unit, column.steps))
    builder.with_transformation(model.DataTransformerConfig("merge", options={}))
    organize = {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": names}
    builder.with_transformation(model.DataTransformerConfig("organize", options=organize))
    if panel.link:
        link = [{"title": panel.link.title, "url": url(panel.link)}]
        builder.override_by_name(panel.link.labels[-1], [model.DynamicConfigValue("links", link)])
    return builder


def _column(unit: str, steps: Steps) -> list[model.DynamicConfigValue]:
    facts: dict[str, Any] = {"unit": unit}
    if steps:
        facts |= {"thresholds": _thresholds(steps).build(), "custom.cellOptions": {"type": "color-text"}}
    return [model.DynamicConfigValue(name, value) for name, value in facts.items()]


def url(link: Link) -> str:
    """Where a row leads: the labels that it carries, the dashboard's other choices dropped, the time kept."""
    chosen = "&".join(f"var-{label}=${{__data.fields.{label}}}" for label in link.labels)
    return f"/d/{link.uid}?{chosen}&${{__url_time_range}}"


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    above = [model.Threshold(step.least, step.color) for step in steps]
    return (
        dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([model.Threshold(None, _FINE), *above])
    )


def _target(letter: str, expr: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(letter).datasource(_SOURCE).expr(expr)
