import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import render
from render.grafana import APPLICATIONS, application_boards
from render.operator import SCRAPE, operated_application
from render.prometheus.watcher import watcher_config
from render.rules import APPLICATION
from settings import Fleet, FleetError
from settings.dashboard_file import LARGEST
from settings.loading.read import read
from stacks import deploy

from .builders import HUB
from .conftest import Engine, validate
from .kinds import CLUSTER_ROLE, CONFIG_MAP, ROLE, ROLE_BINDING, STATEFUL_SET
from .relabelling import Labels, relabel, visible

MONITOR = "kubernetes:monitoring.coreos.com/v1:ServiceMonitor"
SHOP: dict[str, Any] = {
    "cluster": "eu1",
    "namespace": "shop",
    "selector": {"app": "shop", "app.kubernetes.io/part-of": "store"},
    "port": "http",
    "path": "/actuator/prometheus",
    "interval": "30s",
}
SERVICE, POD, SLICE = (f"__meta_kubernetes_{kind}" for kind in ("service", "pod", "endpointslice"))
FOUND: Labels = {
    "__address__": "10.0.0.7:8080",
    "__meta_kubernetes_namespace": "shop",
    f"{SERVICE}_name": "cart",
    f"{SERVICE}_label_app": "shop",
    f"{SERVICE}_labelpresent_app": "true",
    f"{SERVICE}_label_app_kubernetes_io_part_of": "store",
    f"{SERVICE}_labelpresent_app_kubernetes_io_part_of": "true",
    f"{SLICE}_port_name": "http",
    f"{SLICE}_address_target_kind": "Pod",
    f"{SLICE}_address_target_name": "cart-0",
    f"{POD}_name": "cart-0",
    f"{POD}_container_name": "cart",
    f"{POD}_node_name": "node-1",
    f"{POD}_phase": "Running",
    f"{POD}_label_team": "store",
}
"""What discovery says of one endpoint of the shop."""
LABELS = {
    "job": "shop",
    "cluster": "eu1",
    "namespace": "shop",
    "service": "cart",
    "pod": "cart-0",
    "container": "cart",
    "endpoint": "http",
    "node": "node-1",
}


def described(*, operator: bool = False, shop: Mapping[str, Any] = SHOP, **sections: Any) -> Fleet:
    """A hub and an agent with the shop in its cluster, whose Prometheus the operator runs if said so."""
    eu1 = {"context": "eu1", **({"operator": {"install": True}} if operator else {})}
    said = {"clusters": {"hub": {"context": "hub"}, "eu1": eu1}, "hub": HUB, "agents": {"eu1": {}}}
    return Fleet.model_validate(said | {"applications": {"shop": shop}} | sections)


def jobs(fleet: Fleet, cluster: str = "eu1") -> dict[str, dict[str, Any]]:
    text = render.agent_config(fleet, cluster, "https://hub.example", own=True, ca_file=None, token_file="/token")
    return {config["job_name"]: config for config in yaml.safe_load(text)["scrape_configs"]}


def target(labels: Labels, shop: Mapping[str, Any] = SHOP) -> Labels | None:
    config = jobs(described(shop=shop))[shop.get("job", "shop")]
    return visible(relabel({"job": config["job_name"], **labels}, config["relabel_configs"]))


def by_the_operator(spec: Mapping[str, Any], name: str, cluster: str) -> list[dict[str, Any]]:
    """
    The relabelling that the operator makes of a ServiceMonitor.

    By generateServiceMonitorConfig in pkg/prometheus/promcfg.go of its release 0.85, as far as our monitors use it.
    """
    [endpoint] = spec["endpoints"]
    named = {
        label: label.replace(".", "_").replace("/", "_").replace("-", "_") for label in spec["selector"]["matchLabels"]
    }
    kept = [
        {
            "source_labels": [f"{SERVICE}_label_{named[label]}", f"{SERVICE}_labelpresent_{named[label]}"],
            "regex": f"({value});true",
            "action": "keep",
        }
        for label, value in sorted(spec["selector"]["matchLabels"].items())
    ]
    aimed = [f"{SLICE}_address_target_kind", f"{SLICE}_address_target_name"]
    written = [
        {
            {"sourceLabels": "source_labels", "targetLabel": "target_label"}.get(key, key): one
            for key, one in rule.items()
        }
        for rule in endpoint["relabelings"]
    ]
    return [
        {"source_labels": ["job"], "target_label": "__tmp_prometheus_job_name"},
        *kept,
        {"source_labels": [f"{SLICE}_port_name"], "regex": endpoint["port"], "action": "keep"},
        {"source_labels": aimed, "regex": "Node;(.*)", "target_label": "node", "replacement": "$1"},
        {"source_labels": aimed, "regex": "Pod;(.*)", "target_label": "pod", "replacement": "$1"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": [f"{SERVICE}_name"], "target_label": "service"},
        {"source_labels": [f"{POD}_name"], "target_label": "pod"},
        {"source_labels": [f"{POD}_container_name"], "target_label": "container"},
        {"source_labels": [f"{POD}_phase"], "regex": "(Failed|Succeeded)", "action": "drop"},
        {"source_labels": [f"{SERVICE}_name"], "target_label": "job"},
        {"target_label": "endpoint", "replacement": endpoint["port"]},
        {"target_label": "cluster", "replacement": cluster},
        *written,
    ]


class TestTargets:
    def test_have_the_labels_that_a_monitor_gives(self) -> None:
        """
        Series say which application they are of, and where it runs.
        """
        assert target(FOUND) == LABELS

    @pytest.mark.parametrize(
        "other",
        [
            {},
            {f"{SLICE}_port_name": "admin"},
            {f"{SERVICE}_label_app": "shopping"},
            {f"{SERVICE}_label_app": "", f"{SERVICE}_labelpresent_app": ""},
            {f"{SERVICE}_label_app_kubernetes_io_part_of": "warehouse"},
            {f"{POD}_phase": "Succeeded"},
            {f"{POD}_phase": "Pending"},
            {f"{POD}_name": "", f"{POD}_container_name": "", f"{POD}_node_name": "", f"{POD}_phase": ""},
        ],
        ids=["this", "port", "value", "unlabelled", "second label", "ended", "starting", "no pod"],
    )
    def test_are_the_same_with_an_operator(self, other: Labels) -> None:
        """
        Whoever scrapes, a target is kept or dropped alike, and has the same labels.
        """
        fleet = described(operator=True)
        rules = by_the_operator(operated_application(fleet, "shop"), "shop", "eu1")
        labels = {key: value for key, value in {**FOUND, **other}.items() if value}

        found = visible(relabel({"job": "serviceMonitor/shop/promfleet-shop/0", **labels}, rules))
        assert found == target(labels)

    def test_are_looked_for_in_their_namespace_only(self) -> None:
        """
        Discovery does not list the Services of other teams for it.
        """
        [discovery] = jobs(described())["shop"]["kubernetes_sd_configs"]

        assert discovery == {"role": "endpointslice", "namespaces": {"names": ["shop"]}}

    def test_may_have_the_job_of_an_application_elsewhere(self) -> None:
        """
        One expression selects it in every cluster.
        """
        found = target(FOUND, {**SHOP, "job": "storefront"})

        assert found == {**LABELS, "job": "storefront"}


class TestPace:
    @pytest.mark.parametrize(
        ("interval", "expected"), [("30s", ("30s", "10s")), ("5s", ("5s", "5s")), ("2m", ("2m", "10s"))]
    )
    def test_has_no_timeout_above_the_interval(self, interval: str, expected: tuple[str, str]) -> None:
        """
        Prometheus refuses such a job, and the operator such a monitor.
        """
        shop = {**SHOP, "interval": interval}
        config = jobs(described(shop=shop))["shop"]
        [endpoint] = operated_application(described(operator=True, shop=shop), "shop")["endpoints"]

        assert (config["scrape_interval"], config["scrape_timeout"]) == expected
        assert (endpoint["interval"], endpoint["scrapeTimeout"]) == expected

    def test_is_that_of_all_jobs_if_nothing_is_said(self) -> None:
        """
        A change of scrape.interval changes it too.
        """
        shop = {key: value for key, value in SHOP.items() if key != "interval"}

        assert not {"scrape_interval", "scrape_timeout"} & jobs(described(shop=shop))["shop"].keys()


class TestTrust:
    def test_is_that_of_annotated_pods(self) -> None:
        """
        Limits are the narrower ones, in both shapes, and no redirect is followed.
        """
        fleet = described(scrape={"limits": {"annotated": {"samples": 500, "body": "2Mi"}}})
        config = jobs(fleet)["shop"]
        spec = operated_application(fleet, "shop")

        assert (config["sample_limit"], config["body_size_limit"]) == (500, "2MiB")
        assert (spec["sampleLimit"], spec["bodySizeLimit"]) == (500, "2MiB")
        assert config["follow_redirects"] is spec["endpoints"][0]["followRedirects"] is False

    @pytest.mark.parametrize("name", ["kube_pod_info", "node_cpu_seconds_total", "up", "shop:errors:rate5m"])
    def test_it_brings_nothing_of_ours(self, name: str) -> None:
        """
        A sum over the cluster's pods would count it too.
        """
        rules = jobs(described())["shop"]["metric_relabel_configs"]

        assert relabel({"__name__": name}, rules) is None
        assert relabel({"__name__": "jvm_memory_used_bytes"}, rules) is not None


class TestWatched:
    @pytest.mark.parametrize("route", ["direct", "apiserver"])
    def test_a_watcher_scrapes_it_too(self, route: str) -> None:
        """
        From outside of the cluster, with the labels that it has inside.
        """
        fleet = Fleet.model_validate(
            {
                "clusters": {"eu1": {"context": "eu1"}},
                "watcher": {"storage": "50Gi", "clusters": {"eu1": {"route": route}}},
                "applications": {"shop": SHOP},
            }
        )
        configs = yaml.safe_load(watcher_config(fleet, {"eu1": "https://eu1.example:6443"}))["scrape_configs"]
        [config] = [one for one in configs if one["job_name"] == "eu1/shop"]
        start = {"job": "eu1/shop", "__scheme__": "http", "__metrics_path__": config["metrics_path"], **FOUND}
        found = relabel(start, config["relabel_configs"])

        assert found is not None
        assert {name: found[name] for name in LABELS} == LABELS
        if route == "apiserver":
            assert found["__metrics_path__"] == "/api/v1/namespaces/shop/pods/cart-0:8080/proxy/actuator/prometheus"


class TestDeployed:
    def test_the_operator_gets_a_monitor_in_their_namespace(self, engine: Engine, kubeconfig: None) -> None:
        """
        It has the labels by which the operator chooses, and nothing else is made there.
        """
        chosen = {"labels": {"team": "platform"}, "namespaces": ["shop"]}
        eu1 = {"context": "eu1", "operator": {"install": True, "select": chosen}}
        fleet = described(clusters={"hub": {"context": "hub"}, "eu1": eu1})
        engine.deploy(lambda: deploy(fleet))

        there = [one for one in engine.objects if one["metadata"].get("namespace") == "shop"]
        [monitor] = there
        assert (monitor["kind"], monitor["metadata"]["name"]) == ("ServiceMonitor", "promfleet-shop")
        assert monitor["metadata"]["labels"]["team"] == "platform"
        validate(there)
        assert "shop" not in jobs(fleet)
        assert (
            "job_name: shop"
            not in render.operated_agent(fleet, "eu1", render.wal_plan(6 * 3600, 30_000, 15)).files[SCRAPE]
        )

    def test_without_an_operator_nothing_is_made_there(self, engine: Engine, kubeconfig: None) -> None:
        """
        The agent has a job for it.
        """
        engine.deploy(lambda: deploy(described()))

        assert engine.all(MONITOR) == []
        assert [one for one in engine.objects if one["metadata"].get("namespace") == "shop"] == []
        assert "shop" in jobs(described())


SCRAPERS = ("promfleet-prometheus-agent-scrape", "promfleet-prometheus-hub-scrape")
"""Names of the Roles of a cluster's Prometheus."""


class TestNamespaced:
    @staticmethod
    def clusters(**eu1: Any) -> dict[str, Any]:
        return {"hub": {"context": "hub", "namespaced": True}, "eu1": {"context": "eu1", "namespaced": True, **eu1}}

    def roles(self, engine: Engine, kind: str, cluster: str) -> dict[str, list[str]]:
        """Namespace of each Role of a cluster's Prometheus, or "" -> what it may list."""
        return {
            one.inputs["metadata"].get("namespace", ""): [
                resource for rule in one.inputs["rules"] for resource in rule.get("resources", [])
            ]
            for one in engine.all(kind)
            if f"::{cluster}::" in (one.provider or "") and one.inputs["metadata"]["name"] in SCRAPERS
        }

    @pytest.mark.parametrize("operator", [None, {"install": True, "select": {"namespaces": ["shop", "cart"]}}])
    def test_prometheus_reads_no_others_pods(
        self, engine: Engine, kubeconfig: None, operator: dict[str, Any] | None
    ) -> None:
        """
        It has Roles where its targets are, and in the whole cluster no right but to nodes and metrics.
        """
        fleet = described(clusters=self.clusters(**({"operator": operator} if operator else {})))
        engine.deploy(lambda: deploy(fleet))

        assert self.roles(engine, CLUSTER_ROLE, "eu1") == {"": ["nodes", "nodes/metrics"]}
        ours = {"default", "kube-system", "promfleet", "promfleet-node-exporter"}
        roles = self.roles(engine, ROLE, "eu1")
        assert roles.keys() == ours | {"shop"} | ({"cart"} if operator else set())
        assert {tuple(resources) for resources in roles.values()} == {("pods", "services", "endpointslices")}
        assert self.roles(engine, ROLE, "hub").keys() == ours
        bound = {one.inputs["metadata"]["namespace"]: one.inputs for one in engine.all(ROLE_BINDING)}
        [subject] = bound["shop"]["subjects"]
        assert (subject["namespace"], subject["name"]) == ("promfleet", "prometheus-agent")

    def test_nothing_annotated_is_looked_for(self) -> None:
        """
        It may be anywhere, and Prometheus would try in vain to list it.
        """
        assert not {"pods", "services"} & jobs(described(clusters=self.clusters())).keys()
        assert {"pods", "services"} <= jobs(described()).keys()


class TestInventory:
    def test_says_what_is_expected(self) -> None:
        """
        An application of which nothing is found is noticed by what the hub expects.
        """
        files = render.server_rules(described(shop={**SHOP, "job": "storefront"}))
        [group] = yaml.safe_load(files["inventory.yml"])["groups"]

        assert {"cluster": "eu1", "job": "storefront", "namespace": "shop"} in [
            rule["labels"] for rule in group["rules"] if rule.get("record") == APPLICATION
        ]


BOARD: dict[str, Any] = {
    "id": 7,
    "uid": "shop",
    "title": "Shop",
    "__inputs": [{"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"}],
    "__requires": [{"type": "grafana"}],
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "pod", "type": "query", "query": "label_values(up, pod)", "datasource": "${datasource}"},
        ]
    },
    "annotations": {"list": [{"datasource": {"type": "grafana", "uid": "-- Grafana --"}, "name": "Annotations"}]},
    "panels": [
        {
            "type": "row",
            "panels": [
                {
                    "datasource": {"type": "prometheus", "uid": "${DS_PROMETHEUS}"},
                    "targets": [{"datasource": {"uid": "$datasource"}, "expr": "up"}],
                }
            ],
        },
        {"datasource": "-- Mixed --", "targets": [{"datasource": "Prometheus", "expr": "up"}]},
        {"datasource": None, "targets": [{"expr": "up"}]},
    ],
}


def load(folder: Path, content: str | bytes | None, path: str = "boards/shop.json", **others: Any) -> Fleet:
    """The fleet of a stack file beside which a dashboard lies."""
    if content is not None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    raw = {
        "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1"}},
        "hub": HUB,
        "agents": {"eu1": {}},
        "grafana": {"secret": {"name": "grafana", "key": "password"}},
        "applications": {"shop": {**SHOP, "dashboard": path}},
    }
    return read(raw | others, "test", bool, folder)


def refusal(folder: Path, content: str | bytes | None, **others: Any) -> list[str]:
    with pytest.raises(FleetError) as caught:
        load(folder, content, **others)
    return [str(problem) for problem in caught.value.problems]


class TestDashboard:
    def shown(self, folder: Path, board: Mapping[str, Any]) -> dict[str, Any]:
        dashboard = load(folder, json.dumps(board)).applications["shop"].dashboard
        assert dashboard
        return json.loads(dashboard.resolved())

    def test_queries_the_datasource_of_this_grafana(self, tmp_path: Path) -> None:
        """
        Whatever the export calls it, by name, by variable or by an input; Grafana's own stay.
        """
        shown = self.shown(tmp_path, BOARD)
        ours = {"type": "prometheus", "uid": "hub"}

        row, mixed, default = shown["panels"]
        assert row["panels"][0]["datasource"] == row["panels"][0]["targets"][0]["datasource"] == ours
        assert (mixed["datasource"], mixed["targets"][0]["datasource"]) == ("-- Mixed --", ours)
        assert default["datasource"] is None
        assert [variable["name"] for variable in shown["templating"]["list"]] == ["pod"]
        assert shown["templating"]["list"][0]["datasource"] == ours
        assert shown["annotations"] == BOARD["annotations"]

    def test_asks_for_nothing_at_an_import(self, tmp_path: Path) -> None:
        """
        Grafana numbers it itself, and what an import by hand would ask for is gone.
        """
        assert not {"id", "__inputs", "__requires"} & self.shown(tmp_path, BOARD).keys()

    def test_has_a_uid_that_stays(self, tmp_path: Path) -> None:
        """
        One that the file does not have comes from the file's name, so that links to it hold.
        """
        assert self.shown(tmp_path, BOARD)["uid"] == "shop"
        anonymous = {**BOARD, "uid": None}
        file = load(tmp_path, json.dumps(anonymous), path="boards/shop & more.json").applications["shop"].dashboard
        assert file
        assert json.loads(file.text)["uid"] == file.uid == "shop---more"

    def test_is_where_grafana_reads_it(self, tmp_path: Path, engine: Engine, kubeconfig: None) -> None:
        """
        In a folder of its own, so that it may have the title of one of ours.
        """
        fleet = load(tmp_path, json.dumps(BOARD))
        engine.deploy(lambda: deploy(fleet))

        board = engine.one(CONFIG_MAP, "grafana-application-shop").inputs
        spec = engine.one(STATEFUL_SET, "grafana").inputs["spec"]["template"]["spec"]
        [provisioning] = [m for m in engine.all(CONFIG_MAP) if "dashboards.yaml" in m.inputs["data"]]
        providers = yaml.safe_load(provisioning.inputs["data"]["dashboards.yaml"])["providers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert json.loads(board["data"]["shop.json"])["title"] == "Shop"
        assert {one["folder"]: one["options"]["path"] for one in providers}["applications"] == APPLICATIONS
        assert volumes[mounts[APPLICATIONS]]["projected"]["sources"] == [
            {"configMap": {"name": "grafana-application-shop"}}
        ]

    def test_two_applications_may_name_one_file(self, tmp_path: Path) -> None:
        """
        An application of two clusters has one dashboard.
        """
        both = {
            "shop": {**SHOP, "dashboard": "boards/shop.json"},
            "shop-hub": {**SHOP, "cluster": "hub", "job": "shop", "dashboard": "boards/shop.json"},
        }
        fleet = load(tmp_path, json.dumps(BOARD), applications=both)

        assert len(application_boards(fleet)) == 1

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (None, 'applications.shop.dashboard: "boards/shop.json" is a file that does not exist. Write the path of'),
            (b"\xff", 'applications.shop.dashboard: "boards/shop.json" can\'t be read: it is not UTF-8. Save it as'),
            ("{\n  'a'", "applications.shop.dashboard.line 2: is not JSON: Expecting property name enclosed in double"),
            ('{"panels": NaN}', "applications.shop.dashboard: is not JSON: NaN is no number there."),
            ("[" * 99999, "applications.shop.dashboard: is nested too deeply."),
            ("[]", "applications.shop.dashboard: is no dashboard: it holds no JSON object."),
            ('{"title": "Shop"}', "applications.shop.dashboard: is no dashboard: it has no list of panels."),
            ('{"panels": []}', "applications.shop.dashboard.title: is missing. Add it: Grafana lists dashboards by"),
            (
                json.dumps({"meta": {}, "dashboard": BOARD}),
                "applications.shop.dashboard: is an answer of Grafana's API.",
            ),
            (
                json.dumps({"apiVersion": "v1", "spec": BOARD}),
                "applications.shop.dashboard: is a Kubernetes resource or",
            ),
            (
                json.dumps({**BOARD, "uid": "a b"}),
                'applications.shop.dashboard.uid: "a b" is not the uid of a dashboard.',
            ),
            (
                json.dumps({**BOARD, "uid": "promfleet-jvm"}),
                'applications.shop.dashboard.uid: "promfleet-jvm" is a uid of promfleet\'s own dashboards.',
            ),
            (
                json.dumps({**BOARD, "__inputs": [{"name": "VAR_TEAM", "type": "constant"}]}),
                'applications.shop.dashboard.__inputs[0]: "VAR_TEAM" is to be filled in at an import by hand. Write '
                "its value for ${VAR_TEAM} in the file, and remove it.",
            ),
            (
                json.dumps({**BOARD, "__elements": {"a": {}}}),
                "applications.shop.dashboard.__elements: are library panels, which are not in the file.",
            ),
            (
                json.dumps({**BOARD, "panels": [{"targets": [{"datasource": {"type": "loki", "uid": "x"}}]}]}),
                "applications.shop.dashboard.panels[0].targets[0].datasource: is a datasource of type loki, which",
            ),
            (
                json.dumps(
                    {
                        **BOARD,
                        "__inputs": [{"name": "DS_LOGS", "type": "datasource", "pluginId": "loki"}],
                        "panels": [{"datasource": "${DS_LOGS}"}],
                    }
                ),
                "applications.shop.dashboard.panels[0].datasource: is a datasource of type loki, which",
            ),
            (
                json.dumps({**BOARD, "description": "x" * LARGEST}),
                'applications.shop.dashboard: "boards/shop.json" is a dashboard of ',
            ),
        ],
        ids=[
            *("missing", "binary", "syntax", "constant", "depth", "list", "panels", "title", "API", "resource"),
            *("uid", "our uid", "input", "library panel", "other datasource", "other input", "size"),
        ],
    )
    def test_what_is_none_is_refused(self, tmp_path: Path, content: str | bytes | None, problem: str) -> None:
        """
        With what is wrong in it, and what to do.
        """
        [found] = refusal(tmp_path, content)

        assert found.startswith(problem)

    @pytest.mark.parametrize("path", ["/etc/shop.json", "boards\0.json", "boards"])
    def test_other_paths_are_refused(self, tmp_path: Path, path: str) -> None:
        """
        A file is read beside the stack file.
        """
        (tmp_path / "boards").mkdir()
        [found] = refusal(tmp_path, None, applications={"shop": {**SHOP, "dashboard": path}})

        assert found.startswith("applications.shop.dashboard: ")
        assert found.endswith("Write the path of a file beside the stack file: dashboards/shop.json.")

    def test_two_of_one_uid_or_title_are_refused(self, tmp_path: Path) -> None:
        """
        Grafana would load neither.
        """
        for name, change in {"a": {}, "b": {"title": "Other"}, "c": {"uid": "other"}}.items():
            (tmp_path / f"{name}.json").write_text(json.dumps({**BOARD, **change}))
        applications = {name: {**SHOP, "dashboard": f"{name}.json"} for name in "abc"}

        assert refusal(tmp_path, None, applications=applications) == [
            'applications.b.dashboard: "b.json" has the uid of a.json, which applications.a names. '
            "Write another uid into it.",
            'applications.c.dashboard: "c.json" has the title of a.json, which applications.a names. '
            "Write another title into it.",
        ]

    def test_without_a_grafana_it_is_refused(self, tmp_path: Path) -> None:
        """
        It would be shown nowhere.
        """
        [found] = refusal(tmp_path, json.dumps(BOARD), grafana=None)

        assert found == (
            'applications.shop.dashboard: "boards/shop.json" has no effect: this stack has no Grafana. '
            "Add a section grafana, or remove it; the Grafana of another stack does not get it."
        )
