"""People's own dashboards: files beside the stack file, by the folder of Grafana that shows them."""

from collections.abc import Iterator
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .dashboard_file import DashboardFile, ReadFile, parsed
from .errors import Path, Problem, RulesError
from .read_files import ReadFiles

_TAKEN = ("applications", "general", "promfleet")
"""Folders of this program, and what Grafana calls the place of dashboards without one."""
_LONGEST = 100


class DashboardFolders:
    """The type of `grafana.dashboards`: a mapping from the titles of folders to their dashboards."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1}}


def _parsed(written: object) -> dict[str, tuple[DashboardFile, ...]]:
    """The dashboards of every folder; raises RulesError with every problem."""
    if not isinstance(written, dict):
        raise RulesError([Problem((), "is not a mapping", "Write {Shop: [dashboards/*.json]}.")])
    found = {title: [*_folder(title, files)] for title, files in written.items()}
    if problems := [one for folder in found.values() for one in folder if isinstance(one, Problem)]:
        raise RulesError(problems)
    folders = {
        title: tuple(one[1] for one in folder if not isinstance(one, Problem)) for title, folder in found.items()
    }
    placed = [(title, *one) for title, folder in found.items() for one in folder if not isinstance(one, Problem)]
    if problems := [*_doubles(placed)]:
        raise RulesError(problems)
    return folders


def _folder(title: object, files: object) -> Iterator[tuple[Path, DashboardFile] | Problem]:
    """The dashboards of a folder with where they are named, and what is wrong with it."""
    if not isinstance(title, str) or not title.strip() or len(title) > _LONGEST or not title.isprintable():
        yield Problem((str(title),), "is no title of a folder", f"Write at most {_LONGEST} characters on one line.")
        return
    if title.casefold() in _TAKEN:
        yield Problem((title,), "is the title of a folder that is there already", "Use another title.")
    if not isinstance(files, list | tuple) or not files:
        yield Problem((title,), "is not a list of paths", "Write [dashboards/*.json].")
        return
    for index, one in enumerate(files):
        if isinstance(one, DashboardFile):
            yield (title, index), one
        elif isinstance(one, ReadFiles):
            for path, content in one.documents.items():
                yield from _file(path, content, (title, index))
        else:
            yield Problem((title, index), "is no path", "Write the path of a file: dashboards/shop.json.")


def _file(path: str, content: object, place: Path) -> Iterator[tuple[Path, DashboardFile] | Problem]:
    if isinstance(content, Problem):
        yield content.under(place)
        return
    try:
        yield (*place, path), parsed(ReadFile(path, str(content)))
    except RulesError as error:
        yield from (problem.under((*place, path)) for problem in error.problems)


def _doubles(placed: list[tuple[str, Path, DashboardFile]]) -> Iterator[Problem]:
    """Grafana loads none of two dashboards with one uid, or with one title in a folder."""
    uids: dict[str, str] = {}
    titles: dict[tuple[str, str], str] = {}
    for folder, place, file in placed:
        first = uids.setdefault(file.uid, file.path)
        if first is not file.path:
            instead = "Write another one into it, or name one of the two."
            yield Problem((*place, "uid"), f"is the uid of {first} too", instead, file.uid)
            continue
        first = titles.setdefault((folder, file.title), file.path)
        if first is not file.path:
            yield Problem((*place, "title"), f"is the title of {first} too", "Write another title into it.", file.title)
