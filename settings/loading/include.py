"""Reads the files that `include` names, and makes one fleet of them and of the stack file."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, NamedTuple, cast

from ..errors import Path, Problem, RulesError
from .document import read_yaml
from .files import read_files

_BESIDE = "Write the path of a file beside the stack file: shared/fleet.yaml."
_SHAPE = "Write what stands below promfleet:fleet in a stack file."


Origins = dict[str, Any]
"""Like a fleet, with the included file in the place of each value; empty for the stack file."""


class Merged(NamedTuple):
    """A fleet as it was written, in whatever files."""

    fleet: Mapping[str, Any]
    origins: Origins

    def placed(self, problem: Problem) -> Problem:
        """Return a problem with the included file in its path where its value is from one."""
        origin: Any = self.origins
        for step in problem.path:
            origin = origin.get(step) if isinstance(origin, dict) else origin
        return problem.under(("include", origin)) if origin and isinstance(origin, str) else problem

    def lines(self) -> Iterator[tuple[Path, Any, str]]:
        """Give each value that is no mapping, with its path and the included file that it is from, or nothing."""
        yield from _leaves(self.fleet, self.origins, ())


def with_included(fleet: Mapping[str, Any], folder: FilePath) -> Merged:
    """
    Return a fleet with what is in the files of a folder that its key `include` names.

    Mappings are merged key by key, in the order of the files, and the stack file comes last. Anything else that is
    written again replaces what was there, a list too; null removes it. Raises RulesError with every problem.
    """
    patterns = fleet.get("include")
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        return Merged(fleet, {})  # its type is judged with all others
    problems: list[Problem] = []
    made: dict[str, Any] = {}
    origins: Origins = {}
    try:
        for index, pattern in enumerate(patterns):
            for name, document in read_files(pattern, folder, read_yaml, _BESIDE).documents.items():
                if isinstance(document, Problem):
                    problems.append(document.under(("include", index)))
                elif wrong := _wrong(document):
                    problems.append(wrong.under(("include", name)))
                else:
                    _merge(made, origins, cast("Mapping[str, Any]", document), name)
        _merge(made, origins, fleet, "")
    except RecursionError:  # an anchor that holds itself
        problems.append(Problem(("include",), "leads to what is nested too deeply", "Remove the alias."))
    if problems:
        raise RulesError(problems)
    return Merged(made, origins)


def _wrong(document: object) -> Problem | None:
    if not isinstance(document, Mapping):
        return Problem((), "is not a mapping", _SHAPE)
    if "config" in document:
        return Problem(("config",), "is of a stack file, and this one is included", _SHAPE)
    if "include" in document:
        return Problem(("include",), "is in a file that is included itself", "Write it into the stack file.")
    return None


def _merge(into: dict[str, Any], origins: Origins, new: Mapping[str, Any], origin: str) -> None:
    for key, value in new.items():
        if isinstance(value, Mapping):
            if not isinstance(into.get(key), dict):
                into[key], origins[key] = {}, {}
            _merge(into[key], origins[key], value, origin)
        elif value is None and key in into:
            del into[key], origins[key]
        else:
            into[key], origins[key] = value, origin


def _leaves(value: object, origin: Any, path: Path) -> Iterator[tuple[Path, Any, str]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, origin.get(key, {}), (*path, key))
    else:
        yield path, value, origin or ""
