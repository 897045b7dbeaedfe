"""A fleet from a stack file, without Pulumi."""

from difflib import get_close_matches
from pathlib import Path

from ..errors import FleetError, Problem, RulesError
from ..fleet import Fleet
from ..validation.secrets import Given
from .document import read_yaml
from .include import Merged, with_included
from .read import LEAST, read

PROJECT = "promfleet"
"""Name of the Pulumi project, with which its keys begin."""
KEY = f"{PROJECT}:fleet"


def from_file(path: Path) -> Fleet:
    """The fleet of one `Pulumi.<stack>.yaml`; raises FleetError with every problem."""
    fleet, given = _written(path)
    return read(fleet, path.name, given, path.parent)


def merged_file(path: Path) -> Merged:
    """What one `Pulumi.<stack>.yaml` and the files that it includes say; raises FleetError where one can't be read."""
    fleet, _ = _written(path)
    try:
        return with_included(fleet if isinstance(fleet, dict) else {}, path.parent)
    except RulesError as error:
        raise FleetError(path.name, error.problems) from None


def _written(path: Path) -> tuple[object, Given]:
    """The value of a file's key, and which secrets the file has."""
    document = read_yaml(path)
    if not isinstance(document, dict) or not isinstance(config := document.get("config"), dict):
        problem = Problem(("config",), "is missing or not a mapping", f"Write a stack file: config, and in it {KEY}.")
        raise FleetError(path.name, [problem])
    if KEY not in config:
        near = get_close_matches(KEY, map(str, config), n=1)
        instead = f'Did you mean "{KEY}" instead of "{near[0]}"?' if near else LEAST
        raise FleetError(path.name, [Problem((), "is missing", instead)])
    # A key that is not in the file may still come from an environment that the file names.
    otherwise = True if "environment" in document else None

    def given(key: str) -> bool | None:
        value = config.get(f"{PROJECT}:{key}")
        return otherwise if value is None else isinstance(value, dict) and set(value) == {"secure"}

    return config[KEY], given
