"""Further datasources of Grafana in the words of its provisioning files, and how they are judged offline."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .dashboard_file import DATASOURCE, UID
from .errors import Path, Problem, RulesError, nearest
from .grafana_config import EXPANDED, IS_SECRET
from .kinds import BOOL, COUNT, LIST, MAPPING, TEXT, Kind
from .receiver_config import ReceiverReference
from .scrape_credentials import IN_URL, PLAIN, REFERENCE, REPLACE, Files, WithFiles, file

NAME = "Hub"
"""Name of the datasource of this program."""
_KEYS: Mapping[str, Kind] = {
    **dict.fromkeys(("name", "type", "uid", "url", "user", "database", "basicAuthUser", "access", "orgName"), TEXT),
    **dict.fromkeys(("basicAuth", "withCredentials", "isDefault", "editable"), BOOL),
    **dict.fromkeys(("orgId", "version"), COUNT),
    **dict.fromkeys(("jsonData", "secureJsonData"), MAPPING),
    "correlations": LIST,
}
"""Keys of a datasource in a provisioning file (pkg/services/provisioning/datasources/types.go)."""
_SECURE = ("password", "basicAuthPassword")
"""Keys of old releases that are in `secureJsonData` now."""
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$(?:\w|\{)")
_EXAMPLE = "Begin each entry with a hyphen: - {name: Loki, uid: loki, type: loki, url: 'https://loki.acme.example'}."


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaDatasources(WithFiles):
    """Datasources as they were written."""

    sources: tuple[Mapping[str, Any], ...] = ()
    """Entries of a provisioning file, with a `MountedFile` for each credential."""


class Datasources:
    """The type of `grafana.datasources`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        entry = {
            "type": "object",
            "properties": {name: {} for name in _KEYS},
            "required": ["name", "type"],
            "additionalProperties": False,
        }
        return {"type": "array", "items": entry}


def _parsed(written: object) -> GrafanaDatasources:
    """All datasources; raises RulesError with every problem."""
    if isinstance(written, GrafanaDatasources):
        return written
    if not isinstance(written, list | tuple):
        raise RulesError([Problem((), "is not a list", _EXAMPLE)])
    found = Files(reference=ReceiverReference)
    read = []
    for index, one in enumerate(written):
        if isinstance(one, Mapping):
            read.append(_source(found, one, (index,)))
        else:
            found.problems.append(Problem((index,), "is not a mapping", _EXAMPLE))
    if problems := found.problems or [*_doubles(read)]:
        raise RulesError(problems)
    return GrafanaDatasources(sources=tuple(read), mounted=tuple(found.mounted))


def _source(found: Files, written: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    read: dict[str, Any] = {}
    for key in ("name", "type"):
        if key not in written:
            found.problems.append(Problem((*path, key), "is missing", "Add it."))
    for key, value in written.items():
        here, kind = (*path, key), _KEYS.get(key)
        if key in _SECURE:
            rule, instead = "is a credential", f"Write secureJsonData: {{{key}: {REFERENCE}}}."
            found.problems.append(Problem(here, rule, instead))
        elif kind is None:
            instead = nearest(key, _KEYS, f"Known here: {', '.join(_KEYS)}.")
            found.problems.append(Problem(here, "unknown key", instead))
        elif not kind.accepts(value):
            found.problems.append(Problem(here, "is empty" if value in (None, "") else kind.rule, kind.instead))
        elif key == "secureJsonData":
            read[key] = {name: _secure(found, str(name), one, (*here, name)) for name, one in value.items()}
        else:
            found.problems += _in_plain(value, here, ())
            read[key] = value
    if written.get("isDefault") is True:
        instead = "Remove it: the dashboards' datasource is the default."
        found.problems.append(Problem((*path, "isDefault"), "is true", instead))
    if isinstance(uid := written.get("uid"), str) and not UID.fullmatch(uid):
        instead = "Write at most 40 letters, digits, dashes and underscores."
        found.problems.append(Problem((*path, "uid"), "is not the uid of a datasource", instead, uid))
    return read


def _secure(found: Files, name: str, value: object, path: Path) -> Any:
    """A reference as the file that it becomes; a CA is public."""
    if isinstance(value, Mapping):
        return file(found, "ca" if name == "tlsCACert" else "", value, path)
    found.problems.append(Problem(path, PLAIN, f"{REPLACE} {REFERENCE}."))
    return value


def _in_plain(value: Any, path: Path, within: tuple[int, ...]) -> Iterator[Problem]:
    """What no value may hold that every user of Grafana can read, however deep it is."""
    name = str(path[-1])
    if isinstance(value, Mapping | list | tuple):
        if id(value) in within:
            yield Problem(path, "contains itself", "Remove the alias.")
            return
        for key, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _in_plain(one, (*path, key), (*within, id(value)))
    elif isinstance(value, str) and value:
        if IS_SECRET.search(name):
            yield Problem(path, PLAIN, f"{REPLACE} secureJsonData: {{{name}: {REFERENCE}}}.")
        elif IN_URL.search(value):
            instead = f"{REPLACE} it in secureJsonData: {{basicAuthPassword: {REFERENCE}}}, with basicAuth: true."
            yield Problem(path, "has a credential in a URL", instead)
        elif EXPANDED.search(value):
            instead = f"Write secureJsonData: {{{name}: {REFERENCE}}}."
            yield Problem(path, "names a file or variable of the pod", instead)
        elif _VARIABLE.search(value):
            instead = "Write $$ for a dollar."
            yield Problem(path, "has a $ that Grafana replaces by an environment variable", instead)
        elif not value.isascii() and re.search("[\ud800-\udfff]", value):
            yield Problem(path, "holds half of a character", "Remove the incomplete character.")


def _doubles(sources: list[Mapping[str, Any]]) -> Iterator[Problem]:
    """Grafana takes the later of two with one name, and fails at two with one uid."""
    for key, ours in (("name", NAME), ("uid", DATASOURCE)):
        taken = {ours: "promfleet's own datasource"}
        for index, source in enumerate(sources):
            if not (written := source.get(key)):
                continue
            if written in taken:
                yield Problem((index, key), f"is that of {taken[written]} too", "Write another one.", written)
            taken.setdefault(written, f"datasources[{index}]")
