"""A fleet from a stack file, without Pulumi."""

from difflib import get_close_matches
from pathlib import Path

from ..errors import FleetError, Problem
from ..fleet import Fleet
from .document import read_yaml
from .read import read

KEY = "promfleet:fleet"


def from_file(path: Path) -> Fleet:
    """The fleet of one `Pulumi.<stack>.yaml`; raises FleetError with every problem."""
    document = read_yaml(path)
    if not isinstance(document, dict) or not isinstance(config := document.get("config"), dict):
        problem = Problem(("config",), "is missing or not a mapping", f"Write a stack file: config, and in it {KEY}.")
        raise FleetError(path.name, [problem])
    if KEY not in config:
        near = get_close_matches(KEY, map(str, config), n=1)
        instead = (
            f'Did you mean "{KEY}" instead of "{near[0]}"?'
            if near
            else "Write clusters, and hub, standalone, watcher or agents."
        )
        raise FleetError(path.name, [Problem((), "is missing", instead)])
    # A key that is not in the file may still come from an environment that the file names.
    otherwise = True if "environment" in document else None

    def given(key: str) -> bool | None:
        value = config.get(f"{KEY.partition(':')[0]}:{key}")
        return otherwise if value is None else isinstance(value, dict) and set(value) == {"secure"}

    return read(config[KEY], path.name, given, path.parent)
