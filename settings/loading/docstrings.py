"""Descriptions of the fields of sections, from the docstrings below them."""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from types import UnionType
from typing import Any, Union, get_args, get_origin

from ..section import Section


@cache
def docstrings(section: type[Section]) -> Mapping[str, str]:
    """
    Give the docstring of each field, or else of the section that it holds, by the field's key on disk.

    Pydantic's `use_attribute_docstrings` would parse the source of every section whenever the program starts.
    """
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if issubclass(kind, Section):
            [definition] = ast.parse(inspect.getsource(kind)).body
            found |= _below_fields(definition)
    texts = {
        field.alias or name: found.get(name) or _of_section(field.annotation)
        for name, field in section.model_fields.items()
    }
    return {key: text for key, text in texts.items() if text}


def _of_section(annotation: Any) -> str | None:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((inspect.getdoc(kind) for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


def _below_fields(definition: ast.stmt) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for pair in pairwise(getattr(definition, "body", [])):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found
