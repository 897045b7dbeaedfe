"""The queries of a Grafana dashboard, with something in the place of its variables."""

import json
import re
from collections.abc import Iterator
from typing import Any

_CHOICES = re.compile(r"label_values\(\s*(.+),\s*\w+\s*\)|query_result\(\s*(.+)\s*\)", re.DOTALL)
"""The queries that fill a variable."""
_VARIABLE = re.compile(r"\$\w+|\$\{[^}]*\}|\[\[\w+\]\]")
_RANGE = re.compile(rf"\[\s*(?:{_VARIABLE.pattern})\s*(?=[\]:])|(?<=:)\s*(?:{_VARIABLE.pattern})\s*(?=\])")


def board_queries(text: str) -> Iterator[str]:
    """Every query of the JSON of a dashboard, as PromQL; one in which a variable is a number may be none."""
    for written in _written(json.loads(text)):
        ranges = _RANGE.sub(lambda found: "[5m" if found[0].startswith("[") else "5m", written)
        yield _VARIABLE.sub("x", ranges)


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _written(one)
    elif isinstance(value, dict):
        if isinstance(expr := value.get("expr"), str):
            yield expr
        query = value.get("query")
        asked = query.get("query") if isinstance(query, dict) else query
        if value.get("type") == "query" and isinstance(asked, str) and (found := _CHOICES.fullmatch(asked.strip())):
            yield found[1] or found[2]
        for one in value.values():
            yield from _written(one)
