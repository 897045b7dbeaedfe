"""People's own dashboards in folders of Grafana: what is loaded, and what is said of each mistake."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.k8s.config_maps import LARGEST
from fleet.check import missing_in_dashboards
from render.grafana import FOLDERS, folder_boards, providers
from render.grafana_queries import board_queries
from settings import Fleet
from settings.read_files import ReadFiles
from stacks import deploy

from .builders import HUB, fleet
from .conftest import Engine
from .kinds import CONFIG_MAP, STATEFUL_SET
from .stack_texts import loaded, problems

STACK = """\
clusters: {hub: {context: a}}
hub: {cluster: hub, storage: 500Gi, expose: {host: h.example, tls: {secret: s}}}
grafana: {secret: {name: a, key: b}, dashboards: %s}
"""


def board(title: str = "Shop", **model: Any) -> str:
    return json.dumps({"title": title, "panels": [], **model})


def write(folder: Path, **files: str) -> None:
    (folder / "dashboards").mkdir()
    for name, text in files.items():
        (folder / "dashboards" / f"{name}.json").write_text(text, encoding="utf-8")


def described(dashboards: dict[str, dict[str, str]], **sections: Any) -> Fleet:
    """A fleet with these files by folder."""
    grafana = {
        "secret": {"name": "a", "key": "b"},
        "dashboards": {title: [ReadFiles(dict(files))] for title, files in dashboards.items()},
    }
    return fleet(hub=HUB, grafana=grafana, **sections)


class TestFolders:
    def test_have_the_dashboards_of_files(self, tmp_path: Path) -> None:
        """
        Their datasource is ours, whatever an import would ask for.
        """
        panels = [{"datasource": "${DS_PROMETHEUS}", "targets": [{"expr": "up"}]}]
        inputs = [{"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"}]
        write(tmp_path, shop=board(panels=panels, __inputs=inputs, uid="abc"), cart=board("Cart"))

        made = folder_boards(loaded(tmp_path, STACK % "{Shop & Co: [dashboards/*.json]}"))

        assert {name: [*files] for name, files in made.items()} == {"shop-co": ["cart.json", "abc.json"]}
        assert json.loads(made["shop-co"]["abc.json"])["panels"][0]["datasource"]["uid"] == "hub"

    def test_are_shown_by_their_titles(self) -> None:
        """
        Each is a folder in the pod, whose name is none of another's; dashboards in different ones may have one title.
        """
        made = described(
            {title: {f"{title}.json": board(uid=f"uid-{len(title)}")} for title in ("Shop", "shop!", "购物")}
        )

        entries = yaml.safe_load(providers(made))["providers"]

        assert [(one["folder"], one["options"]["path"]) for one in entries if one["folder"] != "promfleet"] == [
            ("Shop", f"{FOLDERS}/shop"),
            ("shop!", f"{FOLDERS}/shop-2"),
            ("购物", f"{FOLDERS}/folder"),
        ]
        assert [one["name"] for one in entries] == ["promfleet", "Shop", "shop!", "购物"]


LOKI = {"name": "Logs", "uid": "loki", "type": "loki", "url": "https://loki.example"}
MIMIR = {"name": "Mimir", "uid": "mimir", "type": "prometheus", "url": "https://mimir.example"}


def queried(written: Any, *datasources: dict[str, Any], **model: Any) -> Any:
    """The datasource of a panel whose file has this one, in a Grafana with these."""
    file = {"shop.json": board(panels=[{"datasource": written, "targets": [{"expr": "up"}]}], **model)}
    grafana = {"secret": {"name": "a", "key": "b"}, "datasources": [*datasources]}
    made = fleet(hub=HUB, grafana={**grafana, "dashboards": {"Shop": [ReadFiles(file)]}})
    return json.loads(folder_boards(made)["shop"]["shop.json"])["panels"][0]["datasource"]


class TestDatasources:
    @pytest.mark.parametrize(
        ("written", "uid"),
        [
            ({"type": "loki", "uid": "loki"}, "loki"),
            ({"type": "loki", "uid": "of another Grafana"}, "loki"),
            ({"type": "loki", "uid": "${DS_LOKI}"}, "loki"),
            ("Logs", "loki"),
            ("$DS_LOKI", "loki"),
            ({"type": "prometheus", "uid": "mimir"}, "mimir"),
            ({"type": "prometheus", "uid": "of another Grafana"}, "hub"),
            ("${DS_PROMETHEUS}", "hub"),
        ],
        ids=str,
    )
    def test_are_those_of_grafana(self, written, uid):
        """
        By uid or name, or else the only one of its type; a Prometheus that there isn't is the server.
        """
        inputs = [{"name": "DS_LOKI", "type": "datasource", "pluginId": "loki"}]

        assert queried(written, LOKI, MIMIR, __inputs=inputs)["uid"] == uid

    @pytest.mark.parametrize(
        ("others", "said"),
        [
            ("[{name: a, uid: a, type: loki}, {name: b, uid: b, type: loki}]", "Write uid: a or b in the file."),
            ("[{name: Logs, type: loki}]", "Write its uid in grafana.datasources."),
        ],
        ids=["several", "without a uid"],
    )
    def test_are_told_apart(self, tmp_path, others, said):
        """
        None is guessed.
        """
        write(tmp_path, loki=board(panels=[{"datasource": {"type": "loki", "uid": "x"}}]))
        stack = STACK % f"{{Shop: [dashboards/*.json]}}, datasources: {others}"

        [problem] = problems(tmp_path, stack)

        assert said in problem

    def test_of_others_have_queries_of_their_own(self):
        """
        LogQL is no PromQL, and what another Prometheus stores is not known here; the same in a panel with several.
        """
        targets = [{"datasource": {"uid": "hub"}, "expr": "up"}, {"datasource": {"uid": "loki"}, "expr": "logs"}]
        panels = [
            {"datasource": {"type": "loki", "uid": "loki"}, "targets": [{"expr": '{app="shop"}'}]},
            {"datasource": {"type": "prometheus", "uid": "mimir"}, "targets": [{"expr": "shop_carts"}]},
            {"datasource": {"uid": "-- Mixed --"}, "targets": targets},
            {"targets": [{"expr": "node_load1"}]},
        ]

        assert [*board_queries(board(panels=panels))] == ["up", "node_load1"]


MISTAKES = {
    "no mapping": ("[dashboards/*.json]", ["grafana.dashboards: is not a mapping. Write {Shop: [dashboards/*.json]}."]),
    "folders": (
        "{General: [dashboards/shop.json], promfleet: [], '': [dashboards/shop.json], a: [7], b: dashboards/*.json}",
        [
            "grafana.dashboards.General: is the title of a folder that is there already. Use another title.",
            "grafana.dashboards.promfleet: is the title of a folder that is there already. Use another title.",
            "grafana.dashboards.promfleet: is not a list of paths. Write [dashboards/*.json].",
            "grafana.dashboards.: is no title of a folder. Write at most 100 characters on one line.",
            "grafana.dashboards.a[0]: is no path. Write the path of a file: dashboards/shop.json.",
            "grafana.dashboards.b: is not a list of paths. Write [dashboards/*.json].",
        ],
    ),
    "no file": (
        "{Shop: [dashboards/carts.json]}",
        [
            'grafana.dashboards.Shop[0]: "dashboards/carts.json" matches no file. Write the path of a file beside the '
            "stack file: dashboards/shop.json, or dashboards/*.json for several.",
        ],
    ),
    "what is no dashboard": (
        "{Shop: [dashboards/list.json, dashboards/loki.json]}",
        [
            "grafana.dashboards.Shop[0].dashboards/list.json: is no dashboard: it holds no JSON object. Export the "
            "dashboard in Grafana as JSON, model Classic.",
        ],
    ),
    "a datasource that there isn't": (
        "{Shop: [dashboards/loki.json]}",
        [
            "grafana.dashboards.Shop.dashboards/loki.json.panels[0].datasource: is a datasource of type loki, which "
            "this Grafana has not. Add one to grafana.datasources, or remove what queries it.",
        ],
    ),
    "doubles": (
        "{Shop: [dashboards/shop.json, dashboards/again.json, dashboards/same.json], Cart: [dashboards/same.json]}",
        [
            'grafana.dashboards.Shop[1].dashboards/again.json.title: "Shop" is the title of dashboards/shop.json too. '
            "Write another title into it.",
            'grafana.dashboards.Cart[0].dashboards/same.json.uid: "same" is the uid of dashboards/same.json too. Write '
            "another one into it, or name one of the two.",
        ],
    ),
    "a uid of ours": (
        "{Shop: [dashboards/ours.json]}",
        [
            'grafana.dashboards.Shop[0].dashboards/ours.json.uid: "promfleet-fleet" is a uid of promfleet\'s own '
            "dashboards. Write another one.",
        ],
    ),
}


@pytest.mark.parametrize(("dashboards", "said"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_is_said(dashboards: str, said: list[str], tmp_path: Path) -> None:
    """
    With the folder, the file, and where it is in it.
    """
    write(
        tmp_path,
        shop=board(),
        again=board(),
        same=board("Same"),
        list="[]",
        loki=board(panels=[{"datasource": {"type": "loki", "uid": "a"}}]),
        ours=board(uid="promfleet-fleet"),
    )

    assert problems(tmp_path, STACK % dashboards) == said


def test_a_dashboard_is_not_an_applications_too(tmp_path: Path) -> None:
    """
    Grafana would load neither.
    """
    write(tmp_path, shop=board())
    shop = "{cluster: hub, namespace: a, selector: {a: b}, port: c, dashboard: dashboards/shop.json}"

    assert problems(tmp_path, STACK % "{Shop: [dashboards/*.json]}" + f"applications: {{shop: {shop}}}\n") == [
        'grafana.dashboards.Shop.dashboards/shop.json: "shop" has the uid of the dashboard of applications.shop. Name '
        "it in one place, or write another uid into it."
    ]


class TestQueries:
    @pytest.mark.parametrize(
        ("written", "asked"),
        [
            ('rate(a{job="$job"}[$__rate_interval])', 'rate(a{job="x"}[5m])'),
            ("sum by (${by}) (increase(a[${interval:raw}]))", "sum by (x) (increase(a[5m]))"),
            ("max_over_time(a[1h:$__interval])", "max_over_time(a[1h:5m])"),
            ('a{b=~"[[c]]"}', 'a{b=~"x"}'),
        ],
    )
    def test_have_something_for_each_variable(self, written: str, asked: str) -> None:
        """
        So that PromQL can be read.
        """
        model = board(panels=[{"type": "row", "panels": [{"targets": [{"expr": written}]}]}])

        assert [*board_queries(model)] == [asked]

    @pytest.mark.parametrize("query", ["label_values(a, b)", {"query": "label_values(a, b)"}, "query_result(a)"])
    def test_are_also_those_of_variables(self, query: object) -> None:
        """
        Which a dashboard asks before its panels.
        """
        variable = {"type": "query", "query": query}

        assert [*board_queries(board(templating={"list": [variable]}))] == ["a"]

    def test_that_find_nothing_are_named(self) -> None:
        """
        Once for each metric, and also of dashboards of applications; what can't be read says nothing.
        """
        targets = [
            {"expr": expr} for expr in ("kube_pod_status_reason", "kube_pod_status_reason > 1", "topk($n, a)", "up")
        ]
        made = described({"Shop": {"a.json": board(panels=[{"targets": targets}])}})

        assert [str(problem) for problem in missing_in_dashboards(made)] == [
            "grafana.dashboards.Shop.a.json: asks for kube_pod_status_reason, which is not kept by scrape.metrics: "
            "essential. Add kube_pod_status_reason to scrape.keep."
        ]


def test_every_folder_is_a_volume(engine: Engine, kubeconfig: None) -> None:
    """
    With as many ConfigMaps as it needs, where Grafana looks for it.
    """
    large = board(description="x" * (LARGEST // 2))
    files = {f"{name}.json": large.replace("Shop", name) for name in ("a", "b")}
    made = described({"Shop": files})
    engine.deploy(lambda: deploy(made))

    spec = engine.one(STATEFUL_SET, "grafana").inputs["spec"]["template"]["spec"]
    mounts = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
    [volume] = [one for one in spec["volumes"] if one["name"] == mounts[f"{FOLDERS}/shop"]]
    names = [one["configMap"]["name"] for one in volume["projected"]["sources"]]
    assert [[*engine.one(CONFIG_MAP, name).inputs["data"]] for name in names] == [["a.json"], ["b.json"]]
