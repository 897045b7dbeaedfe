"""What sections say of their fields, in the docstrings below them."""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from ..section import Section


@cache
def docstrings(section: type[Section]) -> Mapping[str, str]:
    """
    Give the docstring of each field that has one, by the field's key on disk; inherited fields are among them.

    Pydantic's `use_attribute_docstrings` would parse the source of every section whenever the program starts.
    """
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if issubclass(kind, Section):
            [definition] = ast.parse(inspect.getsource(kind)).body
            found |= _below_fields(definition)
    return {field.alias or name: found[name] for name, field in section.model_fields.items() if name in found}


def _below_fields(definition: ast.stmt) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for pair in pairwise(getattr(definition, "body", [])):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found
