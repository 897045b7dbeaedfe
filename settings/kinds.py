"""What fields of other programs' documents are, where those are written verbatim into a stack file."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_DURATION = re.compile(r"(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a field is, and the message about a value that is something else."""

    accepts: Callable[[object], bool]
    rule: str
    instead: str


TEXT = Kind(lambda value: isinstance(value, str) and bool(value), "is not a string", "Put it in quotes.")
BOOL = Kind(lambda value: isinstance(value, bool), "is neither true nor false", "Write true or false, without quotes.")
COUNT = Kind(
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "is not a whole number",
    "Write digits only, without quotes, unit or decimal point.",
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
)
MAPPING = Kind(lambda value: isinstance(value, Mapping), "is not a mapping", "Write keys and values, or {}.")
LIST = Kind(lambda value: isinstance(value, list | tuple), "is not a list", "Write [a, b].")
RULES = Kind(
    lambda value: isinstance(value, list | tuple) and all(isinstance(rule, Mapping) for rule in value),
    "is not a list of mappings",
    "Begin each entry with a hyphen and a key.",
)
