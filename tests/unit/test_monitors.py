import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from typing import Any

import httpx
import pulumi
import pytest

from live.call import METADATA_ONLY
from live.monitors import Reader, matches, unread, unselected
from settings import Cluster
from stacks.deploy import deploy
from stacks.monitors import warnings
from stacks.ownership import OWNER

from .builders import HUB, fleet

NAMESPACES = {"shop": {"team": "shop"}, "cart": {}, "promfleet": {}}
LABELS = {"team": "shop", "tier": "web"}


def one(name: str, namespace: str = "shop", spec: Any = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, **metadata}, "spec": spec or {}}


class TestMatches:
    @pytest.mark.parametrize(
        ("selector", "expected"),
        [
            ({}, True),
            ({"matchLabels": {"team": "shop"}}, True),
            ({"matchLabels": {"team": "shop", "tier": "db"}}, False),
            ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web", "db"]}]}, True),
            ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["db"]}]}, False),
            ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, False),
            ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
            ({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
            ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
            ({"matchLabels": {"team": "shop"}, "matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
        ],
    )
    def test_as_kubernetes_does(self, selector: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
        """
        An empty selector chooses all; of several conditions each must hold.
        """
        assert matches(selector, LABELS) is expected


class TestUnselected:
    MONITORS = (one("a", labels=LABELS), one("b"), one("c", "cart", labels=LABELS))

    @pytest.mark.parametrize(
        ("spec", "left"),
        [
            ({"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}}, []),
            ({"serviceMonitorSelector": {}}, ["cart/c"]),
            ({"serviceMonitorNamespaceSelector": {}}, ["cart/c", "shop/a", "shop/b"]),
            (
                {
                    "serviceMonitorSelector": {"matchLabels": {"team": "shop"}},
                    "serviceMonitorNamespaceSelector": {"matchLabels": {"team": "shop"}},
                },
                ["cart/c", "shop/b"],
            ),
            ({"podMonitorSelector": {}, "podMonitorNamespaceSelector": {}}, ["cart/c", "shop/a", "shop/b"]),
        ],
        ids=["all", "own namespace", "no selector", "labels", "another kind"],
    )
    def test_are_those_that_the_operator_would_not_find(self, spec: dict[str, Any], left: list[str]) -> None:
        """
        Without a selector a Prometheus reads none, without one of namespaces those of its own.
        """
        assert unselected("serviceMonitor", self.MONITORS, [Reader("shop", spec)], NAMESPACES) == left

    @pytest.mark.parametrize(
        ("spec", "left"),
        [
            ({"alertmanagerConfigSelector": {}}, ["cart/c"]),
            ({"alertmanagerConfiguration": {"name": "a"}}, ["cart/c", "shop/b"]),
            ({"alertmanagerConfiguration": {"name": "c"}}, ["cart/c", "shop/a", "shop/b"]),
        ],
        ids=["selector", "whole", "whole of another namespace"],
    )
    def test_one_alertmanagerconfig_may_be_named(self, spec: dict[str, Any], left: list[str]) -> None:
        """
        An Alertmanager takes its global configuration from it, whatever its selectors are.
        """
        assert unselected("alertmanagerConfig", self.MONITORS, [Reader("shop", spec)], NAMESPACES) == left

    def test_are_read_by_any(self) -> None:
        """
        One Prometheus is enough.
        """
        readers = [Reader("shop", {"serviceMonitorSelector": {}}), Reader("cart", {"serviceMonitorSelector": {}})]

        assert unselected("serviceMonitor", self.MONITORS, readers, NAMESPACES) == []


class Api:
    """An API server with lists of objects; of most of them it was asked for metadata only."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = lists

    @asynccontextmanager
    async def call_api(
        self, _: str, *, version: str, url: str, headers: dict[str, str], **__: object
    ) -> AsyncGenerator[httpx.Response]:
        found = self.lists.get(url)
        if found is not None and headers == {"Accept": METADATA_ONLY}:
            found = [{"metadata": item["metadata"]} for item in found]
        request = httpx.Request("GET", f"https://api.example/{version}")
        yield httpx.Response(404 if found is None else 200, json={"items": found}, request=request)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch):
    def look(*planned: Reader, **lists: list[dict[str, Any]]) -> dict[str, list[str]]:
        async def api(**_: object) -> Api:
            return Api(
                namespaces=[{"metadata": {"name": name, "labels": known}} for name, known in NAMESPACES.items()],
                **lists,
            )

        monkeypatch.setattr("kr8s.asyncio.api", api)
        with closing(asyncio.new_event_loop()) as loop:  # asyncio.run would leave none for Pulumi
            return loop.run_until_complete(unread(Cluster(context="eu1"), planned, OWNER))

    return look


ALL = {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}}


class TestUnread:
    def test_a_cluster_without_definitions_has_nothing(self, look) -> None:
        """
        Most clusters have no operator, and nothing is said of them.
        """
        assert look() == {}

    def test_what_nobody_reads_is_named_by_its_kind(self, look) -> None:
        """
        Also where there is no Prometheus at all.
        """
        found = look(servicemonitors=[one("b"), one("a")], prometheusrules=[one("r")], podmonitors=[])

        assert found == {"serviceMonitor": ["shop/a", "shop/b"], "rule": ["shop/r"]}

    def test_what_somebody_elses_prometheus_reads_is_read(self, look) -> None:
        """
        That of a chart beside ours, or a ThanosRuler.
        """
        rules = {"ruleSelector": {}, "ruleNamespaceSelector": {}}
        found = look(
            servicemonitors=[one("a")],
            prometheusrules=[one("r")],
            prometheuses=[one("kps", "cart", ALL)],
            thanosrulers=[one("ruler", "cart", rules)],
        )

        assert found == {}

    def test_an_alertmanagerconfig_is_read_by_an_alertmanager_only(self, look) -> None:
        """
        A Prometheus that reads everything does not read these, and the Alertmanager of a stack is no custom resource.
        """
        everything = {"alertmanagerConfigSelector": {}, "alertmanagerConfigNamespaceSelector": {}}
        configs = {"alertmanagerconfigs": [one("a")], "prometheuses": [one("kps", "cart", ALL)]}

        assert look(Reader("promfleet", ALL), **configs) == {"alertmanagerConfig": ["shop/a"]}
        assert look(**configs, alertmanagers=[one("kps", "cart", everything)]) == {}

    def test_ours_counts_as_it_will_be(self, look) -> None:
        """
        A selector that is being narrowed reads no longer what it did.
        """
        before = one("prometheus-agent", "promfleet", ALL, annotations={OWNER: "o/p/s/eu1"})
        narrow = Reader("promfleet", {**ALL, "serviceMonitorSelector": {"matchLabels": {"team": "shop"}}})
        monitors = [one("a", labels=LABELS), one("b")]

        assert look(narrow, servicemonitors=monitors, prometheusagents=[before]) == {"serviceMonitor": ["shop/b"]}


class TestWarnings:
    @pytest.mark.parametrize(
        ("cluster", "kind", "instead"),
        [
            ("hub", "serviceMonitor", "Write clusters.hub.operator to have them read, or delete them."),
            ("eu1", "serviceMonitor", "clusters.eu1.operator.select leaves them out."),
            (
                "eu1",
                "rule",
                "An agent evaluates no rules; move them to the cluster of the hub, which has the series of all.",
            ),
        ],
    )
    def test_say_what_would_change_it(self, cluster: str, kind: str, instead: str) -> None:
        """
        With the names of the first, and how many there are.
        """
        clusters = {"hub": {"context": "hub"}, "eu1": {"context": "eu1", "operator": {"install": True}}}
        described = fleet(hub=HUB, agents={"eu1": {}}, clusters=clusters)
        [said] = warnings(described, cluster, {kind: [f"shop/{name}" for name in "abcde"]})

        plural = "PrometheusRules" if kind == "rule" else "ServiceMonitors"
        named = "shop/a, shop/b, shop/c and 2 more"
        assert said == f"{cluster}: no Prometheus reads 5 {plural} of this cluster: {named}. {instead}"

    @pytest.mark.parametrize(
        ("sections", "where"),
        [
            ({"hub": HUB, "agents": {"eu1": {}}}, ""),
            ({"agents": {"eu1": {"hub": {"stack": "o/p/hub"}}}}, ", in the stack of the hub"),
        ],
        ids=["hub", "agents alone"],
    )
    def test_of_alertmanagerconfigs(self, sections: dict[str, Any], where: str) -> None:
        """
        With an operator and without one: what they say is written in the stack file.
        """
        for operator in ({}, {"operator": {"install": True}}):
            clusters = {name: {"context": name, **operator} for name in ("eu1", *(sections.keys() & {"hub"}))}
            [said] = warnings(fleet(**sections, clusters=clusters), "eu1", {"alertmanagerConfig": ["shop/a"]})

            assert said == (
                "eu1: no Alertmanager reads 1 AlertmanagerConfigs of this cluster: shop/a. Write them as "
                f"alertmanager.receivers and alertmanager.routes{where}, with the namespaces of each route, or delete "
                "them."
            )

    def test_of_a_watched_cluster(self) -> None:
        """
        A watcher is outside, and reads none.
        """
        watched = fleet(clusters={"eu1": {"context": "eu1"}}, watcher={"storage": "50Gi", "clusters": {"eu1": {}}})
        [said] = warnings(watched, "eu1", {"probe": ["shop/a"]})

        assert said.endswith("A watcher reads none; write their targets into applications or scrape.jobs.")

    @pytest.mark.parametrize("fails", [False, True])
    def test_are_of_a_preview(self, engine, kubeconfig, monkeypatch, fails: bool) -> None:  # noqa: FBT001
        """
        Each cluster is asked; one that does not answer stops nothing.
        """

        async def found(cluster: Cluster, *_: object) -> dict[str, list[str]]:
            if fails:
                raise TimeoutError
            return {"serviceMonitor": [f"shop/{cluster.context}"]}

        said: list[str] = []
        monkeypatch.setattr("stacks.monitors.unread", found)
        monkeypatch.setattr(pulumi.log, "warn", said.append)
        described = fleet(hub=HUB, agents={"eu1": {}})
        engine.deploy(lambda: deploy(described))
        assert said == []

        monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
        engine.deploy(lambda: deploy(described))
        assert len(said) == (0 if fails else 2)
