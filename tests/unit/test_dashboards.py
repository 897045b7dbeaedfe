import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as sdk
from grafana_foundation_sdk.models import units

from dashboards import DASHBOARDS, DATASOURCE, Dashboard, files, queries, resolved
from dashboards.model import Panel, Table, TimeSeries, Variable
from dashboards.render import text
from settings import from_file
from settings.promql import selectors
from tests import ROOT
from tests.promql import fragile, is_named
from tests.unit.builders import VALUES

DOCUMENTATION = ROOT / "docs/dashboards.md"
TABLES = [(board, panel) for board in DASHBOARDS for panel in board.panels if isinstance(panel, Table)]
LINES = [(board, panel) for board in DASHBOARDS for panel in board.panels if isinstance(panel, TimeSeries)]

register_default_plugins()


def titled(value: Any) -> str:
    return value.title if isinstance(value, Dashboard | Panel) else ""


each_board = pytest.mark.parametrize("board", DASHBOARDS, ids=titled)


def parsed(expr: str) -> Any:
    return promql_parser.parse(resolved(expr, VALUES))


def labels(node: Any) -> set[str] | None:
    """The labels that an expression's answer has; None where it depends on the series, or is a number."""
    match node:
        case promql_parser.AggregateExpr() if str(node.op) in ("topk", "bottomk"):
            return labels(node.expr)
        case promql_parser.AggregateExpr():
            return set(node.modifier.labels) if node.modifier else set()
        case promql_parser.BinaryExpr():
            found = [labels(node.lhs), labels(node.rhs)]
            return next((one for one in found if one is not None), None)
        case promql_parser.ParenExpr():
            return labels(node.expr)
        case promql_parser.Call() if node.func.name == "histogram_quantile":
            inner = labels(node.args[1])
            return None if inner is None else inner - {"le"}
    return None


def used(texts: list[str]) -> set[str]:
    """The names of the variables in texts, Grafana's own left out."""
    return {name for text in texts for name in re.findall(r"\$(\w+)", text) if not name.startswith("__")}


@each_board
class TestFiles:
    def test_read_back_as_grafanas_model(self, board: Dashboard) -> None:
        """
        What is written decodes into the SDK's model of a dashboard, and nothing is lost in it.
        """
        document = json.loads(text(board))

        again = json.loads(json.dumps(sdk.Dashboard.from_json(document), cls=JSONEncoder))

        assert again == document

    def test_panels_have_ids_of_their_own(self, board: Dashboard) -> None:
        """
        A link to a panel leads to that one.
        """
        ids = Counter(panel["id"] for panel in json.loads(text(board))["panels"])

        assert ids
        assert set(ids.values()) == {1}

    def test_panels_do_not_overlap(self, board: Dashboard) -> None:
        """
        Every panel has its place in the grid of 24 columns, and no two share one.
        """
        places = [panel["gridPos"] for panel in json.loads(text(board))["panels"]]

        assert all(p["x"] >= 0 and p["x"] + p["w"] <= 24 for p in places)
        for one, other in combinations(places, 2):
            apart = (
                one["x"] + one["w"] <= other["x"]
                or other["x"] + other["w"] <= one["x"]
                or one["y"] + one["h"] <= other["y"]
                or other["y"] + other["h"] <= one["y"]
            )
            assert apart, (one, other)

    def test_are_the_programs_own(self, board: Dashboard) -> None:
        """
        They are found by their tag, keep their address, renew themselves and can't be edited in the browser.
        """
        document = json.loads(text(board))

        assert document["tags"] == ["promfleet"]
        assert document["uid"].startswith("promfleet-")
        assert document["refresh"]
        assert not document["editable"]

    def test_ask_the_hub(self, board: Dashboard) -> None:
        """
        Every panel, query and variable names the datasource that is provisioned.
        """
        document = json.loads(text(board))
        sources = [panel["datasource"]["uid"] for panel in document["panels"] if panel["type"] != "row"]
        sources += [target["datasource"]["uid"] for panel in document["panels"] for target in panel.get("targets", [])]
        sources += [variable["datasource"]["uid"] for variable in document["templating"]["list"]]

        assert set(sources) == {DATASOURCE}


class TestBoards:
    def test_uids_differ(self) -> None:
        """
        No dashboard takes another's address.
        """
        assert len({board.uid for board in DASHBOARDS}) == len(DASHBOARDS)

    def test_are_listed(self) -> None:
        """
        The documentation lists every dashboard, with its address and what it answers.
        """
        listed = re.findall(r"^\| (.+) \| `(.+)` \| (.+) \|$", DOCUMENTATION.read_text(), re.MULTILINE)

        assert listed == [(board.title, board.uid, board.description) for board in DASHBOARDS]

    def test_what_a_fleet_lacks_has_no_board(self, tmp_path: Path) -> None:
        """
        Without Alertmanager and probes there are no dashboards that stay empty.
        """
        stack = tmp_path / "Pulumi.hub.yaml"
        stack.write_text(
            "config:\n  promfleet:fleet:\n    clusters: {hub: {context: hub}}\n"
            "    hub: {cluster: hub, expose: {host: hub.acme.example, tls: {secret: hub-tls}}}\n"
        )

        written = files(from_file(stack))

        assert {"fleet.json", "cluster.json", "node.json"} <= set(written)
        assert not {"alertmanager.json", "probes.json"} & set(written)


@each_board
class TestQueries:
    def test_stay_within_the_clusters_chosen(self, board: Dashboard) -> None:
        """
        Each is PromQL, and reads no series without a filter on `cluster`.
        """
        found = list(queries((board,), VALUES))

        assert found
        for _, panel, query in found:
            for selector in selectors(promql_parser.parse(query)):
                assert "cluster" in {m.name for m in selector.matchers.matchers}, (panel.title, query)

    def test_name_the_job_that_brings_what_they_ask_for(self, board: Dashboard) -> None:
        """
        No panel or choice shows another's series for that job's, or waits for one that is not kept or recorded.
        """
        asked = [query for _, _, query in queries((board,), VALUES)]
        chosen = [re.sub(r"label_values\((.+), \w+\)", r"\1", variable.query) for variable in board.variables]
        read = [selector for query in [*asked, *chosen] for selector in selectors(parsed(query))]

        assert len(read) > len(asked)
        assert {str(selector) for selector in read if not is_named(selector)} == set()

    def test_join_with_duplicate_series(self, board: Dashboard) -> None:
        """
        Two replicas of an exporter break no panel.
        """
        asked = [promql_parser.parse(query) for _, _, query in queries((board,), VALUES)]

        assert [str(join) for tree in asked for join in fragile(tree)] == []

    def test_use_every_variable_and_no_other(self, board: Dashboard) -> None:
        """
        Each choice at the top of a dashboard changes something, and each name in a query is a choice.
        """
        asked = [expr for panel in board.panels for expr in panel.exprs]
        filled = [variable.query for variable in board.variables]

        assert used([*asked, *filled]) == {variable.name for variable in board.variables}

    def test_filter_by_many_where_many_are_chosen(self, board: Dashboard) -> None:
        """
        A choice of several is a regular expression, a choice of one is not.
        """
        many = {variable.name: variable.many for variable in board.variables}
        filters = [
            (name, operator)
            for panel in board.panels
            for expr in panel.exprs
            for operator, name in re.findall(r'(=~?)"\$(\w+)"', expr)
        ]

        assert filters
        assert [(name, op) for name, op in filters if (op == "=~") != many[name]] == []


@each_board
class TestPanels:
    def test_say_what_they_show(self, board: Dashboard) -> None:
        """
        Each has a title of its own, what is good and bad, and what it means that there is nothing.
        """
        titles = Counter((row.title, panel.title) for row in board.rows for panel in row.panels)

        assert max(titles.values()) == 1
        assert [p.title for p in board.panels if not (p.description.endswith(".") and p.empty.endswith("."))] == []

    def test_measure_in_units_of_grafana(self, board: Dashboard) -> None:
        """
        Every unit is one that Grafana knows.
        """
        known = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
        columns = [column.unit for panel in board.panels if isinstance(panel, Table) for column in panel.columns]

        assert {panel.unit for panel in board.panels} | set(columns) <= known

    def test_thresholds_climb(self, board: Dashboard) -> None:
        """
        Grafana takes the last step that a figure has reached.
        """
        columns = [column.steps for panel in board.panels if isinstance(panel, Table) for column in panel.columns]

        for steps in [*(panel.steps for panel in board.panels), *columns]:
            assert list(steps) == sorted(steps, key=lambda step: step.least)


@pytest.mark.parametrize(("board", "panel"), LINES, ids=titled)
def test_lines_are_named_by_labels_that_they_have(board: Dashboard, panel: TimeSeries) -> None:
    """
    No name of a line shows a label that the query dropped, and none leaves out by what lines differ.
    """
    chosen = {variable.name for variable in board.variables if not variable.many}

    for query in panel.queries:
        had = labels(parsed(query.expr)) or set()
        named = set(re.findall(r"{{(\w+)}}", query.legend))
        assert named <= had
        assert had - chosen <= named


@pytest.mark.parametrize(("board", "panel"), TABLES, ids=titled)
class TestTables:
    def test_columns_meet_in_rows(self, board: Dashboard, panel: Table) -> None:
        """
        All columns have the same labels, by which Grafana puts their figures into one row.
        """
        rows = {frozenset(labels(parsed(column.expr)) or ()) for column in panel.columns}

        assert len(rows) == 1
        assert rows != {frozenset()}

    def test_are_sorted_by_a_column(self, board: Dashboard, panel: Table) -> None:
        """
        What they are sorted by is shown.
        """
        assert panel.sort in {"", *(column.title for column in panel.columns)}

    def test_rows_lead_to_boards_that_take_their_labels(self, board: Dashboard, panel: Table) -> None:
        """
        A row leads to a dashboard that exists, and carries every choice that it must, from labels that the row has.
        """
        if panel.link:
            [target] = [board for board in DASHBOARDS if board.uid == panel.link.uid]
            must: list[Variable] = [variable for variable in target.variables if not variable.many]

            assert set(panel.link.labels) <= (labels(parsed(panel.columns[0].expr)) or set())
            assert {variable.name for variable in must} == set(panel.link.labels)


def test_rows_lead_from_the_fleet_to_a_pod() -> None:
    """
    From the page of all clusters every step down is a click on a row.
    """
    steps = {(board.uid, panel.link.uid) for board, panel in TABLES if panel.link}

    assert steps >= {
        ("promfleet-fleet", "promfleet-cluster"),
        ("promfleet-cluster", "promfleet-namespace"),
        ("promfleet-cluster", "promfleet-node"),
        ("promfleet-namespace", "promfleet-workload"),
        ("promfleet-namespace", "promfleet-pod"),
        ("promfleet-workload", "promfleet-pod"),
        ("promfleet-node", "promfleet-pod"),
    }
