"""Rules of relabelling that people write in Prometheus' own words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import regex
from .errors import Problem
from .kinds import COUNT, LIST, Kind, unknown_or_wrong

_TEXT = Kind(lambda value: isinstance(value, str | int | float), "is not a string", "Put it in quotes.")
_ACTIONS = (
    *("replace", "keep", "drop", "keepequal", "dropequal", "hashmod"),
    *("labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"),
)
_ACTION = Kind(
    lambda value: str(value).lower() in _ACTIONS,
    "is no action of relabelling",
    f"Write one of them: {', '.join(_ACTIONS[:-1])} or {_ACTIONS[-1]}.",
    is_shown=True,
)
_WITH_TARGET = ("replace", "keepequal", "dropequal", "hashmod", "lowercase", "uppercase")
_FIELDS: Mapping[str, Kind] = {
    "source_labels": LIST,
    **dict.fromkeys(("separator", "regex", "replacement", "target_label"), _TEXT),
    "modulus": COUNT,
    "action": _ACTION,
}
"""Field of a rule -> what it is (`Config` in model/relabel/relabel.go of Prometheus 3.15)."""
_OF_MONITORS = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
_REFUSED = {
    name: ("is a field of ServiceMonitors", f"Write {ours}, as Prometheus has it.")
    for name, ours in _OF_MONITORS.items()
}


def malformed(rules: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """What is wrong with rules of relabelling; paths start at their list."""
    for index, rule in enumerate(rules):
        for problem in _of_rule(rule):
            yield problem.under((index,))


def _of_rule(rule: Mapping[str, Any]) -> Iterator[Problem]:
    yield from unknown_or_wrong(rule, _FIELDS, _REFUSED, f"Known here: {', '.join(_FIELDS)}.")
    if (error := regex.mistake(str(rule.get("regex", "")))) is not None:
        yield Problem(("regex",), "is not a regular expression", f"Correct it: {error}.", rule["regex"])
    action = str(rule.get("action", "replace")).lower()
    if action in _WITH_TARGET and not rule.get("target_label") and "targetLabel" not in rule:
        yield Problem(("target_label",), f"is missing: {action} writes to it", "Add it: the name of a label.")
