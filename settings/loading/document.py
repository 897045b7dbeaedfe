"""Reads YAML as Pulumi does, but without its indulgence."""

import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from yaml.error import MarkedYAMLError

from ..errors import FleetError, Problem

T = TypeVar("T")

_UNQUOTED = {
    **dict.fromkeys(
        ("expected alphabetic or numeric", "found unhashable key", *(f"found character '{sign}'" for sign in "@`%")),
        "Put the text in quotes.",
    ),
    "found unknown escape character": "Put the text in single quotes.",
    "could not determine a constructor": "Remove the tag: it is another program's.",
}
"""Beginning of what PyYAML says of texts without quotes, such as {{ template }}, * and @ -> what to write instead."""


def read_yaml(path: Path) -> object:
    """The document of a file; raises FleetError with what is wrong."""
    return _read(path, lambda text: yaml.load(text, _UniqueKeys))  # noqa: S506 — a subclass of the safe loader


def read_texts_of_yaml(path: Path) -> list[object]:
    """All documents of a file whose values are texts as they are written: `on`, 010; raises FleetError likewise."""
    return _read(path, lambda text: [*yaml.load_all(text, _Texts)])


def read_text(path: Path) -> str:
    """The text of a file; raises FleetError with what is wrong."""
    return _read(path, str)


def _read(path: Path, parse: Callable[[str], T]) -> T:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = Problem((), f"can't be read: {error.strerror}", "Name a stack file.")
    except UnicodeDecodeError:
        problem = Problem((), "can't be read: it is not UTF-8", "Save it as UTF-8.")
    except MarkedYAMLError as error:
        # The error's own text quotes the file, and the line may hold a secret.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        rule = error.problem or "is not YAML"
        likely = next(
            (instead for beginning, instead in _UNQUOTED.items() if rule.startswith(beginning)), "Correct the YAML."
        )
        problem = Problem((f"line {line}",), rule, error.note or likely)
    except yaml.YAMLError:
        problem = Problem((), "is not YAML", "Remove characters that are not text.")
    except RecursionError:
        problem = Problem((), "is nested too deeply", "Write a stack file: config, and in it promfleet:fleet.")
    except ValueError:
        problem = Problem((), "holds a date or number that does not exist", "Put it in quotes if it is a string.")
    raise FleetError(path.name, [problem])


class _UniqueKeys(yaml.SafeLoader):
    """Refuses equal keys, of which YAML silently takes the last; that would lose a cluster."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in lines:
                rule = f'the key "{key.value}" is a duplicate of the one in line {lines[key.value]}'
                raise MarkedYAMLError(
                    problem=rule, problem_mark=key.start_mark, note="Remove or rename one of the two."
                )
            lines[key.value] = key.start_mark.line + 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, *args: Any, **kwargs: Any) -> dict[Hashable, Any]:
        # Pulumi makes every key a text, so that `no` arrives as "false"; a check must see what the program will.
        return {_as_text(key): value for key, value in super().construct_mapping(node, *args, **kwargs).items()}


def _as_text(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key, default=str)


class _Texts(_UniqueKeys):
    """Reads a scalar as a string, as a program does that decodes into strings; only nothing and merges are special."""

    yaml_implicit_resolvers = {  # noqa: RUF012 — of the base class
        start: [(tag, form) for tag, form in resolvers if tag.endswith((":null", ":merge"))]
        for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
