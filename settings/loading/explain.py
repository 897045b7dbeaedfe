"""Translates errors of pydantic into problems that the author of a stack file can act on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ..errors import Path, Problem, RulesError, nearest
from ..kinds import BOOL, COUNT, LIST, MAPPING, NUMBER, TEXT
from ..section import OrNames, Section
from .docstrings import docstrings
from .foreign import ELSEWHERE

_MESSAGES: dict[str, tuple[str, str]] = {
    "bool_type": (BOOL.rule, BOOL.instead),
    "greater_than_equal": ("is less than {ge}", "Write {ge} or more."),
    "float_type": (NUMBER.rule, NUMBER.instead),
    "int_from_float": (COUNT.rule, COUNT.instead),
    "int_parsing_size": ("is none of the choices", "Write a smaller number."),
    "int_type": (COUNT.rule, COUNT.instead),
    "is_instance_of": (LIST.rule, LIST.instead),
    "less_than_equal": ("is more than {le}", "Write {le} or less."),
    "literal_error": ("is none of the choices", "Write one of them: {expected}."),
    "dict_type": (MAPPING.rule, "Write keys and values, or {{}}."),
    "mapping_type": (MAPPING.rule, "Write keys and values, or {{}}."),
    "model_type": (MAPPING.rule, "Write keys and values, or {{}} for the defaults."),
    "sequence_str": (LIST.rule, LIST.instead),
    "sequence_type": (LIST.rule, LIST.instead),
    "string_type": (TEXT.rule, TEXT.instead),
    "string_unicode": (TEXT.rule, "Remove the incomplete character."),
    "too_long": ("has more than {max_length}", "Write {max_length} at most."),
    "too_short": ("is empty", "Write at least one."),
}


def explain(error: ValidationError, root: type[Section]) -> Iterator[Problem]:
    """Every problem that a validation found, in the order of the fields."""
    for detail in error.errors(include_url=False):
        yield from _explain(detail, root)


def _explain(detail: ErrorDetails, root: type[Section]) -> Iterator[Problem]:
    path = _as_written(detail["loc"], root)
    value, context = detail["input"], detail.get("ctx", {})
    kind = detail["type"]
    if kind != "extra_forbidden" and path and path[-1] == "[key]":
        path = path[:-1]
    if isinstance(broken := context.get("error"), RulesError):
        yield from (problem.under(path) for problem in broken.problems)
    elif kind == "extra_forbidden":
        section, key = _section_at(path[:-1], root), str(path[-1])
        beside = f"Write it beside {path[0]}: it is a section of its own." if key in _keys(root) else None
        yield Problem(path, *section.moved.get(key, ("unknown key", _nearest_key(section, key, beside))))
    elif kind == "missing":
        about = docstrings(_section_at(path[:-1], root)).get(str(path[-1]))
        yield Problem(path, "is missing", f"Add it: {' '.join(about.split())}" if about else "Add it.")
    elif kind == "refused":
        yield Problem(path, context["rule"], context["instead"], value)
    elif kind in _MESSAGES:
        rule, instead = _MESSAGES[kind]
        rule = "is empty" if value is None else rule.format(**context)
        written = instead.format(**context).replace("'", "")
        yield Problem(path, rule, _better(kind, path, root, value, written), value)
    else:
        yield Problem(path, f"is wrong: {detail['msg']}", "", value)


def _better(kind: str, path: Path, root: type[Section], value: object, written: str) -> str:
    """What to write instead of a value of another type: more than `written`, where its field or the value says more."""
    if kind == "model_type":
        return _section_instead(path, root, value) or written
    if kind == "literal_error" and (field := _field(_section_at(path[:-1], root), path[-1])) and field.default is None:
        return f"{written.removesuffix('.')}; or leave it out."
    if kind == "string_type" and isinstance(value, Mapping | Sequence):
        return "Write one text."
    if kind in ("dict_type", "mapping_type"):
        return _table_instead(path, root, value) or written
    return written


def _table_instead(path: Path, root: type[Section], value: object) -> str | None:
    """A table in place of a list: of names of sections, or of others' entries with a name or a URL."""
    match value:
        case [str(), *_] if _are_names(value) and _is_section((*path, "<name>"), root):
            least = _least((*path, "<name>"), root)
            plausible = all(re.fullmatch(r"[\w.-]+", name) for name in value)
            entries = [f"{name}: {least}" for name in (value if plausible else ["<name>"])]
        case [{"name": str()}, *_]:
            entries = [f"{one['name']}: {{…}}" for one in value if isinstance(one, Mapping) and "name" in one]
        case [{"url": str()}, *_]:
            entries = ["<name>: {url: …}"]
        case _:
            return None
    return f"Write {{{', '.join(entries)}}}."


def _section_instead(path: Path, root: type[Section], value: object) -> str | None:
    if value is False and "enabled" in _section_at(path, root).model_fields:
        return "Write {enabled: false}."
    least = _least(path, root)
    return None if least == "{}" else f"Write {least}."


def _is_section(path: Path, root: type[Section]) -> bool:
    kind = _section_at(path, root)
    return isinstance(kind, type) and issubclass(kind, Section)


def _least(path: Path, root: type[Section]) -> str:
    """A section with the keys that it must have, as the file spells it."""
    fields = _section_at(path, root).model_fields
    needed = [field.alias or name for name, field in fields.items() if field.is_required()]
    return f"{{{', '.join(f'{name}: …' for name in needed)}}}"


def _are_names(value: object) -> TypeGuard[Sequence[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _nearest_key(section: type[Section], key: str, beside: str | None) -> str:
    """What to write in place of an unknown key; `beside`, if the fleet itself has such a key and none here is alike."""
    known = _keys(section)
    if key in ELSEWHERE:
        return ELSEWHERE[key]
    if beside:
        return nearest(key, known, beside, cutoff=0.85)
    return nearest(key, known, f"Known here: {', '.join(known)}.")


def _keys(section: type[Section]) -> list[str]:
    """The keys of a section, as the file spells them."""
    return [field.alias or name for name, field in section.model_fields.items()]


def _as_written(path: Path, root: type[Section]) -> Path:
    """The steps as the file has them: after a field with two forms, pydantic adds the form that it chose."""
    kind: Any = root
    written: list[str | int] = []
    is_form = False
    for step in path:
        if is_form:
            is_form = False
            continue
        written.append(step)
        field = _field(kind, step)
        is_form = field is not None and any(isinstance(one, OrNames) for one in field.metadata)
        kind = _within(kind, step)
    return tuple(written)


def _section_at(path: Path, root: type[Section]) -> type[Section]:
    """The section that a path leads to; keys of tables and places in lists are steps without a section of their own."""
    kind: Any = root
    for step in path:
        kind = _within(kind, step)
    return kind


def _within(kind: Any, step: str | int) -> Any:
    """The type that one step leads to."""
    if field := _field(kind, step):
        return _bare(field.annotation)
    return _bare(get_args(kind)[-1]) if get_origin(kind) in (Mapping, Sequence) else None


def _field(kind: Any, key: str | int) -> FieldInfo | None:
    """The field of a section that a key is of; None where there is no such key, or no section."""
    if not isinstance(kind, type) or not issubclass(kind, Section):
        return None
    return next((field for name, field in kind.model_fields.items() if key in (field.alias, name)), None)


def _bare(annotation: Any) -> Any:
    """A type without its annotations, and without None."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return _bare(get_args(annotation)[0])
    return annotation
