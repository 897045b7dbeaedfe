"""Files that a stack file names, once they are read."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """The files of one path or pattern."""

    documents: Mapping[str, object]
    """Path of a file, from the folder of the stack file -> what is in it, or a `Problem`."""
