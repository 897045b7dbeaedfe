"""What may be wrong with a rule group of Prometheus, and what it loses where one server has many clusters."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, get_args

import promql_parser

from alerts import GROUPS, MAINTENANCE, WATCHDOG, Severity

from .errors import Path, Problem, nearest
from .go_templates import OF_RULES, mistakes
from .kinds import LENGTH
from .promql import experiments, losses, nodes
from .reserved import CLUSTER, OF_BLOCKS

_GROUP = ("name", "interval", "limit", "query_offset", "labels", "partial_response_strategy", "rules")
_RULE = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
"""Fields of groups and rules of Prometheus 3.15 (model/rulefmt), and what Thanos adds."""
_OF_ALERTS = ("for", "keep_firing_for", "annotations")
_SEVERITIES: tuple[str, ...] = get_args(Severity)
_OUR_GROUPS = frozenset(group.name for group in GROUPS) | {"inventory"}
OUR_ALERTS = frozenset(alert.name for group in GROUPS for alert in group.alerts) | {MAINTENANCE, WATCHDOG}
OUR_RECORDS = frozenset(record.name for group in GROUPS for record in group.records)
_OF_PROMETHEUS = re.compile("ALERTS|ALERTS_FOR_STATE|promfleet_.*|scrape_.*|up")
"""Metrics that Prometheus or this program itself makes."""
_METRIC = re.compile("[a-zA-Z_:][a-zA-Z0-9_:]*")
_OWN_CLUSTER = re.compile(r"\{\{-?\s*\$labels\.cluster\s*-?\}\}")


Group = Mapping[str, Any]
"""A group as Prometheus takes it, with the labels that are the group's in each of its rules."""


def named(items: Sequence[Any], place: str) -> list[tuple[Path, Any]]:
    """Each group or rule with the steps that lead to it: its name, and its index where another one has the name too."""
    names = [_name(one) for one in items]
    count = Counter(names)
    steps = (
        (place, index) if name is None else (name,) if count[name] == 1 else (name, index)
        for index, name in enumerate(names)
    )
    return [*zip(steps, items, strict=True)]


def rules_of(groups: Sequence[Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every rule of groups, with its path below them; what is malformed is left out."""
    for step, group in named(groups, "groups"):
        rules = group.get("rules") if isinstance(group, Mapping) else None
        for inner, rule in named(rules if isinstance(rules, list) else [], "rules"):
            if isinstance(rule, Mapping):
                yield (*step, *inner), rule


def name_of(rule: Mapping[str, Any]) -> str:
    """The name of an alert, or of the metric that a rule records."""
    return str(rule.get("alert") or rule.get("record") or "")


def loses_cluster(rule: Mapping[str, Any], without: Collection[str]) -> bool:
    """Whether the answer of a rule mixes clusters; all series have the label but those of the metrics `without`."""
    try:
        return any(losses(promql_parser.parse(str(rule.get("expr"))), without))
    except (ValueError, RecursionError):
        return True  # which is said of the rule itself


def parsed_group(written: object, seen: set[str], across: Collection[str]) -> tuple[Group | None, list[Problem]]:
    """
    The group that somebody wrote, and what is wrong with it; its name is added to those that were seen.

    `across` are the names of rules that may mix clusters.
    """
    problems = [*_of_group(written, seen)]
    group: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
    if any(problem.path in ((), ("labels",), ("limit",), ("rules",)) for problem in problems):
        return None, problems
    fields: dict[str, Any] = {
        key: _text(group[key]) for key in _GROUP if key not in ("labels", "rules") and group.get(key) not in (None, "")
    }
    if "limit" in fields:
        fields["limit"] = int(fields["limit"])
    rules = []
    for step, rule in named(group.get("rules") or [], "rules"):
        if not (wrong := [*_of_rule(rule)]):
            rules.append(made := _made(rule, group.get("labels") or {}))
            wrong = [*_of_expr(made["expr"]), *_of_labels(made, is_across=name_of(made) in across)]
        problems += [problem.under(step) for problem in wrong]
    return {**fields, "rules": rules}, problems


def _name(item: object) -> str | None:
    names = [item.get(key) for key in ("name", "alert", "record")] if isinstance(item, Mapping) else []
    return next((name for name in names if name and isinstance(name, str)), None)


def _made(rule: Mapping[str, Any], labels: Mapping[str, Any]) -> dict[str, Any]:
    """The rule as it is evaluated, with labels of its group that it does not have itself."""
    made: dict[str, Any] = {
        key: _text(rule[key]) for key in _RULE if key not in ("labels", "annotations") and rule.get(key) is not None
    }
    texts = {"labels": {**labels, **(rule.get("labels") or {})}, "annotations": rule.get("annotations") or {}}
    for key, found in texts.items():
        if found:
            made[key] = {str(name): _text(value) for name, value in found.items()}
    return made


def _of_group(group: object, seen: set[str]) -> Iterator[Problem]:
    """What is wrong with the fields of a group; its name is added to those that were seen."""
    if not isinstance(group, Mapping):
        yield Problem((), "is not a mapping", "Write a group with name and rules.")
        return
    yield from _unknown(group, _GROUP)
    name = group.get("name")
    if not isinstance(name, str) or not name:
        yield Problem(("name",), "is missing", "Add it.")
    elif name in _OUR_GROUPS or name.startswith("overrides-"):
        yield Problem(("name",), "is the name of a group of promfleet", "Use another name.", name)
    elif name in seen:
        yield Problem(("name",), "is the name of another group of this document", "Use another name.", name)
    seen.add(str(name))
    for key in ("interval", "query_offset"):
        yield from _duration(group, key)
    if not re.fullmatch(r"\d+", _text(group.get("limit")) or "0"):
        yield Problem(("limit",), "is not a whole number", "Write digits only.", group["limit"])
    strategy = group.get("partial_response_strategy")
    if strategy not in (None, "abort", "warn"):
        yield Problem(("partial_response_strategy",), "is none of the choices", "Write abort or warn.", strategy)
    yield from _texts(group, "labels")
    if not isinstance(group.get("rules") or [], list):
        yield Problem(("rules",), "is not a list", "Begin each rule with a hyphen: - alert: ShopDown.")


def _of_rule(rule: object) -> Iterator[Problem]:
    """What is wrong with the fields of a rule."""
    if not isinstance(rule, Mapping):
        yield Problem((), "is not a mapping", "Write a rule with alert or record, and expr.")
        return
    yield from _unknown(rule, _RULE)
    if bool(rule.get("alert")) == bool(rule.get("record")):
        rule_broken = "has both alert and record" if rule.get("alert") else "has neither alert nor record"
        yield Problem((), rule_broken, "Write one of the two: the name of an alert, or of the metric to record.")
        return
    if not rule.get("expr") and rule.get("expr") != 0:
        yield Problem(("expr",), "is missing", "Add it: a query in PromQL.")
    elif isinstance(rule["expr"], Mapping | list):
        yield Problem(("expr",), "is not a string", "Write it after `expr: |`, in the next lines.")
    if alert := rule.get("alert"):
        yield from _of_alert(alert)
        for key in ("for", "keep_firing_for"):
            yield from _duration(rule, key)
    else:
        yield from _of_record(rule["record"])
        for key in _OF_ALERTS:
            if rule.get(key):
                yield Problem((key,), "is a field of alerts, and this rule records", "Remove it.")
    yield from _texts(rule, "labels")
    yield from _texts(rule, "annotations")
    yield from _of_templates(rule)


def _of_alert(name: object) -> Iterator[Problem]:
    if not isinstance(name, str):
        yield Problem(("alert",), "is not a string", "Write a name: ShopDown.")
    elif name in OUR_ALERTS:
        instead = "Remove the rule, or use another name; alerts.rules tunes promfleet's."
        yield Problem(("alert",), "is the name of an alert of promfleet", instead, name)


def _of_templates(rule: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the templates of an alert, which Prometheus parses when it loads the rule."""
    for key in ("labels", "annotations") if rule.get("alert") else ():
        found = rule.get(key)
        for name, text in found.items() if isinstance(found, Mapping) else ():
            if isinstance(text, str):
                yield from (Problem((key, name), wrong, instead) for wrong, instead in mistakes(text, OF_RULES))


def _of_record(name: object) -> Iterator[Problem]:
    if not isinstance(name, str) or not _METRIC.fullmatch(name):
        instead = "Write letters, digits, underscores and colons: job:requests:rate5m."
        yield Problem(("record",), "is no name of a metric", instead, name)
    elif name in OUR_RECORDS:
        yield Problem(("record",), "is recorded by promfleet", "Remove the rule, or use another name.", name)
    elif _OF_PROMETHEUS.fullmatch(name):
        yield Problem(("record",), "is made by Prometheus or promfleet itself", "Use another name.", name)


def _of_expr(expr: str) -> Iterator[Problem]:
    """What is wrong with a query by itself."""
    try:
        tree = promql_parser.parse(expr)
        for _ in nodes(tree):  # as whoever asks what it reads will do
            pass
    except ValueError as error:
        yield Problem(("expr",), f"is not PromQL: {' '.join(str(error).split())}", "Correct it.")
        return
    except RecursionError:
        yield Problem(("expr",), "is nested too deeply", "Split it into several rules.")
        return
    for name in dict.fromkeys(experiments(tree)):
        rule = f"uses {name}, an experiment of Prometheus that is off: Prometheus would load no rule, and not start"
        yield Problem(("expr",), rule, "Write it with other functions.")
    if isinstance(tree, promql_parser.MatrixSelector | promql_parser.SubqueryExpr | promql_parser.StringLiteral):
        instead = "Write a function around it: last_over_time(…), rate(…)."
        yield Problem(("expr",), "has no single number for each series", instead)


def _of_labels(rule: Mapping[str, Any], *, is_across: bool) -> Iterator[Problem]:
    """What is wrong with the labels that a rule adds; alerts are routed by them."""
    labels = rule.get("labels", {})
    for name, value in labels.items():
        if name in OF_BLOCKS:
            yield Problem(("labels", name), "is a label of Thanos, which overwrites it", "Use another name.")
        elif name == CLUSTER and not is_across and not _OWN_CLUSTER.fullmatch(value):
            instead = "Remove it: each series has its own; `clusters` beside `files` chooses some."
            yield Problem(("labels", name), "would be that of all clusters", instead, value)
    if "alert" not in rule:
        return
    severity = labels.get("severity")
    if not severity:
        instead = f"Add it: {', '.join(_SEVERITIES[:-1])} or {_SEVERITIES[-1]}. Routes choose by it."
        yield Problem(("labels", "severity"), "is missing", instead)
    elif severity not in _SEVERITIES and (instead := nearest(severity.lower(), _SEVERITIES, "", cutoff=0.8)):
        yield Problem(("labels", "severity"), "is none that routes choose by", instead, severity)


def _unknown(written: Mapping[str, Any], known: Sequence[str]) -> Iterator[Problem]:
    for key in written:
        if key not in known:
            yield Problem((key,), "unknown key", nearest(key, known, f"Known here: {', '.join(known)}."))


def _duration(written: Mapping[str, Any], key: str) -> Iterator[Problem]:
    value = written.get(key)
    if value is not None and _text(value) != "0" and not LENGTH.accepts(value):
        yield Problem((key,), LENGTH.rule, LENGTH.instead, value)


def _texts(written: Mapping[str, Any], key: str) -> Iterator[Problem]:
    """What is wrong with labels or annotations, which are strings by name."""
    found = written.get(key)
    if found is None:
        return
    if not isinstance(found, Mapping):
        yield Problem((key,), "is not a mapping", "Write names and values.")
        return
    for name, value in found.items():
        if isinstance(value, Mapping | list):
            yield Problem((key, name), "is not a string", "Put it in quotes.")


def _text(value: object) -> str:
    """A scalar as it is written."""
    return "" if value is None else str(value)
