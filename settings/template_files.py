"""Template files of people's own, which Alertmanager executes."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Problem, RulesError
from .read_files import ReadFiles

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\.tmpl")
_EXAMPLE = "Write paths of files beside the stack file: [templates/slack.tmpl], or [templates/*.tmpl]."


class Templates:
    """The type of `alertmanager.templates`: name of each file without its folder -> its text."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string"}}


def _parsed(written: object) -> Mapping[str, str]:
    """The files of a list of read files; raises RulesError with every problem."""
    if isinstance(written, MappingProxyType):
        return written
    if not isinstance(written, list | tuple):
        raise RulesError([Problem((), "is not a list", _EXAMPLE)])
    read: dict[str, str] = {}
    problems: list[Problem] = []
    for index, entry in enumerate(written):
        if not isinstance(entry, ReadFiles):
            problems.append(Problem((index,), "is not a path", _EXAMPLE))
            continue
        for path, text in entry.documents.items():
            name = path.rpartition("/")[2]
            if isinstance(text, Problem):
                problems.append(text.under((index, path)))
            elif not _NAME.fullmatch(name):
                rule = "is not the name of a template file"
                problems.append(Problem((index, path), rule, "Use letters, digits, - and _, and end it in .tmpl."))
            elif name in read:
                rule = "has the name of another file, and all are in one folder of the pod"
                problems.append(Problem((index, path), rule, "Rename one of the two."))
            else:
                read[name] = str(text)
    if problems:
        raise RulesError(problems)
    return MappingProxyType(read)
