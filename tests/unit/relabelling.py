"""What Prometheus' relabelling does with one label set; RE2 and Python agree on the expressions in use."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

Labels = dict[str, str]
_GROUP = re.compile(r"\$(\d)")


def relabel(labels: Mapping[str, str], rules: Sequence[Mapping[str, Any]]) -> Labels | None:
    """The labels after all rules, without empty ones; None is dropped."""
    now = dict(labels)
    for rule in rules:
        value = ";".join(now.get(name, "") for name in rule.get("source_labels", []))
        form = re.compile(f"(?s:{rule.get('regex', '(.*)')})")
        match rule.get("action", "replace"):
            case "keep" if not form.fullmatch(value):
                return None
            case "drop" if form.fullmatch(value):
                return None
            case "replace" if found := form.fullmatch(value):
                now[_filled(found, rule["target_label"])] = _filled(found, rule.get("replacement", "$1"))
            case "hashmod":
                half = hashlib.md5(value.encode(), usedforsecurity=False).digest()[8:]
                now[rule["target_label"]] = str(int.from_bytes(half) % rule["modulus"])
            case "lowercase":
                now[rule["target_label"]] = value.lower()
            case "keepequal" if now.get(rule["target_label"], "") != value:
                return None
            case "labelmap":
                to = rule.get("replacement", "$1")
                now |= {_filled(found, to): text for name, text in now.items() if (found := form.fullmatch(name))}
            case "labeldrop":
                now = {name: text for name, text in now.items() if not form.fullmatch(name)}
    return {name: text for name, text in now.items() if text}


def _filled(found: re.Match[str], template: str) -> str:
    return "".join(found[int(part)] or "" if number % 2 else part for number, part in enumerate(_GROUP.split(template)))


def visible(labels: Labels | None) -> Labels | None:
    """The labels that a target's series get."""
    return None if labels is None else {name: text for name, text in labels.items() if not name.startswith("__")}
