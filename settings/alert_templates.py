"""Templates of Go in labels and annotations of alerts, as far as Prometheus judges them when it loads a rule."""

import re
from collections.abc import Iterator

from .errors import nearest

_ACTION = re.compile(r'\{\{(?:/\*.*?\*/|(?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`}]|\}(?!\}))*)\}\}', re.DOTALL)
_TEXT = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])'|`[^`]*`|/\*.*?\*/""", re.DOTALL)
_TOKEN = re.compile(r"\$\w*|\.\w*|[A-Za-z_]\w*|-?\d[\w.]*|:=|[^\s\w]")
_PUNCTUATION = frozenset("()|=,-") | {":="}
_OPENING = ("if", "range", "with", "define", "block")
_WORDS = frozenset(
    {
        *_OPENING,
        *("else", "end", "template", "break", "continue", "true", "false", "nil"),
        *("and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print"),
        *("printf", "println", "slice", "urlquery"),
    }
)
"""Keywords and functions of text/template."""
_FUNCTIONS = frozenset(
    {
        *("args", "externalURL", "first", "graphLink", "humanize", "humanize1024", "humanizeDuration"),
        *("humanizePercentage", "humanizeTimestamp", "label", "match", "now", "parseDuration", "pathPrefix", "query"),
        *("reReplaceAll", "safeHtml", "sortByLabel", "stripDomain", "stripPort", "strvalue", "tableLink", "title"),
        *("toDuration", "toLower", "toTime", "toUpper", "urlQueryEscape", "value"),
    }
)
"""Of template/template.go of Prometheus 3.15."""
_VARIABLES = frozenset({"$", "$labels", "$value", "$externalLabels", "$externalURL"})


def mistakes(text: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a template, and what to write instead."""
    actions = _ACTION.findall(text)
    if "{{" in _ACTION.sub("", text):
        yield "begins a template with {{ that does not end", "Write }} after it, in the same text."
        return
    tokens = [_TOKEN.findall(_TEXT.sub(" ", action[2:-2])) for action in actions]
    declared = {one[index - 1] for one in tokens for index, token in enumerate(one) if token == ":="}
    declared |= {one[index - 3] for one in tokens for index, token in enumerate(one) if token == ":=" and index > 2}
    known = _VARIABLES | declared
    for token in (token for one in tokens for token in one):
        if token.startswith("$") and token not in known:
            yield f"names the variable {token}, which there is not", nearest(token, _VARIABLES, "Write $labels.")
        elif re.fullmatch(r"[A-Za-z_]\w*", token) and token not in _WORDS | _FUNCTIONS:
            otherwise = "Write one of Prometheus, such as humanize."
            yield f"calls {token}, which is no function", nearest(token, _FUNCTIONS, otherwise)
        elif re.fullmatch(r"[^\s\w]", token) and token not in _PUNCTUATION | {"$", "."}:
            yield f"has {token} in a template, where none may be", 'Write $labels.pod, or index $labels "app-name".'
    # What opens comes first, after the hyphen that trims; `else if` and `else with` open nothing.
    first = [next((token for token in one if token != "-"), "") for one in tokens]
    if sum(one in _OPENING for one in first) != first.count("end"):
        yield "has not as many {{ end }} as {{ if }}, {{ range }} and {{ with }}", "End each of them once."
