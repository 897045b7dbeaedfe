"""Labels that every series of a cluster gets beside `cluster`."""

from typing import Annotated

from pydantic import AfterValidator

from .reserved import NOT_FREE, OF_SERIES
from .section import Table
from .types import LabelName, LabelValue, refused

_INSTEAD = "Use another name, such as environment or site."


def _is_free(label: LabelName) -> LabelName:
    if NOT_FREE.fullmatch(label):
        raise refused("is a reserved label", _INSTEAD)
    if label in OF_SERIES:
        raise refused("is a label that series of this program's jobs have already", _INSTEAD)
    return label


def _is_literal(value: LabelValue) -> LabelValue:
    if "$" in value:
        raise refused("has a $, which relabelling would replace", "Remove it.")
    return value


ExternalLabels = Table[
    Annotated[LabelName, AfterValidator(_is_free)], Annotated[LabelValue, AfterValidator(_is_literal)]
]
"""Name -> value."""
