"""What PromQL says when it is read as a tree: which series it reads, and whether its answer keeps their cluster."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import promql_parser

from .reserved import CLUSTER

ABSENT = ("absent", "absent_over_time")
_SETS = ("and", "or", "unless")
_EXPECTED = "promfleet_cluster_expected"
"""What the evaluator of the rules records for every cluster."""
_LONGEST = 100
_EXPERIMENTS = frozenset(
    {
        *("double_exponential_smoothing", "end", "histogram_quantiles", "info", "limit_ratio", "limitk"),
        *("mad_over_time", "max_of", "min_of", "range", "sort_by_label", "sort_by_label_desc", "start"),
        *("start_timestamp", "step"),
        *(f"ts_of_{which}_over_time" for which in ("first", "last", "max", "min")),
    }
)
"""Of promql/parser/functions.go and lex.go of Prometheus 3.15."""


class Loss(NamedTuple):
    """Where an expression loses the label `cluster`: what is wrong with it, and what to write instead."""

    rule: str
    instead: str


def nodes(node: Any) -> Iterator[Any]:
    """An expression and every expression in it."""
    yield node
    parts = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for part in [*parts, *(getattr(node, "args", None) or [])]:
        if part is not None:
            yield from nodes(part)


def selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every place where an expression reads series."""
    return (found for found in nodes(node) if isinstance(found, promql_parser.VectorSelector))


def experiments(node: Any) -> Iterator[str]:
    """Every function, aggregation and modifier that Prometheus 3.15 refuses unless it is enabled, by name."""
    for part in nodes(node):
        match part:
            case promql_parser.Call() if part.func.name in _EXPERIMENTS:
                yield part.func.name
            case promql_parser.AggregateExpr() if str(part.op) in _EXPERIMENTS:
                yield str(part.op)
            case promql_parser.BinaryExpr() if part.modifier and {
                part.modifier.fill_values.lhs,
                part.modifier.fill_values.rhs,
            } != {None}:
                yield "fill"


def losses(node: Any, without: Collection[str] = ()) -> Iterator[Loss]:
    """
    Every aggregation, join and function of an expression that mixes clusters, or else that its answer has none.

    All series have the label `cluster` but those of the metrics `without`.
    """
    found = [loss for part in nodes(node) if (loss := _loss(part, without))]
    yield from found
    if not found and not has_cluster(node, without):
        rule = f"has an answer without the label {CLUSTER}"
        yield Loss(rule, f"In place of a number write `max by ({CLUSTER}) (0 * {_EXPECTED})`.")


def has_cluster(node: Any, without: Collection[str] = ()) -> bool:
    """Whether every series of an expression's answer has the label `cluster`, if none of its parts loses it."""
    match node:
        case promql_parser.VectorSelector():
            return node.name not in without
        case promql_parser.MatrixSelector():
            return has_cluster(node.vector_selector, without)
        case promql_parser.Call():
            return _is_set(node) or any(has_cluster(argument, without) for argument in node.args)
        case promql_parser.BinaryExpr():
            return _joined(node, without)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return False
    return has_cluster(node.expr, without)


def _joined(node: Any, without: Collection[str]) -> bool:
    """The same of the answer of an operator."""
    left, right = has_cluster(node.lhs, without), has_cluster(node.rhs, without)
    if str(node.op) in _SETS:
        return left and (right or str(node.op) != "or")
    if _is_number(node.lhs) or _is_number(node.rhs):
        return left or right
    modifier = node.modifier
    copied = CLUSTER in (getattr(modifier, "group_labels", None) or ())
    match str(modifier.card).rpartition(".")[2] if modifier else "":
        case "ManyToOne":
            return left or (copied and right)
        case "OneToMany":
            return right or (copied and left)
    return left and not (modifier and modifier.matching and not _matches(modifier.matching))


def _loss(node: Any, without: Collection[str]) -> Loss | None:
    """How one part of an expression mixes the clusters of what is in it."""
    match node:
        case promql_parser.AggregateExpr() if has_cluster(node.expr, without) and not _keeps(node.modifier):
            return Loss(f"aggregates over clusters in `{_shown(node)}`", _grouping(node))
        case promql_parser.BinaryExpr() if node.modifier and node.modifier.matching:
            matching = node.modifier.matching
            if not _matches(matching) and has_cluster(node.lhs, without) and has_cluster(node.rhs, without):
                word, labels = _word(matching), [*matching.labels]
                better = [CLUSTER, *labels] if word == "on" else [label for label in labels if label != CLUSTER]
                rule = f"matches series of different clusters in `{_shown(node)}`"
                return Loss(rule, f"Write `{word} ({', '.join(better)})`.")
        case promql_parser.Call() if node.func.name in ABSENT and not _is_pinned(node.args[0]):
            if has_cluster(node.args[0], without):
                rule = f"asks in `{_shown(node)}` whether all clusters together have no series"
                return Loss(rule, f"Write `{_EXPECTED} unless on ({CLUSTER}) …`, which answers for each.")
        case promql_parser.Call() if node.func.name == "scalar" and has_cluster(node.args[0], without):
            rule = f"takes one number for all clusters in `{_shown(node)}`"
            return Loss(rule, f"Join with `on ({CLUSTER}) group_left ()` instead.")
        case promql_parser.Call() if _is_set(node) and has_cluster(node.args[0], without):
            return Loss(f"overwrites the label {CLUSTER} in `{_shown(node)}`", "Use another label.")
    return None


def _keeps(modifier: promql_parser.AggModifier | None) -> bool:
    if modifier is None:
        return False
    return (CLUSTER in modifier.labels) != ("Without" in str(modifier.type))


def _matches(matching: Any) -> bool:
    """Whether series of one cluster are matched only with those of the same."""
    return (CLUSTER in matching.labels) == (_word(matching) == "on")


def _word(matching: Any) -> str:
    return "on" if str(matching.type).endswith("Include") else "ignoring"


def _grouping(node: Any) -> str:
    if node.modifier and "Without" in str(node.modifier.type):
        return f"Remove {CLUSTER} from `without`."
    labels = node.modifier.labels if node.modifier else ()
    return f"Write `{node.op} by ({', '.join((CLUSTER, *labels))})`."


def _is_set(call: Any) -> bool:
    """Whether a function sets the label."""
    return call.func.name in ("label_replace", "label_join") and getattr(call.args[1], "val", None) == CLUSTER


def _is_pinned(node: Any) -> bool:
    """Whether the absence of a selector is told with the label, because it asks for one cluster."""
    found = next(iter(selectors(node)), None)
    asked = found.matchers.matchers if found else ()
    return isinstance(node, promql_parser.VectorSelector | promql_parser.MatrixSelector) and any(
        matcher.name == CLUSTER and str(matcher.op).endswith(".Equal") for matcher in asked
    )


def _is_number(node: Any) -> bool:
    """Whether an expression is a scalar."""
    match node:
        case promql_parser.NumberLiteral():
            return True
        case promql_parser.Call():
            return str(node.func.return_type).endswith("Scalar")
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            return _is_number(node.expr)
        case promql_parser.BinaryExpr():
            return _is_number(node.lhs) and _is_number(node.rhs)
    return False


def _shown(node: Any) -> str:
    text = str(node).replace("{}", "")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
