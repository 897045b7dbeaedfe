"""A folder of files that a command writes, and writes anew."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from render.machine import File
from settings.errors import some

from .units import counted

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; it is made if it is missing.")]
LIST = "files.txt"
"""Says whose a folder is in its first line, and below which files were written into it."""


class FolderError(Exception):
    """A folder with files of others, which would be overwritten."""


class Written(NamedTuple):
    """What became of a folder's files, by path."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: int

    def report(self, folder: Path) -> str:
        """Return a line for each file that differs, and the counts."""
        lists = {"added": self.added, "changed": self.changed, "removed": self.removed}
        counts = ", ".join(f"{len(paths)} {what}" for what, paths in lists.items())
        lines = [f"{what} {path}" for what, paths in lists.items() for path in paths]
        return "\n".join([*lines, f"{folder}: {counts}, {counted(self.unchanged, 'file')} unchanged"])


def put(folder: Path, head: str, files: Mapping[str, File]) -> Written:
    """
    Have these files in a folder and none that an earlier run wrote; files of others stay.

    Each is replaced at once or not at all. Raises `FolderError` for a folder whose list has another first line.
    """
    before = written_before(folder, head)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if foreign := sorted(path for path in files if path not in before and (folder / path).exists()):
        raise FolderError(f"{folder} has files of yours where others are to be written: {some(foreign)}. Move them.")
    # Whatever an interrupted run has written is its own in the next.
    _replace(folder / LIST, _listed(head, {*before, *files}))
    written = Written([], [], [], 0)
    same = 0
    for path, file in files.items():
        if _is(folder / path, file):
            same += 1
            continue
        (written.changed if (folder / path).exists() else written.added).append(path)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        _replace(folder / path, file)
    for path in sorted({*before} - {*files}):
        (folder / path).unlink(missing_ok=True)
        _remove_empty(folder, (folder / path).parent)
        written.removed.append(path)
    _replace(folder / LIST, _listed(head, files))
    return written._replace(unchanged=same)


def written_before(folder: Path, head: str) -> list[str]:
    """Return what an earlier run wrote; raises `FolderError` for a folder whose list has another first line."""
    if folder.exists() and not folder.is_dir():
        raise FolderError(f"{folder} is a file. Name a folder.")
    present = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not present:
        return []
    try:
        first, *paths = (folder / LIST).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        first, paths = "", []
    if first != head:
        raise FolderError(f"{folder} was not written for this stack, and has {some(present)}. Name a new folder.")
    return paths


def _listed(head: str, paths: Iterable[str]) -> File:
    return File("".join(f"{line}\n" for line in (head, *sorted(paths))))


def _is(path: Path, file: File) -> bool:
    try:
        return path.read_bytes() == file.text.encode() and path.stat().st_mode & 0o777 == file.mode
    except OSError:
        return False


def _replace(path: Path, file: File) -> None:
    """Write a file beside its place, readable by its owner only until it is whole, and move it there."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as output:
            output.write(file.text)
        Path(unfinished).chmod(file.mode)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _remove_empty(top: Path, folder: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
