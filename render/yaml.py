"""Documents as readable YAML, or as JSON on one line."""

import json
from typing import Any

import yaml


class _Plain(yaml.CSafeDumper):
    """Writes equal values without anchors and aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _lines(dumper: _Plain, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Plain.add_representer(str, _lines)


def to_yaml(document: dict[str, Any] | list[Any]) -> str:
    """The document with its keys in the order in which they were written."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


def to_json(document: object) -> str:
    """The document as JSON, which is YAML too, for flags of a command line."""
    return json.dumps(document)
