"""What PromQL says when it is read as a tree: which series it asks for, which labels its answer has."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import promql_parser

from alerts import GROUPS
from render.rules import APPLICATION, EXPECTED, OUTAGE, REPLICAS, SHARD, WATCHED
from render.scrape.allowlist import ESSENTIAL, metric_rules
from settings import Scrape
from settings.promql import nodes

from .unit.relabelling import relabel

BESIDE = {
    "prometheus": "prometheus_.+|process_.+",
    "alertmanager": "alertmanager_.+|process_.+",
    "blackbox": "probe_.+",
    "pushgateway": "pushgateway_.+",
}
"""Job -> what it alone brings, where no keep list says so."""
ANNOTATED = ("pods", "services")
"""Jobs that keep whatever other people's programs bring."""
OF_USERS = re.compile("(jvm|http_server|hikaricp|logback)_.+|process_(cpu_usage|uptime_seconds|files_(open|max)_files)")
"""Metrics that are asked of annotated targets."""
OF_TARGETS = re.compile("up|scrape_.+")
"""What Prometheus says of every target, whatever the target says."""
OF_PUSHES = re.compile("push_(failure_)?time_seconds")
"""What the Pushgateway says of a push, under the job of whoever pushed: any but those of annotated targets."""
RECORDS = {record.name: record.expr for group in GROUPS for record in group.records}
THE_HUBS = {APPLICATION, EXPECTED, OUTAGE, REPLICAS, SHARD, WATCHED, *RECORDS, "ALERTS"}
"""What the hub itself makes."""


@cache
def owners(metric: str) -> set[str]:
    """The jobs whose targets the metric is of."""
    series = {"__name__": metric, "pod": "cart-0"}
    kept = {job for job in ESSENTIAL if relabel(series, metric_rules(job, Scrape())) is not None}
    beside = {job for job, form in BESIDE.items() if re.fullmatch(form, metric)}
    return kept | beside | {job for job in ANNOTATED if OF_USERS.fullmatch(metric)}


def is_named(selector: Any) -> bool:
    """
    Whether it asks for what a job of its own brings, and for no other's series of that name.

    The hub's own series have no job, and every target has those that Prometheus says of it.
    """
    name = selector.name or ""
    if name in THE_HUBS or OF_TARGETS.fullmatch(name):
        return True
    said = [(str(m.op).rpartition(".")[2], m.value) for m in selector.matchers.matchers if m.name == "job"]
    if OF_PUSHES.fullmatch(name):
        return said == [("NotRe", "|".join(ANNOTATED))]
    everyone = {*ESSENTIAL, *BESIDE, *ANNOTATED}
    asked = [{job for job in everyone if re.fullmatch(form, job)} for op, form in said if op in ("Equal", "Re")]
    if not asked:
        return False
    jobs = set.intersection(*asked)
    return bool(jobs) and (not name or (bool(jobs & owners(name)) and not jobs & {*ANNOTATED} - owners(name)))


def fragile(node: Any) -> Iterator[Any]:
    """Joins that would fail while something is told twice: on a side that may have one series there would be two."""
    for found in nodes(node):
        matching = isinstance(found, promql_parser.BinaryExpr) and found.modifier and found.modifier.matching
        if matching and str(found.op) not in ("and", "or", "unless"):
            card = str(found.modifier.card).rpartition(".")[2]
            ones = {"ManyToOne": [found.rhs], "OneToMany": [found.lhs]}.get(card, [found.lhs, found.rhs])
            if not all(is_single(side, {*matching.labels}) for side in ones):
                yield found


def is_single(node: Any, by: set[str]) -> bool:
    """Whether an answer has one series for each value of these labels, however often each is told."""
    match node:
        case promql_parser.ParenExpr():
            return is_single(node.expr, by)
        case promql_parser.AggregateExpr() if str(node.op) != "topk" or str(node.param) == "1":
            return {*node.modifier.labels} <= by if node.modifier else True
        case promql_parser.BinaryExpr() if str(node.op) == "or":
            return is_single(node.lhs, by) and is_single(node.rhs, by)
        case promql_parser.BinaryExpr() if str(node.op) in ("and", "unless"):
            return is_single(node.lhs, by)
        case promql_parser.BinaryExpr():
            return is_single(node.lhs, by) or is_single(node.rhs, by)
        case promql_parser.VectorSelector() if node.name in RECORDS:
            return is_single(promql_parser.parse(RECORDS[node.name]), by)
    return False
