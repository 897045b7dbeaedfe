"""What PromQL says when it is read as a tree: which series it asks for, which labels its answer has."""

import re
from collections.abc import Iterator
from typing import Any

import promql_parser

from alerts import GROUPS
from prometheus.keep import ESSENTIAL, metric_rules
from prometheus.rules import EXPECTED, OUTAGE
from settings import Scrape

from .unit.relabelling import relabel

WHOLE = re.compile(
    "prometheus_.+|promfleet_.+|up|scrape_.+|ALERTS|alertmanager_.+|probe_.+|push_.+|pushgateway_.+|process_start_time_seconds"
)
"""No keep list applies to these: what Prometheus says of itself and of scrapes, and what stands beside the hub."""
OF_USERS = re.compile("(jvm|http_server|hikaricp|logback)_.+|process_(cpu_usage|uptime_seconds|files_(open|max)_files)")
"""Of annotated pods, whose metrics are all kept."""
RECORDED = {EXPECTED, OUTAGE} | {record.name for group in GROUPS for record in group.records}
"""What the hub itself makes."""


def nodes(node: Any) -> Iterator[Any]:
    """An expression and every expression in it."""
    yield node
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    for part in [*parts, *(getattr(node, "args", None) or [])]:
        if part is not None:
            yield from nodes(part)


def selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every place where an expression reads series."""
    return (found for found in nodes(node) if isinstance(found, promql_parser.VectorSelector))


def is_kept(selector: Any) -> bool:
    """Whether some job brings the metric: the one that the selector names, or any."""
    if WHOLE.fullmatch(selector.name) or selector.name in RECORDED or OF_USERS.fullmatch(selector.name):
        return True
    named = {m.value for m in selector.matchers.matchers if m.name == "job" and str(m.op).endswith("Equal")}
    series = {"__name__": selector.name, "pod": "cart-0"}
    return any(relabel(series, metric_rules(job, Scrape())) is not None for job in named or ESSENTIAL)
