"""Matchers of alerts in Alertmanager's own syntax."""

import re
from collections.abc import Iterator, Sequence

from . import regex
from .errors import Problem

_NAME = r"(?:[a-zA-Z_][a-zA-Z0-9_]*)"
_UNREADABLE = r"\x00-\x1f\x7f\ud800-\udfff"
_QUOTED = rf'"(?:[^"\\{_UNREADABLE}]|\\[^{_UNREADABLE}])*"'
_BARE = rf"""[^\s{{}},"'`\\=!~{_UNREADABLE}]+"""
_MATCHER = re.compile(
    rf"\s*(?P<label>{_NAME}|{_QUOTED})\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>{_QUOTED}|{_BARE})\s*", re.DOTALL
)
_OPERATOR = re.compile(r"(=~|!~|!=|=)")
EXAMPLE = 'Write label=value, label!=value, label=~"regex" or label!~"regex": \'alertname=~"Kube.*"\'.'


def matchers(text: str) -> tuple[str, ...] | None:
    """
    Each matcher of a text in one spelling, where several are separated by commas; None for what is none.

    Values without quotes are those that both of Alertmanager's parsers take.
    """
    inside = text.strip()
    if inside.startswith("{") and inside.endswith("}"):
        inside = inside[1:-1]
    found, place = [], 0
    while place < len(inside):
        match = _MATCHER.match(inside, place)
        if match is None:
            return None
        value = match["value"]
        quoted = value if value.startswith('"') else f'"{value}"'
        found.append(f"{match['label'].strip(chr(34))}{match['operator']}{quoted}")
        place = match.end()
        if place < len(inside):
            if inside[place] != ",":
                return None
            place += 1
    return tuple(found) or None


def label_of(matcher: str) -> str:
    """The label of one matcher."""
    return _OPERATOR.split(matcher, maxsplit=1)[0]


def named_alerts(text: str) -> Iterator[str]:
    """The alerts that a text names one by one: `alertname="A"`, or `alertname=~"A|B"`."""
    for one in matchers(text) or ():
        if match := re.fullmatch(r'alertname(?:="(\w+)"|=~"(\w+(?:\|\w+)*)")', one):
            yield from (match[1] or match[2]).split("|")


def malformed(texts: Sequence[str]) -> Iterator[Problem]:
    """Every text of a list that is no matcher; paths start at the list."""
    for index, text in enumerate(texts):
        if matchers(text) is None:
            yield Problem((index,), "is not a matcher of alerts", EXAMPLE, text)
            continue
        for one in matchers(text) or ():
            yield from _unreadable(index, one)


def _unreadable(index: int, matcher: str) -> Iterator[Problem]:
    _, operator, value = _OPERATOR.split(matcher, maxsplit=1)
    if "~" not in operator:
        return
    if (error := regex.mistake(value[1:-1].replace("\\\\", "\\"))) is not None:
        yield Problem((index,), "has no regular expression", f"Correct it: {error}.", matcher)
