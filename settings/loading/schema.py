"""The JSON Schema of a stack file, for editors; `python -m settings.loading.schema` writes it anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fleet import Fleet
from ..section import Section
from ..workloads import Placement
from .docstrings import docstrings
from .load import KEY

FILE = Path(__file__).parents[1] / "fleet.schema.json"


def stack_file_schema() -> dict[str, Any]:
    """The schema of a whole stack file; other keys, which Pulumi has, are not checked."""
    fleet = Fleet.model_json_schema(by_alias=True)
    definitions = fleet.pop("$defs") | {Fleet.__name__: fleet}
    fleet["anyOf"] = [{"required": fleet.pop("required")}, {"required": ["include"]}]
    definitions[Placement.__name__] = Placement.model_json_schema(by_alias=True)
    for section in _sections(Section):
        for key, text in docstrings(section).items() if section.__name__ in definitions else ():
            properties = definitions[section.__name__]["properties"]
            properties[key] = dict(sorted({**properties[key], "description": text}.items()))
    for section in _sections(Placement):
        properties = definitions[section.__name__]["properties"]
        for key in properties.keys() & definitions[Placement.__name__]["properties"].keys():
            reference = f"#/$defs/{Placement.__name__}/properties/{key}"
            properties[key] = {"$ref": reference, "description": properties[key]["description"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "promfleet stack",
        "type": "object",
        "required": ["config"],
        "properties": {"config": {"type": "object", "required": [KEY], "properties": {KEY: {"$ref": "#/$defs/Fleet"}}}},
        "$defs": definitions,
    }


def _sections(kind: type[Section]) -> Iterator[type[Section]]:
    """Every kind of section that there is."""
    for section in kind.__subclasses__():
        yield section
        yield from _sections(section)


def text() -> str:
    """The schema as text of the file."""
    return json.dumps(stack_file_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
