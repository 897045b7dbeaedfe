"""Templates of Go in alerts and notifications, as far as Prometheus and Alertmanager judge them when they load them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

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


class Language(NamedTuple):
    """What a program adds to text/template."""

    functions: frozenset[str]
    variables: frozenset[str]
    label: str
    """How a label is written."""


OF_RULES = Language(
    frozenset(
        {
            *("args", "externalURL", "first", "graphLink", "humanize", "humanize1024", "humanizeDuration"),
            *("humanizePercentage", "humanizeTimestamp", "label", "match", "now", "parseDuration", "pathPrefix"),
            *("query", "reReplaceAll", "safeHtml", "sortByLabel", "stripDomain", "stripPort", "strvalue"),
            *("tableLink", "title", "toDuration", "toLower", "toTime", "toUpper", "urlQueryEscape", "value"),
        }
    ),
    frozenset({"$", "$labels", "$value", "$externalLabels", "$externalURL"}),
    "$labels",
)
"""Labels and annotations of alerts: template/template.go of Prometheus 3.15."""
OF_NOTIFICATIONS = Language(
    frozenset(
        {
            *("date", "humanizeDuration", "join", "match", "reReplaceAll", "safeHtml", "safeUrl", "since"),
            *("stringSlice", "title", "toJson", "toLower", "toUpper", "trimSpace", "tz", "urlUnescape"),
        }
    ),
    frozenset({"$"}),
    ".CommonLabels",
)
"""Texts of integrations, and template files: template/template.go of Alertmanager 0.31."""


def mistakes(text: str, language: Language) -> Iterator[tuple[str, str]]:
    """What is wrong with a template, and what to write instead."""
    actions = _ACTION.findall(text)
    if "{{" in _ACTION.sub("", text):
        yield "begins a template with {{ that does not end", "Write }} after it, in the same text."
        return
    tokens = [_TOKEN.findall(_TEXT.sub(" ", action[2:-2])) for action in actions]
    declared = {one[index - 1] for one in tokens for index, token in enumerate(one) if token == ":="}
    declared |= {one[index - 3] for one in tokens for index, token in enumerate(one) if token == ":=" and index > 2}
    known = language.variables | declared
    for token in (token for one in tokens for token in one):
        if token.startswith("$") and token not in known:
            yield (
                f"names the variable {token}, which there is not",
                nearest(token, language.variables, f"Write {language.label}."),
            )
        elif re.fullmatch(r"[A-Za-z_]\w*", token) and token not in _WORDS | language.functions:
            otherwise = "Write one of the functions that there are, such as toUpper."
            yield f"calls {token}, which is no function", nearest(token, language.functions, otherwise)
        elif re.fullmatch(r"[^\s\w]", token) and token not in _PUNCTUATION | {"$", "."}:
            instead = f'Write {language.label}.pod, or index {language.label} "app-name".'
            yield f"has {token} in a template, where none may be", instead
    # What opens comes first, after the hyphen that trims; `else if` and `else with` open nothing.
    first = [next((token for token in one if token != "-"), "") for one in tokens]
    if sum(one in _OPENING for one in first) != first.count("end"):
        yield "has not as many {{ end }} as {{ if }}, {{ range }} and {{ with }}", "End each of them once."
