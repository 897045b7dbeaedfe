"""Finds the files that a stack file names, and reads them."""

from collections.abc import Callable
from pathlib import Path

from ..errors import FleetError, Problem
from ..read_files import ReadFiles


def read_files(pattern: str, folder: Path, read: Callable[[Path], object], beside: str) -> ReadFiles:
    """
    Read every file that a path or pattern matches in a folder, in the order of their names.

    `beside` says how such a path is written.
    """
    try:
        found = sorted(folder.glob(pattern))
    except (NotImplementedError, OSError, ValueError):  # an absolute path, or characters that no path has
        return ReadFiles({pattern: Problem((), "is no path beside the stack file", beside)})
    if not found:
        return ReadFiles({pattern: Problem((), "matches no file", beside, pattern)})
    return ReadFiles({file.relative_to(folder).as_posix(): _read(file, read) for file in found})


def _read(file: Path, read: Callable[[Path], object]) -> object:
    try:
        return read(file)
    except FleetError as error:
        [problem] = error.problems
        place = (file.name, *problem.path)
        return Problem(place, problem.rule, "Correct it." if not problem.path else problem.instead)
