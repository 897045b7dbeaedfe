"""What the rules and dashboards of a fleet ask for, and whether its hub has an answer."""

from collections.abc import Iterable, Mapping

import promql_parser
import yaml

from dashboards import Dashboard, queries
from fleet.client import PrometheusClient
from render import rules
from settings import Fleet
from settings.promql import selectors

MACHINE = "Node(Filesystem.+|CPUHighUsage|DiskIOSaturation|MemoryMajorPagesFaults|SystemSaturation)"
"""Alerts, as a regular expression, that tell how full and how busy the machine is: that is not the fleet's doing."""
_ACTIVE = f'ALERTS{{alertname!~"{MACHINE}"}} unless ALERTS{{alertname="KubeContainerWaiting", alertstate="pending"}}'
"""
Ten minutes after pods were started their waiting is still in sight, twenty before anybody would be told.
"""


def groups(fleet: Fleet) -> dict[str, list[str]]:
    """Every group of rules that is deployed for a fleet -> its expressions."""
    files = [yaml.safe_load(text) for text in rules(fleet).values()]
    return {group["name"]: [rule["expr"] for rule in group["rules"]] for file in files for group in file["groups"]}


def metrics(fleet: Fleet) -> set[str]:
    """Every metric that one of these rules reads."""
    texts = [text for texts in groups(fleet).values() for text in texts]
    return {one.name for text in texts for one in selectors(promql_parser.parse(text)) if one.name}


def present(hub: PrometheusClient, metrics: Iterable[str]) -> set[str]:
    """Keep the metrics that have a sample now; to ask for every series would keep Query busy for a minute."""
    names = "|".join(sorted(metrics))
    return {sample.labels["__name__"] for sample in hub.query(f'count by (__name__) ({{__name__=~"{names}"}})')}


def unhealthy(hub: PrometheusClient) -> dict[str, str]:
    """Rules that could not be evaluated, and why."""
    return {
        rule["name"]: rule.get("lastError", "not evaluated yet")
        for group in hub.get("/api/v1/rules").json()["data"]["groups"]
        for rule in group["rules"]
        if rule["health"] != "ok"
    }


def active_alerts(hub: PrometheusClient) -> set[str]:
    """Alerts that fire or are about to, as `NAME in CLUSTER`."""
    return {f"{s.labels['alertname']} in {s.labels['cluster']}" for s in hub.query(_ACTIVE)}


class Panels:
    """The queries of dashboards, asked until each has had an answer once."""

    def __init__(self, boards: tuple[Dashboard, ...], choices: Iterable[Mapping[str, str]]) -> None:
        assert boards
        asked = zip(*(queries(boards, dict(values)) for values in choices), strict=True)
        self._unanswered = [
            ((board.uid, panel.title), [query, *(other[2] for other in others)])
            for (board, panel, query), *others in asked
        ]

    def silent(self, hub: PrometheusClient) -> dict[tuple[str, str], str]:
        """Dashboard and panel of each query that has no answer whatever is chosen -> the query for the first choice."""
        self._unanswered = [(where, texts) for where, texts in self._unanswered if not any(map(hub.query, texts))]
        return {where: texts[0] for where, texts in self._unanswered}
