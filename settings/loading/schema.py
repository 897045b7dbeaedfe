"""The JSON Schema of a stack file, for editors; `python -m settings.loading.schema` writes it anew."""

import json
from pathlib import Path
from typing import Any

from ..fleet import Fleet
from .load import KEY

FILE = Path(__file__).parents[1] / "fleet.schema.json"


def stack_file_schema() -> dict[str, Any]:
    """The schema of a whole stack file; what else Pulumi puts into it is not ours to judge."""
    fleet = Fleet.model_json_schema(by_alias=True)
    definitions = fleet.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "promfleet stack",
        "type": "object",
        "required": ["config"],
        "properties": {"config": {"type": "object", "required": [KEY], "properties": {KEY: {"$ref": "#/$defs/Fleet"}}}},
        "$defs": definitions | {"Fleet": fleet},
    }


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(stack_file_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
