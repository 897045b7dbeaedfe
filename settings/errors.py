"""Errors in a stack file: the path, the value, the rule, and what to write instead."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum

Path = tuple[str | int, ...]

_SECRET_NAME = re.compile(r"token|key$|password|passwd|credential", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"-----BEGIN|://[^/]*@|\?")
_LONGEST = 80
_MOST_NAMES = 3


class _Nothing(Enum):
    """Marks a problem that has no value to show; None is a value of YAML."""

    NOTHING = "nothing"


NOTHING = _Nothing.NOTHING


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: the path, the value there, the rule, and what to write instead."""

    path: Path
    rule: str
    instead: str
    value: object = NOTHING

    def under(self, parent: Path) -> "Problem":
        """The same problem, with its path below a parent."""
        return replace(self, path=(*parent, *self.path))

    def __str__(self) -> str:
        broken = " ".join(filter(None, [shown(self.path, self.value), self.rule]))
        text = f"{spelt(self.path)}: {broken}. {self.instead}".rstrip()
        return text.encode(errors="backslashreplace").decode()  # half of a surrogate pair can't be printed


class RulesError(ValueError):
    """The broken rules of one section, as an error that passes through pydantic."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class FleetError(Exception):
    """All problems of one stack's `promfleet:fleet`."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(self.report())

    def report(self) -> str:
        """The problems as text, one a line."""
        count = len(self.problems)
        head = f"promfleet:fleet in {self.source} has {count} problem{'' if count == 1 else 's'}:"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def nearest(word: object, known: Iterable[str], otherwise: str, cutoff: float = 0.6) -> str:
    """
    Return the known word that is most like another one, as what to write instead; `otherwise` where none is like it.

    `cutoff` is how alike they are at least; 1 is the same.
    """
    near = get_close_matches(str(word), list(known), n=1, cutoff=cutoff)
    return f'Did you mean "{near[0]}"?' if near else otherwise


def some(names: Sequence[str]) -> str:
    """Name the first of many."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def spelt(path: Path) -> str:
    """A path as the file spells it: hub.agents[1]."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "promfleet:fleet"


def shown(path: Path, value: object) -> str:
    """A value as the file spells it, or nothing where it is a block or may be a secret."""
    if (
        value is NOTHING
        or value in (None, "")
        or (isinstance(value, Mapping | Sequence) and not isinstance(value, str))
    ):
        return ""
    text = value if isinstance(value, str) else ""
    if _SECRET_TEXT.search(text) or any(_SECRET_NAME.search(step) for step in path[-1:] if isinstance(step, str)):
        return "(not shown)"
    if len(text) > _LONGEST:
        value = f"{text[:_LONGEST]}…"
    return json.dumps(value, ensure_ascii=False, default=str)
