"""Labels that people put on every series of a cluster, in each shape."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import promql_parser
import pytest
import yaml

import render
from alerts import GROUPS
from dashboards import DASHBOARDS, queries
from render.operator import SCRAPE
from render.prometheus.watcher import watcher_config
from settings import Fleet
from settings.reserved import OF_SERIES, RESERVED
from tests import ROOT
from tests.promql import nodes
from tests.rendered import server, server_config
from tests.unit.builders import EVERYTHING, HUB, VALUES, fleet
from tests.unit.relabelling import relabel, visible

OF_STACK = {"environment": "prod", "site": "a.b (c)"}
OF_CLUSTER = {"site": "d", "building": "7"}
"""What one of the clusters says beside it; `site` is said by both."""
PLAN = render.wal_plan(6 * 3600, 30_000, 15)
POD, SERVICE = "__meta_kubernetes_pod", "__meta_kubernetes_service"
TARGET = {"__address__": "10.0.0.1:80", "__metrics_path__": "/metrics", "__scheme__": "http", "job": "any"}
OF_USERS = {
    "scrape": {
        "jobs": [
            {
                "job_name": "theirs",
                "honor_labels": True,
                "static_configs": [{"targets": ["db.example:9100"]}],
                "metric_relabel_configs": [{"target_label": "environment", "replacement": "mine"}],
            }
        ]
    }
}
Config = Mapping[str, Any]


def described(name: str) -> dict[str, Any]:
    """The sections of an example, or of a stack with everything."""
    if name == "everything":
        return EVERYTHING
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["config"]["promfleet:fleet"]


STACKS = ["everything", *sorted(file.name for file in ROOT.glob("Pulumi.*.yaml"))]


def labelled(name: str) -> tuple[Fleet, Fleet]:
    """A stack without and with external labels, some of which its last cluster says otherwise."""
    sections = {**described(name)}
    last = [*sections["clusters"]][-1]
    sections["scrape"] = {"jobs": [{**job, "clusters": [last]} for job in OF_USERS["scrape"]["jobs"]]}
    clusters = {**sections["clusters"], last: {**sections["clusters"][last], "externalLabels": OF_CLUSTER}}
    return Fleet.model_validate(sections), Fleet.model_validate(
        {**sections, "clusters": clusters, "externalLabels": OF_STACK}
    )


def jobs(model: Fleet) -> Iterator[tuple[str, Config]]:
    """Each job of each Prometheus of a stack, with the cluster whose targets it has."""
    for cluster in model.agents:
        made = render.agent_config(model, cluster, "https://hub.example", own=True, ca_file=None, token_file="/token")
        yield from ((cluster, job) for job in yaml.safe_load(made)["scrape_configs"])
        operated = yaml.safe_load(render.operated_agent(model, cluster, PLAN).files[SCRAPE])
        yield from ((cluster, job) for job in operated)
    if model.server:
        yield from ((model.server.cluster, job) for job in server_config(model)["scrape_configs"])
        operated = yaml.safe_load(render.operated_server(server(model), model).files[SCRAPE])
        yield from ((model.server.cluster, job) for job in operated)
    if model.watcher:
        servers = {name: f"https://{name}.example" for name in model.watcher.clusters}
        for job in yaml.safe_load(watcher_config(model, servers))["scrape_configs"]:
            yield next((name for name in servers if job["job_name"].startswith(f"{name}/")), model.watcher.name), job


def labels(rules: Sequence[Config], target: Mapping[str, str] = TARGET) -> dict[str, str]:
    """The labels of a target that the rules do not drop."""
    setting = [rule for rule in rules if rule.get("action") not in ("keep", "drop", "keepequal")]
    return visible(relabel(target, setting)) or {}


@pytest.mark.parametrize("name", STACKS)
def test_every_series_of_every_shape_has_them(name):
    """
    Hub, agent, standalone server, Thanos, watcher and operator: a target gets them, and is otherwise as without them.
    """
    plain, extended = map(list, map(jobs, labelled(name)))
    said = labelled(name)[1]

    assert len(plain) == len(extended) > 4
    for (cluster, before), (_, after) in zip(plain, extended, strict=True):
        expected = {**labels(before["relabel_configs"]), **said.labels_of(cluster)}
        assert labels(after["relabel_configs"]) == expected
        assert expected.items() >= {"cluster": cluster, "environment": "prod"}.items()
        assert before.get("honor_labels") or before["metric_relabel_configs"] == after["metric_relabel_configs"]


def test_a_cluster_has_its_own():
    """
    What a cluster says has precedence over what the stack says, label by label.
    """
    said = labelled("everything")[1]

    assert dict(said.labels_of("hub")) == OF_STACK
    assert dict(said.labels_of("eu1")) == {"environment": "prod", "site": "d", "building": "7"}


def test_may_name_the_cluster_a_second_time():
    """
    Under the name that somebody's queries have: the label `cluster` stays, with the same value.
    """
    cluster = {"context": "hub", "externalLabels": {"clusterName": "hub"}}
    said = fleet(hub=HUB, clusters={"hub": cluster})

    for _, job in jobs(said):
        found = labels(job["relabel_configs"])
        assert found["clusterName"] == found["cluster"] == "hub"


@pytest.mark.parametrize(("name", "kind"), [("pods", POD), ("services", SERVICE)])
def test_nobody_can_claim_another_value(name, kind):
    """
    A pod's own label of the name stays readable beside it.
    """
    [job] = [job for _, job in jobs(fleet(hub=HUB, externalLabels=OF_STACK)) if job["job_name"] == name][:1]

    found = labels(job["relabel_configs"], {**TARGET, f"{kind}_label_environment": "test"})
    assert (found["environment"], found["exported_environment"]) == ("prod", "test")


@pytest.mark.parametrize("site", ["a.b (c)", "axb (c)"])
def test_jobs_of_users_can_not_set_them(site):
    """
    With honor_labels too, and by relabelling; another value moves away, and one that is equal does not.
    """
    said = fleet(hub=HUB, externalLabels=OF_STACK, **OF_USERS)
    [job] = [job for _, job in jobs(said) if job["job_name"] == "theirs"][:1]

    found = labels(job["metric_relabel_configs"], {"__name__": "x", "job": "theirs", "cluster": "hub", "site": site})

    moved = {} if site == OF_STACK["site"] else {"exported_site": site}
    assert found == {"job": "theirs", "cluster": "hub", "exported_environment": "mine", **OF_STACK, **moved}


def test_monitors_get_them():
    """
    What the operator discovers has the labels when its targets are found.
    """
    said = fleet(hub=HUB, externalLabels=OF_STACK)
    [known] = render.operated_server(server(said), said).spec["scrapeClasses"]

    rules = [
        {"source_labels": one.get("sourceLabels", []), "target_label": one["targetLabel"], **one}
        for one in known["relabelings"]
    ]
    assert relabel({}, rules) == {"cluster": "hub", **OF_STACK}


def read_labels(expr: str) -> Iterator[str]:
    """Labels that a query selects, groups or joins by."""
    for node in nodes(promql_parser.parse(expr.replace("$threshold", "1"))):
        match node:
            case promql_parser.VectorSelector():
                yield from (matcher.name for matcher in node.matchers.matchers)
            case promql_parser.AggregateExpr() if node.modifier:
                yield from node.modifier.labels
            case promql_parser.BinaryExpr() if node.modifier:
                yield from node.modifier.matching.labels if node.modifier.matching else ()
                yield from getattr(node.modifier.card, "labels", None) or ()


def test_names_that_rules_and_dashboards_read_are_refused():
    """
    A target with such a label would lose the one that the metric has: no rule or dashboard reads one that is free.
    """
    asked = [rule.expr for group in GROUPS for rule in (*group.records, *group.alerts)]
    shown = [query for _, _, query in queries(DASHBOARDS, VALUES)]
    read = {label for expr in (*asked, *shown) for label in read_labels(expr)}

    assert len(read) > 50
    assert read - {*OF_SERIES, *RESERVED, "__name__"} == set()
