"""Reads the files that `alerts.ruleFiles` and `alerts.ruleTests` name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .document import read_text, read_texts_of_yaml
from .files import read_files

_RULES = "Write the path of a file beside the stack file: rules/shop.yaml, or rules/*.yaml for several."
_TESTS = "Write the path of a file beside the stack file: rules/tests/shop.yaml, or rules/tests/*.yaml for several."


def with_alert_files(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with what is in the files of a folder that its section `alerts` names."""
    alerts = fleet.get("alerts")
    if not isinstance(alerts, Mapping):
        return fleet
    read: dict[str, Any] = {}
    if isinstance(files := alerts.get("ruleFiles"), list):
        read["ruleFiles"] = [_rules(entry, folder) for entry in files]
    if isinstance(tests := alerts.get("ruleTests"), list):
        read["ruleTests"] = [
            read_files(entry, folder, read_text, _TESTS) if isinstance(entry, str) else entry for entry in tests
        ]
    return {**fleet, "alerts": {**alerts, **read}}


def _rules(entry: object, folder: Path) -> object:
    if isinstance(entry, str):
        return read_files(entry, folder, read_texts_of_yaml, _RULES)
    if isinstance(entry, Mapping) and isinstance(entry.get("files"), list):
        return {**entry, "files": [_rules(one, folder) for one in entry["files"]]}
    return entry
