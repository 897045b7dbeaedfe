"""Holds a resource's inputs to the types of the SDK, of which the real provider is as strict a reader."""

import inspect
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pulumi import _types as sdk  # what maps the SDK's Python names to the engine's is published nowhere else
from pulumi.runtime.rpc import UNKNOWN

Problem = tuple[str, str]
"""Path of a property, and what is wrong with it."""
BASIC: dict[type, str] = {str: "a string", bool: "true or false", int: "a whole number", float: "a number"}


def names(arguments: type) -> list[str]:
    """List what may be given, by the engine's names."""
    return list(sdk.input_type_types(arguments))


def problems(arguments: type, given: Mapping[str, Any], path: str = "") -> Iterator[Problem]:
    """Compare values with a class of the SDK's inputs; one that is not known yet fits everything."""
    types = sdk.input_type_types(arguments)
    for name, value in given.items():
        if name not in types:
            yield f"{path}{name}", f"is not known to {arguments.__name__}; it has {', '.join(sorted(types))}"
        else:
            yield from _misfits(types[name], value, f"{path}{name}")
    for name in _required(arguments):
        if given.get(name) is None:
            yield f"{path}{name}", f"is required by {arguments.__name__}"


def _required(arguments: type) -> list[str]:
    named = sdk.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments).parameters.values()
    return [named[each.name] for each in parameters if each.default is inspect.Parameter.empty]


def _misfits(kind: Any, value: Any, path: str) -> Iterator[Problem]:
    kind = sdk.unwrap_type(kind)
    container = typing.get_origin(kind)
    if value is None or value == UNKNOWN:
        return
    if container is Sequence and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _misfits(typing.get_args(kind)[0], item, f"{path}[{number}]")
    elif container is Mapping and isinstance(value, dict):
        for key, item in value.items():
            yield from _misfits(typing.get_args(kind)[1], item, f"{path}.{key}")
    elif sdk.is_input_type(kind) and isinstance(value, dict):
        yield from problems(kind, value, f"{path}.")
    elif container or sdk.is_input_type(kind):
        yield path, f"is {value!r}, not a {'list' if container is Sequence else 'map'}"
    elif not _is(kind, value):
        yield path, f"is {value!r}, not {BASIC[kind]}"


def _is(kind: type, value: Any) -> bool:
    """Tell whether a value has a basic type; the engine's numbers are all floats."""
    if kind in (int, float):
        return isinstance(value, float) and (kind is float or value.is_integer())
    return isinstance(value, kind)
