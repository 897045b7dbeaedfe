"""What pydantic found, in the words of whoever writes stack files."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .errors import Path, Problem, RulesError
from .section import NAMES, TABLE, Section

_NUMBER = "Write digits without quotes, unit and point."
_SAYINGS: dict[str, tuple[str, str]] = {
    "bool_type": ("is neither true nor false", "Write true or false, without quotes."),
    "greater_than_equal": ("is less than {ge}", "Write {ge} or more."),
    "float_type": ("is not a number", "Write digits, with a point if needed, without quotes and unit."),
    "int_from_float": ("is not a whole number", _NUMBER),
    "int_type": ("is not a whole number", _NUMBER),
    "less_than_equal": ("is more than {le}", "Write {le} or less."),
    "literal_error": ("is none of the choices", "Write one of them: {expected}."),
    "dict_type": ("is not a mapping", "Write keys and values, or {{}}."),
    "mapping_type": ("is not a mapping", "Write keys and values, or {{}}."),
    "model_type": ("is not a mapping", "Write keys and values, or {{}} for the defaults."),
    "sequence_str": ("is not a list", "Write [a, b]."),
    "sequence_type": ("is not a list", "Write [a, b]."),
    "string_type": ("is not a text", "Put it in quotes."),
    "too_short": ("is empty", "Name at least one."),
}


def explain(error: ValidationError, root: type[Section]) -> Iterator[Problem]:
    """Every problem that a validation found, in the order of the fields."""
    for detail in error.errors(include_url=False):
        yield from _explain(detail, root)


def _explain(detail: ErrorDetails, root: type[Section]) -> Iterator[Problem]:
    path = tuple(step for step in detail["loc"] if step not in (NAMES, TABLE))
    value, context = detail["input"], detail.get("ctx", {})
    kind = detail["type"]
    if path and path[-1] == "[key]":
        path = path[:-1]
    if isinstance(broken := context.get("error"), RulesError):
        yield from (problem.under(path) for problem in broken.problems)
    elif kind == "extra_forbidden":
        yield Problem(
            path, *_section_at(path[:-1], root).moved.get(str(path[-1]), ("unknown key", _nearest_key(path, root)))
        )
    elif kind == "missing":
        about = _field(_section_at(path[:-1], root), path[-1]).description
        yield Problem(path, "is missing", f"Add it: {' '.join(about.split())}" if about else "Add it.")
    elif kind == "refused":
        yield Problem(path, context["rule"], context["instead"], value)
    elif kind in _SAYINGS:
        rule, instead = _SAYINGS[kind]
        rule = "is empty" if value is None else rule.format(**context)
        yield Problem(path, rule, instead.format(**context).replace("'", ""), value)
    else:
        yield Problem(path, f"is wrong: {detail['msg']}", "", value)


def _nearest_key(path: Path, root: type[Section]) -> str:
    section = _section_at(path[:-1], root)
    known = [field.alias or name for name, field in section.model_fields.items()]
    near = get_close_matches(str(path[-1]), known, n=1)
    return f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(known)}."


def _section_at(path: Path, root: type[Section]) -> type[Section]:
    """The section that a path leads to; keys of tables and places in lists are steps without a section of their own."""
    kind: Any = root
    for step in path:
        is_table = get_origin(kind) in (Mapping, Sequence)
        kind = _bare(get_args(kind)[-1] if is_table else _field(kind, step).annotation)
    return kind


def _field(section: type[Section], key: str | int) -> FieldInfo:
    return next(field for name, field in section.model_fields.items() if key in (field.alias, name))


def _bare(annotation: Any) -> Any:
    """A type without what is said about it, and without None."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return _bare(get_args(annotation)[0])
    return annotation
