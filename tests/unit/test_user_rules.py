"""People's own rules and their tests: what is accepted, what is made of it, and what is said of each mistake."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pulumi import ResourceOptions
from typer.testing import CliRunner

import render
from components import HubPrometheus
from components.hub_prometheus import HubPrometheusArgs
from components.k8s.config_maps import LARGEST, parts
from fleet.check import missing_in_rules
from fleet.cli import app
from render.machine import ClusterCredentials, machine_files
from render.rules import server_rule_groups
from render.yaml import to_yaml
from settings import Fleet
from settings.errors import RulesError
from settings.read_files import ReadFiles
from settings.rule_files import parsed
from stacks import deploy

from .builders import EVERYTHING, HUB, pod
from .conftest import Engine, validate
from .kinds import CONFIG_MAP
from .stack_texts import loaded, problems
from .test_hub_prometheus import args

PROMETHEUS_RULE = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
FLEET = """\
clusters: {hub: {context: a}, eu1: {context: b}}
hub: {cluster: hub, storage: 500Gi, expose: {host: h.example, tls: {secret: s}}}
agents: {eu1: {}}
alerts: {ruleFiles: [%s]}
"""
ALONE = """\
clusters: {shop: {context: a}}
standalone: {cluster: shop, expose: {host: h.example, tls: {secret: s}}}
alerts: {ruleFiles: [%s]}
"""
SHOP = """\
groups:
  - name: shop
    interval: 2m
    limit: 10
    labels: {severity: warning, shift: 010}
    rules:
      - record: cluster:shop_orders:rate5m
        expr: sum by (cluster) (rate(shop_orders_total[5m]))
      - alert: ShopSellsNothing
        expr: "cluster:shop_orders:rate5m == 0 # also at night"
        for: 10m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.cluster }} sells nothing."}
"""
OPERATED = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: cart, labels: {release: kps}}
spec:
  groups:
    - name: cart
      partial_response_strategy: abort
      rules:
        - {alert: CartSlow, expr: cart_seconds > 5, labels: {severity: info, team: cart}}
"""
GROUP = "groups: [{name: shop, rules: [%s]}]"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / "rules" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def fleet(*texts: str, only: list[str] | None = None, **sections: Any) -> Fleet:
    """A fleet with a file of rules for each text."""
    documents = {f"rules/{number}.yaml": [*yaml.safe_load_all(text)] for number, text in enumerate(texts)}
    entry = {"files": [ReadFiles(documents)], **({"clusters": only} if only else {})}
    named = {name: {"context": name} for name in ("hub", "eu1")}
    given = {"clusters": named, "hub": HUB, "agents": {"eu1": {}}, **sections}
    return Fleet.model_validate({**given, "alerts": {"team": "sre", "ruleFiles": [entry]}})


def of_users(files: dict[str, str]) -> dict[str, Any]:
    return {name: yaml.safe_load(text) for name, text in files.items() if name.startswith("user-")}


class TestLoading:
    def test_files_are_taken_as_they_are(self, tmp_path: Path) -> None:
        """
        Rule files of Prometheus, and PrometheusRules of which a file may hold several.
        """
        write(tmp_path, shop=SHOP, all=f"---\n{OPERATED}---\n{SHOP}---\n")

        made = server_rule_groups(loaded(tmp_path, FLEET % "rules/*.yaml"))

        assert [name for name in made if name.startswith("user-")] == [
            "user-rules-all",
            "user-rules-all-2",
            "user-rules-shop",
        ]
        [group] = made["user-rules-shop"]["groups"]
        assert group == {
            "name": "shop",
            "interval": "2m",
            "limit": 10,
            "rules": [
                {
                    "record": "cluster:shop_orders:rate5m",
                    "expr": "sum by (cluster) (rate(shop_orders_total[5m]))",
                    "labels": {"severity": "warning", "shift": "010"},
                },
                {
                    "alert": "ShopSellsNothing",
                    "expr": "cluster:shop_orders:rate5m == 0 # also at night",
                    "for": "10m",
                    "labels": {"team": "platform", "severity": "critical", "shift": "010"},
                    "annotations": {"summary": "{{ $labels.cluster }} sells nothing."},
                },
            ],
        }
        assert made["user-rules-all-2"] == made["user-rules-shop"]

    def test_lists_of_kubectl_are_taken_too(self, tmp_path: Path) -> None:
        """
        `kubectl get prometheusrules -o yaml` writes one.
        """
        item = yaml.safe_load(OPERATED)
        write(tmp_path, cart=yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [item, item]}))

        made = server_rule_groups(loaded(tmp_path, FLEET % "rules/cart.yaml"))

        assert made["user-rules-cart"] == made["user-rules-cart-2"]

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("rules/Shop & Cart_v2.rules.yml", "user-rules-shop-cart-v2-rules"),
            ("a" * 90, f"user-{'a' * 60}"),
            ("../elsewhere/shop.yaml", "user-elsewhere-shop"),
        ],
    )
    def test_a_file_is_called_by_its_path(self, path: str, name: str) -> None:
        """
        As keys of ConfigMaps and names of PrometheusRules allow.
        """
        named = Fleet.model_validate(
            {
                "clusters": {"hub": {"context": "a"}},
                "hub": HUB,
                "alerts": {"ruleFiles": [ReadFiles({path: [yaml.safe_load(SHOP)]})]},
            }
        )

        assert [*of_users(render.server_rules(named))] == [f"{name}.yml"]

    def test_a_file_that_is_read_again_stays(self, tmp_path: Path) -> None:
        """
        A fleet that is copied has the same rules.
        """
        write(tmp_path, shop=SHOP)
        read = loaded(tmp_path, FLEET % "rules/*.yaml")

        again = Fleet.model_validate({**dict(read), "alerts": {"ruleFiles": read.alerts.rule_files}})

        assert of_users(render.server_rules(again)) == of_users(render.server_rules(read))


class TestWhoEvaluates:
    def test_prometheus_does(self) -> None:
        """
        Without what Thanos adds to a group.
        """
        files = of_users(render.server_rules(fleet(OPERATED)))

        [group] = files["user-rules-0.yml"]["groups"]
        assert "partial_response_strategy" not in group
        assert [rule["labels"]["team"] for rule in group["rules"]] == ["cart"]

    def test_rulers_do_where_samples_are_in_receive(self) -> None:
        """
        A group says itself whether it is evaluated without an endpoint that can't be reached; ours are.
        """
        described = fleet(OPERATED, SHOP, **{name: EVERYTHING[name] for name in ("hub", "thanos")})

        assert of_users(render.server_rules(described)) == {}
        files = of_users(render.ruler_rules(described))
        assert {
            name: [group["partial_response_strategy"] for group in one["groups"]] for name, one in files.items()
        } == {
            "user-rules-0.yml": ["abort"],
            "user-rules-1.yml": ["warn"],
        }

    def test_the_operator_is_given_a_prometheus_rule_for_each(self) -> None:
        """
        With the groups that Prometheus would read.
        """
        named = {"hub": {"context": "hub", "operator": {}}, "eu1": {"context": "eu1"}}
        described = fleet(SHOP, clusters=named)

        assert described.server
        made = render.operated_server(described.server, described).rules
        assert made["user-rules-0"] == of_users(render.server_rules(described))["user-rules-0.yml"]

    def test_a_watcher_does(self) -> None:
        """
        Its rules are files of its machine.
        """
        files = [ReadFiles({"rules/shop.yaml": [yaml.safe_load(SHOP)]})]
        described = Fleet.model_validate(
            {
                "clusters": {"eu1": {"context": "eu1"}},
                "watcher": {"clusters": ["eu1"], "storage": "500Gi"},
                "alerts": {"ruleFiles": files},
            }
        )

        machine = machine_files(described, {"eu1": ClusterCredentials("https://eu1", "ca", "token")}, {})

        assert "ShopSellsNothing" in machine["prometheus/rules/user-rules-shop.yml"].text


class TestClusters:
    def test_rules_for_some_are_joined_with_them(self) -> None:
        """
        A comment at the end of a query hides nothing.
        """
        [file] = of_users(render.server_rules(fleet(SHOP, only=["eu1", "hub"]))).values()

        one, two = (f'label_replace(vector(1), "cluster", "{name}", "", "")' for name in ("eu1", "hub"))
        assert [rule["expr"] for rule in file["groups"][0]["rules"]] == [
            f"({query}\n)\nand on (cluster) ({one}\nor {two})"
            for query in (
                "sum by (cluster) (rate(shop_orders_total[5m]))",
                "cluster:shop_orders:rate5m == 0 # also at night",
            )
        ]

    def test_a_rule_may_mix_them_where_it_is_named(self, tmp_path: Path) -> None:
        """
        And others may read what it records, for each cluster.
        """
        total = "{record: 'fleet:orders:sum', expr: sum(shop_orders_total), labels: {cluster: all}}"
        share = "{alert: Large, expr: orders > on () group_left () fleet:orders:sum, labels: {severity: info}}"
        write(tmp_path, shop=GROUP % f"{total}, {share}")

        made = loaded(tmp_path, FLEET % "{files: [rules/shop.yaml], acrossClusters: ['fleet:orders:sum']}")

        assert len(of_users(render.server_rules(made))) == 1

    @pytest.mark.parametrize("entry", ["rules/shop.yaml", "{files: [rules/shop.yaml], clusters: [shop]}"])
    def test_none_is_lost_where_there_is_only_one(self, tmp_path: Path, entry: str) -> None:
        """
        Rules that were written for a Prometheus of one cluster are taken as they are, and route as others do.
        """
        busy = "{record: 'code:requests:rate5m', expr: 'sum by (code) (rate(requests_total[5m]))'}"
        gone = "{alert: NoShop, expr: absent(shop_orders_total), labels: {severity: critical}}"
        write(tmp_path, shop=GROUP % f"{busy}, {gone}")

        [file] = of_users(render.server_rules(loaded(tmp_path, ALONE % entry))).values()

        assert [(rule["expr"], rule["labels"]) for rule in file["groups"][0]["rules"]] == [
            ("sum by (code) (rate(requests_total[5m]))", {"cluster": "shop"}),
            ("absent(shop_orders_total)", {"cluster": "shop", "team": "platform", "severity": "critical"}),
        ]


MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes_rule_files.yaml").read_text(encoding="utf-8"))


def mistakes(kind: str) -> Any:
    """The mistakes of one kind, as parameters of a test."""
    return pytest.mark.parametrize("case", MISTAKES[kind], ids=lambda case: case["mistake"])


@mistakes("rules")
def test_every_mistake_of_a_rule_is_said(case: dict[str, Any], tmp_path: Path) -> None:
    """
    With its file, its group, its name, and what to write instead.
    """
    write(tmp_path, shop=GROUP % case["rules"])

    said = problems(tmp_path, FLEET % "rules/*.yaml")

    assert said == [f"alerts.ruleFiles[0].rules/shop.yaml.{one}" for one in case["problems"]]


@mistakes("files")
def test_every_mistake_of_a_file_is_said(case: dict[str, Any], tmp_path: Path) -> None:
    """
    With the file, and where it is in it.
    """
    write(tmp_path, shop=case["text"])

    [found] = problems(tmp_path, FLEET % "rules/*.yaml")

    place = "alerts.ruleFiles[0].rules/shop.yaml"
    assert found in (f"{place}.{case['problem']}", f"{place}: {case['problem']}")


@mistakes("entries")
def test_every_mistake_of_an_entry_is_said(case: dict[str, Any], tmp_path: Path) -> None:
    """
    All that are wrong with the lists of files.
    """
    other = "rule_files: [shop.yaml, cart.yaml]\ntests: []\n"
    write(tmp_path, shop=SHOP, **{"test-empty": "{}", "test-broken": "{", "test-other": other})

    said = problems(tmp_path, FLEET.replace("alerts: {ruleFiles: [%s]}", case["alerts"]))

    assert said == [f"alerts.{one}" for one in case["problems"]]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value of a document is."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from places(one, (*path, key))


def made(read: ReadFiles) -> str:
    """The rule file that is made of one, or what is wrong with it."""
    try:
        [file] = parsed([read])
    except RulesError as error:
        return "\n".join(map(str, error.problems))
    return to_yaml([*file.groups])


@pytest.mark.parametrize("text", [SHOP, OPERATED], ids=["rules", "prometheus-rule"])
@pytest.mark.parametrize("junk", [None, "", "x", "{{", "sum(", "\ud800", [], {}, ["a"], {"a": "b"}, [[]]], ids=repr)
def test_whatever_is_wrong_in_a_file_is_said(text: str, junk: Any) -> None:
    """
    A file that somebody edited without care is right, or has a report that can be printed.
    """
    for path in places(yaml.safe_load(text)):
        document = {"": yaml.safe_load(text)}
        holder: Any = document
        for step in ("", *path)[:-1]:
            holder = holder[step]
        holder[("", *path)[-1]] = junk
        assert made(ReadFiles({"rules/shop.yaml": [document[""]]})).encode()


def test_a_list_that_holds_itself_is_refused(tmp_path: Path) -> None:
    """
    YAML can write one.
    """
    write(tmp_path, shop="kind: List\nitems: &all [{kind: List, items: *all}]\n")

    assert problems(tmp_path, FLEET % "rules/*.yaml") == [
        "alerts.ruleFiles[0].rules/shop.yaml: is nested too deeply. Write groups, each with name and rules, or a "
        "PrometheusRule."
    ]


def test_rules_that_no_config_map_holds_are_refused(tmp_path: Path) -> None:
    """
    Before the API server refuses them.
    """
    query = "x" * 800_000
    write(tmp_path, shop=GROUP % f"{{record: a, expr: {query}}}")

    assert problems(tmp_path, FLEET % "rules/*.yaml") == [
        "alerts.ruleFiles[0].rules/shop.yaml: has 781 KiB of rules, and a ConfigMap holds at most 700 KiB of them. "
        "Split it into several files or documents."
    ]


def test_a_query_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    """
    Instead of a traceback of whatever reads it.
    """
    write(tmp_path, shop=GROUP % f"{{record: a, expr: {'(' * 1500}x{')' * 1500}}}")

    assert problems(tmp_path, FLEET % "rules/*.yaml") == [
        "alerts.ruleFiles[0].rules/shop.yaml.shop.a.expr: is nested too deeply. Split it into several rules."
    ]


def test_yaml_that_can_not_be_read_is_said_of_its_file(tmp_path: Path) -> None:
    """
    With its line.
    """
    write(tmp_path, shop="groups: {{ .Values.groups }}\n")

    [found] = problems(tmp_path, FLEET % "rules/*.yaml")

    assert found.startswith("alerts.ruleFiles[0].shop.yaml.line 1: ")


class TestTeams:
    ROUTED = "alertmanager: {receivers: {a: {}, b: {}}, default: a, routes: [{receiver: b, teams: [%s]}]}\n"

    def test_of_rules_may_be_routed(self, tmp_path: Path) -> None:
        """
        Like those of promfleet's own.
        """
        write(tmp_path, cart=OPERATED)
        routed = FLEET % "rules/*.yaml" + self.ROUTED % "cart"

        assert loaded(tmp_path, routed).alerts.teams == {"platform", "cart"}
        assert problems(tmp_path, routed.replace("teams: [cart]", "teams: [carts]"))

    def test_that_series_name_may_be_any(self, tmp_path: Path) -> None:
        """
        Nobody knows them before the alert fires.
        """
        write(tmp_path, cart=OPERATED.replace("team: cart", "team: '{{ $labels.team }}'"))

        assert loaded(tmp_path, FLEET % "rules/*.yaml" + self.ROUTED % "anybody")


RULE = "groups: [{name: shop, rules: [{record: a, expr: '%s'}]}]"
ELSEWHERE = {"hub": {**HUB, "agents": ["us1"]}}


class TestMetricsThatAreNotStored:
    @pytest.mark.parametrize(
        ("expr", "said"),
        [
            ("kube_pod_status_reason", "is not kept by scrape.metrics: essential"),
            ("node_network_mtu_bytes", "is not kept by scrape.metrics: essential"),
            ("container_memory_rss > 5", "is not kept by scrape.metrics: essential"),
            ('kube_pod_status_ready{condition="false"}', 'is not kept with condition="false"'),
            ("node_namespace_pod:kube_pod_info:", "is recorded by no rule of this stack"),
        ],
    )
    def test_are_named(self, expr: str, said: str) -> None:
        """
        Nothing but promfleet's own jobs and rules may bring these.
        """
        [(problem, certain)] = missing_in_rules(fleet(RULE % expr))

        assert (problem.rule.partition(", which ")[2], certain) == (said, True)
        assert problem.path == ("alerts", "ruleFiles", 0, "rules/0.yaml", "shop", "a", "expr")

    @pytest.mark.parametrize(
        "expr",
        [
            *("shop_orders_total", "up", "kube_pod_info", "scrape_samples_scraped", "promfleet_cluster_expected"),
            *(
                'kube_pod_status_ready{condition="true"}',
                "cluster_job:up:sum",
                "ALERTS",
                "probe_success",
                "go_goroutines",
            ),
            *('{job="pods"}', "etcd_server_has_leader"),
            *('shop_seconds_bucket{le="0.5"}', 'shop_seconds_bucket{le="+Inf"}', 'shop_level{le="1"}'),
        ],
    )
    def test_are_no_others(self, expr: str) -> None:
        """
        What pods, jobs of people, probes or rules bring is not known here.
        """
        assert [*missing_in_rules(fleet(RULE % expr))] == []

    @pytest.mark.parametrize(
        ("expr", "instead"),
        [
            ('rate(shop_seconds_bucket{le="1"}[5m])', 'le="1.0"'),
            ('shop_seconds_bucket{le="100000"}', 'le="100000.0"'),
            ('shop_bytes_bucket{le="1000000"}', 'le="1e+06"'),
            ('shop_bytes_bucket{le="1048576"}', 'le="1.048576e+06"'),
            ('shop_seconds{quantile="1"}', 'quantile="1.0"'),
        ],
    )
    def test_are_bounds_of_prometheus_2(self, expr: str, instead: str) -> None:
        """
        Prometheus 3 stores them as floating-point numbers, so that such a rule never fires. What a gauge has stays.
        """
        [(problem, certain)] = missing_in_rules(fleet(RULE % expr))

        assert (problem.instead, certain) == (f"Write {instead}.", False)

    def test_are_not_those_that_people_record_or_keep(self) -> None:
        """
        In any of their files.
        """
        recorded = "groups: [{name: b, rules: [{record: 'a:b:c', expr: up}]}]"
        for described in (
            fleet(RULE % "a:b:c", recorded),
            fleet(RULE % "node_arp_entries", scrape={"keep": ["node_arp_entries"]}),
            fleet(RULE % "node_arp_entries", scrape={"metrics": "full"}),
        ):
            assert [*missing_in_rules(described)] == []

    @pytest.mark.parametrize(
        ("expr", "sections"),
        [
            ("kube_pod_status_reason", ELSEWHERE),
            ("a:b:c", ELSEWHERE),
            ('kube_pod_status_ready{condition="false"}', ELSEWHERE),
            ("a:b:c", {"clusters": {"hub": {"context": "hub", "operator": {}}, "eu1": {"context": "eu1"}}}),
            (
                "node_network_mtu_bytes",
                {"scrape": {"jobs": [{"job_name": "a", "static_configs": [{"targets": ["a:1"]}]}]}},
            ),
            ("coredns_build_info", {}),
            ("node_arp_entries", {}),
        ],
        ids=["other-stacks", "rules-there", "states-there", "operator", "own-job", "own-dns", "no-family"],
    )
    def test_are_only_supposed_where_others_may_bring_them(self, expr: str, sections: dict[str, Any]) -> None:
        """
        Another stack may keep more, a job of people scrape machines, the operator's rules record.
        """
        assert [certain for _, certain in missing_in_rules(fleet(RULE % expr, **sections))] == [False]

    @pytest.mark.parametrize(
        ("exporter", "missing"),
        [
            ({}, True),
            ({"labels": {"pods": ["team"]}}, True),
            ({"labels": {"namespaces": ["team"]}}, False),
            ({"existing": {"namespace": "monitoring", "service": "kps"}}, False),
        ],
        ids=["none", "other", "told", "somebody's"],
    )
    @pytest.mark.parametrize("metrics", ["essential", "full"])
    def test_labels_of_objects_are_told_where_the_stack_file_says_so(
        self,
        exporter: dict[str, Any],
        missing: bool,  # noqa: FBT001 — a parameter
        metrics: str,
    ) -> None:
        """
        kube-state-metrics makes no such series by default, whatever is kept.
        """
        clusters = {"hub": {"context": "hub", "kubeStateMetrics": exporter}, "eu1": {"context": "eu1"}}
        described = fleet(RULE % "kube_namespace_labels", clusters=clusters, scrape={"metrics": metrics})

        found = [(problem.instead, certain) for problem, certain in missing_in_rules(described)]

        instead = "Write clusters.<name>.kubeStateMetrics: {labels: {namespaces: […]}}."
        assert found == [(instead, False)] * missing

    @pytest.mark.parametrize(
        ("expr", "dropped"),
        [
            ("kubelet_volume_metric_collection_total", True),
            ('kubelet_volume_metric_collection_total{job="kubelet"}', True),
            ('kubelet_volume_metric_collection_total{job="cadvisor"}', False),
            ("kubelet_evictions", False),
            ('{job="cadvisor"}', False),
            ("kubelet_volume_stats_used_bytes", False),
        ],
    )
    def test_may_be_dropped_of_one_job(self, expr: str, dropped: bool) -> None:  # noqa: FBT001 — a parameter
        """
        But never what promfleet's own rules read of it.
        """
        builtin = {"kubelet": {"drop": ["kubelet_volume_.+"]}, "cadvisor": {"interval": "30s"}}
        scrape = {"metrics": "full", "builtin": builtin}

        found = [problem.instead for problem, _ in missing_in_rules(fleet(RULE % expr, scrape=scrape))]

        assert found == ["Change scrape.builtin.kubelet.drop."] * dropped

    def test_make_a_file_wrong(self, tmp_path: Path) -> None:
        """
        Such an alert would never fire.
        """
        write(tmp_path, shop=RULE % "kube_pod_status_reason")
        loaded(tmp_path, FLEET % "rules/*.yaml")

        result = CliRunner().invoke(app, ["check", str(tmp_path / "Pulumi.test.yaml")])

        assert (result.exit_code, result.stderr) == (
            1,
            "promfleet:fleet in Pulumi.test.yaml has 1 problem:\n"
            "  alerts.ruleFiles[0].rules/shop.yaml.shop.a.expr: asks for kube_pod_status_reason, which is not kept by "
            "scrape.metrics: essential. Add kube_pod_status_reason to scrape.keep.\n",
        )


class TestConfigMaps:
    def test_rules_that_fit_are_in_one(self, engine: Engine) -> None:
        """
        Its name does not change, so that pods are not replaced.
        """
        made = engine.deploy(lambda: HubPrometheus("hub", args(), ResourceOptions()))

        [volume] = [one for one in pod(made)["volumes"] if one["name"] == "rules"]
        assert volume == {"name": "rules", "configMap": {"name": "prometheus-hub-rules"}}

    def test_more_are_in_several(self, engine: Engine) -> None:
        """
        One folder has the files of all.
        """
        rules = dict.fromkeys(("a.yml", "b.yml", "c.yml"), "x" * (LARGEST // 2 + 1))
        given = cast("HubPrometheusArgs", {**args(), "rules": rules})
        made = engine.deploy(lambda: HubPrometheus("hub", given, ResourceOptions()))

        [volume] = [one for one in pod(made)["volumes"] if one["name"] == "rules"]
        names = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
        assert names == ["prometheus-hub-rules", "prometheus-hub-rules-2", "prometheus-hub-rules-3"]
        assert [[*made.one(CONFIG_MAP, name).inputs["data"]] for name in names] == [["a.yml"], ["b.yml"], ["c.yml"]]

    def test_hold_whole_files_in_their_order(self) -> None:
        """
        Bytes count, not characters.
        """
        half = "é" * (LARGEST // 4)

        assert [[*part] for part in parts({"a": half, "b": half, "c": "x"})] == [["a", "b"], ["c"]]
        assert parts({}) == [{}]


def test_the_operator_takes_every_field(engine: Engine, kubeconfig: None) -> None:
    """
    Its schema of PrometheusRules is closed.
    """
    fields = SHOP.replace("limit: 10", "limit: 10\n    query_offset: 30s").replace(
        "for: 10m", "for: 10m\n        keep_firing_for: 5m"
    )
    named = {name: {"context": name, "operator": {}} for name in ("hub", "eu1")}
    engine.deploy(lambda: deploy(fleet(fields, OPERATED, clusters=named)))

    validate(engine.objects)
    made = {one.inputs["metadata"]["name"]: one.inputs for one in engine.all(PROMETHEUS_RULE)}
    [group] = made["prometheus-hub-user-rules-0"]["spec"]["groups"]
    assert (group["limit"], group["query_offset"], group["rules"][1]["keep_firing_for"]) == (10, "30s", "5m")
