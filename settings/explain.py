"""What pydantic found, in the words of whoever writes stack files."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .errors import UNSAID, Path, Problem, RulesError
from .section import Section

_NUMBER = "Write digits without quotes, unit and point."
_SAYINGS: dict[str, tuple[str, str]] = {
    "bool_type": ("is neither true nor false", "Write true or false, without quotes."),
    "greater_than_equal": ("is less than {ge}", "Write {ge} or more."),
    "int_from_float": ("is not a whole number", _NUMBER),
    "int_type": ("is not a whole number", _NUMBER),
    "less_than_equal": ("is more than {le}", "Write {le} or less."),
    "literal_error": ("is none of the choices", "Write one of them: {expected}."),
    "dict_type": ("is not a mapping", "Write keys and values, or {{}}."),
    "mapping_type": ("is not a mapping", "Write keys and values, or {{}}."),
    "missing": ("is missing", "Add it."),
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
    path, value, context = detail["loc"], detail["input"], detail.get("ctx", {})
    kind = detail["type"]
    if path and path[-1] == "[key]":
        path = path[:-1]
    if isinstance(broken := context.get("error"), RulesError):
        yield from (problem.under(path) for problem in broken.problems)
    elif kind == "extra_forbidden":
        yield Problem(path, "unknown key", _nearest_key(path, root))
    elif kind == "refused":
        yield Problem(path, context["rule"], context["instead"], value)
    elif kind in _SAYINGS:
        rule, instead = _SAYINGS[kind]
        rule = "is empty" if value is None else rule.format(**context)
        shown = UNSAID if kind == "missing" else value
        yield Problem(path, rule, instead.format(**context).replace("'", ""), shown)
    else:
        yield Problem(path, f"is wrong: {detail['msg']}", "", value)


def _nearest_key(path: Path, root: type[Section]) -> str:
    section = _section_at(path[:-1], root)
    known = [field.alias or name for name, field in section.model_fields.items()]
    near = get_close_matches(str(path[-1]), known, n=1)
    return f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(known)}."


def _section_at(path: Path, root: type[Section]) -> type[Section]:
    """The section that a path leads to; names of clusters and agents are steps without a section of their own."""
    section, is_name = root, False
    for step in path:
        if is_name:
            is_name = False
            continue
        field = next(field for name, field in section.model_fields.items() if step in (field.alias, name))
        section, is_name = _inner(field), get_origin(field.annotation) is Mapping
    return section


def _inner(field: FieldInfo) -> type[Section]:
    return next(kind for kind in _parts(field.annotation) if isinstance(kind, type) and issubclass(kind, Section))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
