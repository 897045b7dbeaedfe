"""The queries of a Grafana dashboard, with something in the place of its variables."""

import json
import re
from collections.abc import Iterator
from typing import Any

from settings.dashboard_file import DATASOURCE

_OF_PARTS = ("-- Mixed --", "-- Dashboard --")
"""Uids that leave it to the parts which datasource they ask."""
_CHOICES = re.compile(r"label_values\(\s*(.+),\s*\w+\s*\)|query_result\(\s*(.+)\s*\)", re.DOTALL)
"""The queries that fill a variable."""
_VARIABLE = re.compile(r"\$\w+|\$\{[^}]*\}|\[\[\w+\]\]")
_RANGE = re.compile(rf"\[\s*(?:{_VARIABLE.pattern})\s*(?=[\]:])|(?<=:)\s*(?:{_VARIABLE.pattern})\s*(?=\])")


def board_queries(text: str) -> Iterator[str]:
    """
    Every query of this program's datasource in the JSON of a dashboard, as PromQL.

    One in which a variable is a number may be none.
    """
    for written in _written(json.loads(text), is_ours=True):
        ranges = _RANGE.sub(lambda found: "[5m" if found[0].startswith("[") else "5m", written)
        yield _VARIABLE.sub("x", ranges)


def _written(value: Any, *, is_ours: bool) -> Iterator[str]:
    """The queries of a part, which asks the datasource of what it is part of unless it has one."""
    if isinstance(value, list):
        for one in value:
            yield from _written(one, is_ours=is_ours)
    elif isinstance(value, dict):
        source = value.get("datasource")
        if isinstance(source, dict):
            is_ours = source.get("uid") in (DATASOURCE, *_OF_PARTS)
        if is_ours and isinstance(expr := value.get("expr"), str):
            yield expr
        query = value.get("query")
        asked = query.get("query") if isinstance(query, dict) else query
        is_filled = is_ours and value.get("type") == "query" and isinstance(asked, str)
        if is_filled and (found := _CHOICES.fullmatch(asked.strip())):
            yield found[1] or found[2]
        for one in value.values():
            yield from _written(one, is_ours=is_ours)
