"""Documents as readable YAML, or as JSON on one line."""

import json
from collections.abc import Callable
from functools import lru_cache
from io import StringIO
from typing import Any

import yaml
from yaml.representer import SafeRepresenter
from yaml.resolver import Resolver

_TEXT = "tag:yaml.org,2002:str"
_RESOLVER, _REPRESENTER = Resolver(), SafeRepresenter()


def to_yaml(document: dict[str, Any] | list[Any]) -> str:
    """The document with its keys in the order in which they were written."""
    return written(document, lambda text: "|" if "\n" in text else None, 110)


def written(document: dict[str, Any] | list[Any], style: Callable[[str], str | None], width: int) -> str:
    """
    The document without anchors and aliases, folded at a width; `style` gives each string its style of YAML's.

    `yaml.dump` writes the same in three times the time: it makes a graph of nodes, and resolves each one's tag anew.
    """
    stream = StringIO()
    emit = yaml.CSafeDumper(stream, width=width, allow_unicode=True).emit
    emit(yaml.StreamStartEvent())
    emit(yaml.DocumentStartEvent())
    _emit(document, style, emit)
    emit(yaml.DocumentEndEvent())
    emit(yaml.StreamEndEvent())
    return stream.getvalue()


def _emit(value: Any, style: Callable[[str], str | None], emit: Callable[[yaml.Event], None]) -> None:
    match value:
        case str():
            emit(_scalar(value, style(value)))
        case dict():
            emit(yaml.MappingStartEvent(None, None, implicit=True, flow_style=False))
            for key, item in value.items():
                _emit(key, style, emit)
                _emit(item, style, emit)
            emit(yaml.MappingEndEvent())
        case list() | tuple():
            emit(yaml.SequenceStartEvent(None, None, implicit=True, flow_style=False))
            for item in value:
                _emit(item, style, emit)
            emit(yaml.SequenceEndEvent())
        case _:  # a number, a boolean or nothing
            emit(yaml.ScalarEvent(None, None, (True, False), _REPRESENTER.represent_data(value).value))


@lru_cache(maxsize=2**12)
def _scalar(text: str, style: str | None) -> yaml.ScalarEvent:
    """A string, in quotes where a reader would take it for another type."""
    plain = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT
    return yaml.ScalarEvent(None, None, (plain, True), text, style=style)


def to_json(document: object) -> str:
    """The document as JSON, which is YAML too, for flags of a command line."""
    return json.dumps(document)
