"""What fields of other programs' documents are, where those are written verbatim into a stack file."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import Path, Problem, nearest

_NEAR = 0.7
"""How alike a key and the one that is proposed are at least; 1 is the same."""
_DURATION = re.compile(r"(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field is, and the message about a value that is something else."""

    accepts: Callable[[object], bool]
    rule: str
    instead: str
    is_shown: bool = False
    """Whether the message repeats the value, which is no credential then."""

    def problem(self, path: Path, value: object) -> Problem:
        """The message about a value that is something else."""
        return Problem(path, "is empty" if value is None else self.rule, self.instead, value if self.is_shown else "")


TEXT = Kind(lambda value: isinstance(value, str) and bool(value), "is not a string", "Put it in quotes.")
BOOL = Kind(
    lambda value: isinstance(value, bool),
    "is neither true nor false",
    "Write true or false, without quotes.",
    is_shown=True,
)
COUNT = Kind(
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "is not a whole number",
    "Write digits only, without quotes, unit or decimal point.",
    is_shown=True,
)
NUMBER = Kind(
    lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "is not a number",
    "Write digits, with a decimal point if needed, without quotes or unit.",
)
LENGTH = Kind(
    lambda value: isinstance(value, str) and bool(_DURATION.fullmatch(value)),
    "is not a duration",
    "Write a number and its unit: 30s, 1m, 1m30s.",
    is_shown=True,
)
MAPPING = Kind(lambda value: isinstance(value, Mapping), "is not a mapping", "Write keys and values, or {}.")
LIST = Kind(lambda value: isinstance(value, list | tuple), "is not a list", "Write [a, b].")
RULES = Kind(
    lambda value: isinstance(value, list | tuple) and all(isinstance(rule, Mapping) for rule in value),
    "is not a list of mappings",
    "Begin each entry with a hyphen and a key.",
)


def unknown_or_wrong(
    written: Mapping[str, Any],
    fields: Mapping[str, Kind],
    forbidden: Mapping[str, tuple[str, str]],
    otherwise: str,
    unjudged: Collection[str] = (),
) -> Iterator[Problem]:
    """
    Fields that there are not, and those of another kind.

    `forbidden` has rule and remedy of fields that there must not be, `unjudged` fields that may be anything, and
    `otherwise` says what there is where no name is near.
    """
    known = (*fields, *unjudged)
    for key, value in written.items():
        if key in forbidden:
            yield Problem((key,), *forbidden[key])
        elif key not in known:
            yield Problem((key,), "unknown key", nearest(key, known, otherwise, _NEAR))
        elif key in fields and not fields[key].accepts(value):
            yield fields[key].problem((key,), value)


def halves(written: object) -> Iterator[Problem]:
    """Half of a surrogate pair in any of its texts, which no file can hold."""
    try:
        json.dumps(written, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        yield Problem((), "holds half of a character", "Remove the incomplete character.")
