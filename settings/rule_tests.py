"""People's own tests of their rules: files that `promtool test rules` takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from posixpath import dirname, join, normpath
from typing import Any

import yaml
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError
from .read_files import ReadFiles
from .rule_files import RuleFile

_SHAPE = "Write rule_files and tests, as `promtool test rules` takes them."


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A file with tests."""

    path: Path
    """Where it was written, below `alerts.ruleTests`."""
    source: str
    """Path of the file, from the folder of the stack file."""
    text: str
    rule_files: tuple[str, ...]
    """Paths and patterns of the files that it tests, from the same folder."""


class RuleTests:
    """The type of `alerts.ruleTests`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}


def unknown_files(tests: Sequence[RuleTest], files: Sequence[RuleFile]) -> Iterator[Problem]:
    """Tests of files that are not deployed; paths are below `alerts.ruleTests`."""
    sources = [normpath(file.source) for file in files]
    for test in tests:
        for index, pattern in enumerate(test.rule_files):
            if not any(fnmatchcase(source, pattern) for source in sources):
                instead = "Add it there, or correct the path, which begins in the folder of the test."
                yield Problem((*test.path, "rule_files", index), "is none of alerts.ruleFiles", instead, pattern)


def _parsed(written: object) -> tuple[RuleTest, ...]:
    if not isinstance(written, list | tuple):
        raise RulesError([Problem((), "is not a list", "Write [rules/tests/*.yaml].", written)])
    found = [one for index, entry in enumerate(written) for one in _of_entry(entry, (index,))]
    if problems := [one for one in found if isinstance(one, Problem)]:
        raise RulesError(problems)
    return tuple(one for one in found if isinstance(one, RuleTest))


def _of_entry(entry: object, path: Path) -> Iterator[RuleTest | Problem]:
    if isinstance(entry, RuleTest):
        yield entry
    elif isinstance(entry, ReadFiles):
        for source, text in entry.documents.items():
            yield text.under(path) if isinstance(text, Problem) else _of_file(str(text), source, (*path, source))
    else:
        yield Problem(path, "is no path", "Write the path of a file: rules/tests/shop.yaml.")


def _of_file(text: str, source: str, path: Path) -> RuleTest | Problem:
    try:
        document = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return Problem(path, "is not YAML", _SHAPE)
    files = document.get("rule_files") if isinstance(document, dict) else None
    if not isinstance(files, list) or not files or not all(isinstance(one, str) for one in files):
        return Problem(path, "names no rule files", _SHAPE)
    return RuleTest(path, source, text, tuple(normpath(join(dirname(source), one)) for one in files))
