"""What Prometheus' relabelling does with one label set; RE2 and Python agree on the expressions in use."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Labels = dict[str, str]


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
                template = re.sub(r"\$(\d)", r"\\g<\1>", rule.get("replacement", "$1"))
                now[rule["target_label"]] = found.expand(template)
            case "labelmap":
                now |= {found[1]: text for name, text in list(now.items()) if (found := form.fullmatch(name))}
            case "labeldrop":
                now = {name: text for name, text in now.items() if not form.fullmatch(name)}
    return {name: text for name, text in now.items() if text}


def visible(labels: Labels | None) -> Labels | None:
    """The labels that a target's series get."""
    return None if labels is None else {name: text for name, text in labels.items() if not name.startswith("__")}
