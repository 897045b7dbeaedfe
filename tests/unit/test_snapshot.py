import re
import sys
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import numpy
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from typer.testing import CliRunner

from dashboards.fleet import CLUSTER_TABLE, NOW, TRENDS
from fleet import snapshot
from fleet.cli import app
from fleet.client import PrometheusClient
from fleet.overview import Overview, ask
from fleet.picture import WIDTH, draw
from fleet.stack import StackError
from fleet.units import formatted

END = 1_795_246_000.0
HOUR = 3600
OUTAGE = (END - 3000, END - 2000)
FIGURES = {
    "agent": {"eu1": 1, "hub": 1, "us1": 0},
    "newest sample": {"eu1": 7.3, "hub": 1.2, "us1": 5400},
    "nodes": {"eu1": 3, "hub": 1},
    "pods": {"eu1": 41, "hub": 12},
    "targets down": {"eu1": 0, "hub": 0},
    "critical": {"eu1": 0, "hub": 0, "us1": 1},
    "warning": {"eu1": 2, "hub": 0, "us1": 0},
    "cpu": {"eu1": 0.43, "hub": 0.214},
    "memory": {"eu1": 0.93, "hub": 0.5},
    "series": {"eu1": 42150, "hub": 4644},
    "samples/s": {"eu1": 1405, "hub": 154.8},
}
"""What the hub of this test knows: us1 is silent."""


class Prometheus(httpx.BaseTransport):
    """Answers as Prometheus does: each column of the table, one number for all else, lines with an outage."""

    def __init__(self, *, lines: bool = True) -> None:
        self.lines = lines
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        parameters = request.url.params
        self.asked.append(parameters["query"])
        answer = self._matrix(parameters) if request.url.path.endswith("_range") else self._vector(parameters["query"])
        return httpx.Response(200, json={"status": "success", "data": {"result": answer}})

    def _vector(self, query: str) -> list[dict[str, Any]]:
        for column in CLUSTER_TABLE.columns:
            if re.sub(r"\d+s]", "$__rate_interval]", query).replace(".+", "$cluster") == column.expr:
                known = FIGURES[column.title]
                return [{"metric": {"cluster": name}, "value": [END, str(value)]} for name, value in known.items()]
        return [{"metric": {}, "value": [END, "3"]}]

    def _matrix(self, parameters: httpx.QueryParams) -> list[dict[str, Any]]:
        start, end, step = (float(parameters[name]) for name in ("start", "end", "step"))
        times = [start + index * step for index in range(int((end - start) / step) + 1)]
        here = [time for time in times if not OUTAGE[0] < time < OUTAGE[1]]
        values = [[time, "0.25"] for time in here]
        return [{"metric": {"cluster": "eu1"}, "values": values}] if self.lines else []


def hub(prometheus: Prometheus) -> PrometheusClient:
    return PrometheusClient(httpx.Client(transport=prometheus, base_url="https://hub.acme.example"), "hub.acme.example")


@pytest.fixture
def overview() -> Overview:
    return ask(hub(Prometheus()), END, HOUR)


def drawn(figure: Figure) -> list[Text]:
    """Every text that can be read on the page."""
    FigureCanvasAgg(figure).draw()
    return [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text() and text.get_visible()]


def line_of(figure: Figure, cluster: str) -> dict[str, Any]:
    """What stands on a cluster's line of the table, by the text, with its colour."""
    texts = drawn(figure)
    [name] = [text for text in texts if text.get_text() == cluster]
    return {
        t.get_text(): t.get_color()
        for t in texts
        if t.axes is name.axes and t.get_position()[1] == name.get_position()[1]
    }


class TestAsk:
    def test_asks_what_the_dashboard_asks(self) -> None:
        """
        No figure of the picture comes from a question that the fleet overview doesn't ask.
        """
        prometheus = Prometheus()

        ask(hub(prometheus), END, HOUR)

        assert len(prometheus.asked) == len(NOW.panels) + len(CLUSTER_TABLE.columns) + len(TRENDS)
        assert not [query for query in prometheus.asked if "$" in query]

    def test_knows_every_cluster(self, overview: Overview) -> None:
        """
        A silent cluster has a row, without the figures that nobody knows.
        """
        assert list(overview.rows) == ["eu1", "hub", "us1"]
        assert overview.rows["eu1"]["series"] == 42150
        assert "nodes" not in overview.rows["us1"]

    def test_lines_reach_from_start_to_end(self, overview: Overview) -> None:
        """
        Lines cover the time that was asked for, in steps that can be seen.
        """
        line = overview.trends[0].lines["eu1"]

        assert (line.times[0], line.times[-1]) == (END - HOUR, END)
        assert 100 < len(line.values) <= 241


class TestDraw:
    def test_page_is_as_wide_as_a_readme(self, overview: Overview) -> None:
        """
        The page is 1600 pixels wide, and as high as its clusters need.
        """
        few = draw(overview)
        more = draw(overview._replace(rows=overview.rows | {f"eu{n}": {} for n in range(2, 12)}))

        assert few.get_size_inches()[0] * few.dpi == WIDTH
        assert more.get_size_inches()[1] > few.get_size_inches()[1]

    def test_the_table_has_a_row_per_cluster(self, overview: Overview) -> None:
        """
        A cluster's figures stand on its line, as people write them, and what is wrong is red.
        """
        page = draw(overview)

        assert {"up", "7.3 s", "41", "43 %", "93 %", "42 k", "1.4 k/s"} <= set(line_of(page, "eu1"))
        silent = line_of(page, "us1")
        assert {"silent", "1.5 h", "1", "-"} <= set(silent)
        assert silent["silent"] == silent["1"] == silent["1.5 h"] == line_of(page, "eu1")["93 %"]
        assert silent["silent"] != line_of(page, "eu1")["43 %"]

    def test_nothing_overlaps(self, overview: Overview) -> None:
        """
        No two texts overlap, and none leaves the page.
        """
        page = draw(overview)
        boxes = [(text.get_text(), text.get_window_extent()) for text in drawn(page)]

        assert len(boxes) > 60
        assert [(one, other) for (one, a), (other, b) in combinations(boxes, 2) if a.overlaps(b)] == []
        assert [name for name, box in boxes if box.x0 < 0 or box.x1 > WIDTH or box.y0 < 0] == []

    def test_lines_break_where_samples_are_missing(self, overview: Overview) -> None:
        """
        An outage is a gap, not a straight line over it.
        """
        page = draw(overview)
        charts = [axes for axes in page.axes if axes.get_lines() and axes is not page.axes[0]]

        assert len(charts) == len(TRENDS)
        for chart in charts:
            [line] = chart.get_lines()
            assert numpy.isnan(line.get_ydata()).sum() == 1

    def test_what_is_missing_is_said(self) -> None:
        """
        A panel without lines says what that means.
        """
        page = draw(ask(hub(Prometheus(lines=False)), END, HOUR))

        texts = {text.get_text() for text in drawn(page)}
        assert {panel.empty for panel in TRENDS} <= texts


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0, "short", "0"),
        (42150, "short", "42 k"),
        (1_234_567, "short", "1.2 M"),
        (0.9999, "percentunit", "100 %"),
        (0.214, "percentunit", "21 %"),
        (7.3, "s", "7.3 s"),
        (5400, "s", "1.5 h"),
        (999.6, "cps", "1000/s"),
        (3 * 2**30, "bytes", "3 GiB"),
        (0, "bool_on_off", "silent"),
        (12.0, "none", "12"),
    ],
)
def test_figures_are_written_as_people_read_them(value: float, unit: str, written: str) -> None:
    """
    Units are those of the dashboards, digits are few.
    """
    assert formatted(value, unit) == written


class TestCommand:
    def test_writes_the_picture(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        `fleet snapshot` writes a PNG and says how many clusters are on it.
        """

        @contextmanager
        def opened(_: dict[str, Any]) -> Any:
            yield hub(Prometheus())

        monkeypatch.setattr(snapshot, "outputs", lambda stack: {"hub": stack})
        monkeypatch.setattr(snapshot, "open_prometheus", opened)

        done = CliRunner().invoke(app, ["snapshot", "--stack", "dev", "--output", str(tmp_path / "fleet.png")])

        assert done.exit_code == 0, done.output
        assert "3 clusters" in done.output
        assert (tmp_path / "fleet.png").read_bytes().startswith(b"\x89PNG")

    def test_says_what_is_wrong(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        A stack that can't be asked is named in one line, and nothing is written.
        """

        def refuse(_: str) -> dict[str, Any]:
            raise StackError("no stack named 'dev' found")

        monkeypatch.setattr(snapshot, "outputs", refuse)

        done = CliRunner().invoke(app, ["snapshot", "--stack", "dev", "--output", str(tmp_path / "fleet.png")])

        assert done.exit_code == 3
        assert "no stack named 'dev' found" in done.output
        assert list(tmp_path.iterdir()) == []

    def test_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Matplotlib is not among what `pulumi install` brings.
        """
        monkeypatch.delitem(sys.modules, "fleet.picture")
        monkeypatch.setitem(sys.modules, "matplotlib.axes", None)

        done = CliRunner().invoke(app, ["snapshot"])

        assert done.exit_code == 3
        assert "pip install matplotlib" in done.output

    def test_writes_the_dashboards(self, tmp_path: Path) -> None:
        """
        `fleet dashboards` writes the files for a Grafana of one's own.
        """
        done = CliRunner().invoke(app, ["dashboards", "Pulumi.hub.yaml", "--output", str(tmp_path / "grafana")])

        assert done.exit_code == 0, done.output
        assert (tmp_path / "grafana" / "fleet.json").exists()
