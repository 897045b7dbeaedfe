"""A dashboard in a file beside the stack file, checked and made to query the datasource of this program."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError

DATASOURCE = "hub"
"""Uid of the datasource, to which every dashboard refers."""
LARGEST = 2**20
"""Bytes of all values of a ConfigMap, which the API server allows."""
OWN_UID = "promfleet-"
"""Begins the uid of every dashboard of this program."""
UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""As Grafana has it: util.IsValidShortUID, MaxLength of shortid_generator.go."""
_PROMETHEUS = "prometheus"
_OURS = {"type": _PROMETHEUS, "uid": DATASOURCE}
_GRAFANAS_OWN = frozenset({"-- Dashboard --", "-- Grafana --", "-- Mixed --", "__expr__", "datasource", "grafana"})
"""Names, uids and types of what stands for a datasource within Grafana."""
_VARIABLE = re.compile(r"\$\{?(\w+)\}?|\[\[(\w+)\]\]")
_EXPORT = "Export the dashboard in Grafana as JSON, model Classic."
Sources = Sequence[Mapping[str, Any]]
"""Further datasources of Grafana, as entries of a provisioning file."""
BESIDE = "Write the path of a file beside the stack file: dashboards/shop.json."


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What a stack file has instead of the path of a dashboard, once the file is read."""

    path: str
    """As it was written."""
    content: str | Problem


@dataclass(frozen=True, slots=True)
class DashboardFile:
    """A dashboard that Grafana can load from a file."""

    path: str
    """Of the file that it was read from, beside the stack file."""
    uid: str
    title: str
    text: str
    """JSON whose datasources are those that were written."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Name of an input or a variable that stands for a datasource -> the type of that."""

    def resolved(self, sources: Sources = ()) -> str:
        """The JSON that Grafana loads, where it has these datasources beside this program's."""
        return _json(_resolved(json.loads(self.text), self.types, sources))

    def problems(self, sources: Sources) -> Iterator[Problem]:
        """Each query of a datasource that there isn't."""
        yield from _unresolved(json.loads(self.text), self.types, sources, ())


class Provisioned:
    """The type of a dashboard's file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string"}


def parsed(written: object) -> DashboardFile:
    """Return the dashboard of a read file; raises RulesError with every problem."""
    if isinstance(written, DashboardFile):
        return written
    if not isinstance(written, ReadFile):
        raise RulesError([Problem((), "is not the path of a file", BESIDE)])
    if isinstance(written.content, Problem):
        raise RulesError([written.content])
    model = _decoded(written.content)
    if problems := [*_broken(model)]:
        raise RulesError(problems)
    uid = model.get("uid") or re.sub(r"[^A-Za-z0-9_-]", "-", PurePosixPath(written.path).stem)[:40]
    found = DashboardFile(written.path, uid, model["title"], _json(_provisioned(model, uid)), _types(model))
    if (size := len(found.resolved())) > LARGEST:
        rule = f"is a dashboard of {size} bytes, and a ConfigMap holds {LARGEST}"
        raise RulesError([Problem((), rule, "Split it into several dashboards.", written.path)])
    return found


def _json(model: Mapping[str, Any]) -> str:
    return json.dumps(model, separators=(",", ":"), sort_keys=True)


def _decoded(text: str) -> dict[str, Any]:
    """The object of a JSON text; raises RulesError."""
    try:
        model = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problem = Problem((f"line {error.lineno}",), f"is not JSON: {error.msg}", _EXPORT)
    except ValueError as error:
        problem = Problem((), f"is not JSON: {error}", _EXPORT)
    except RecursionError:
        problem = Problem((), "is nested too deeply", _EXPORT)
    else:
        if isinstance(model, dict):
            return model
        problem = Problem((), "is no dashboard: it holds no JSON object", _EXPORT)
    raise RulesError([problem])


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


def _broken(model: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with a dashboard that was read."""
    if isinstance(model.get("dashboard"), Mapping):
        yield Problem((), "is an answer of Grafana's API", "Keep what is under its key dashboard only.")
        return
    if "apiVersion" in model or "elements" in model:
        yield Problem(
            (), "is a Kubernetes resource or a dashboard of schema 2, which older Grafanas can't load", _EXPORT
        )
        return
    if not isinstance(model.get("panels", model.get("rows")), list):
        yield Problem((), "is no dashboard: it has no list of panels", _EXPORT)
        return
    if not isinstance(model.get("title"), str) or not model["title"].strip():
        yield Problem(("title",), "is missing", "Add it: Grafana lists dashboards by their titles.")
    yield from _broken_uid(model.get("uid"))
    if model.get("__elements"):
        instead = "Unlink them in Grafana, and export the dashboard again."
        yield Problem(("__elements",), "are library panels, which are not in the file", instead)
    for index, one in enumerate(_list(model, "__inputs")):
        if one.get("type") != "datasource":
            name = one.get("name")
            instead = f"Write its value for ${{{name}}} in the file, and remove it."
            yield Problem(("__inputs", index), "is to be filled in at an import by hand", instead, str(name))


def _broken_uid(uid: object) -> Iterator[Problem]:
    if uid is None or uid == "":
        return
    if not isinstance(uid, str) or not UID.fullmatch(uid):
        instead = "Write at most 40 letters, digits, dashes and underscores."
        yield Problem(("uid",), "is not the uid of a dashboard", instead, str(uid))
    elif uid.startswith(OWN_UID):
        yield Problem(("uid",), "is a uid of promfleet's own dashboards", "Write another one.", uid)


def _types(model: Mapping[str, Any]) -> dict[str, str]:
    named = [(one.get("name"), one.get("pluginId")) for one in _list(model, "__inputs")]
    named += [(one.get("name"), one.get("query")) for one in _variables(model) if one.get("type") == "datasource"]
    return {str(name): str(kind) for name, kind in named if kind is not None}


def _unresolved(value: object, types: Mapping[str, str], sources: Sources, path: Path) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key == "datasource" and isinstance(problem := _source(one, types, sources), Problem):
                yield problem.under((*path, key))
            else:
                yield from _unresolved(one, types, sources, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _unresolved(one, types, sources, (*path, index))


def _source(written: object, types: Mapping[str, str], sources: Sources) -> Mapping[str, str] | Problem | None:
    """What the datasource of a query is here, or why it is none; None where it stays as it is."""
    if not _is_datasource(written):
        return None
    kind, name = (written.get("type"), written.get("uid")) if isinstance(written, Mapping) else (None, written)
    if isinstance(name, str) and (variable := _VARIABLE.fullmatch(name)):
        kind, name = types.get(variable[1] or variable[2], kind), None
    found = [one for one in sources if name and name in (one.get("uid"), one["name"])]
    if not found and kind in (None, _PROMETHEUS):
        return _OURS
    found = found or [one for one in sources if one["type"] == kind]
    if not found:
        instead = "Add one to grafana.datasources, or remove what queries it."
        return Problem((), f"is a datasource of type {kind}, which this Grafana has not", instead)
    if len(found) > 1:
        uids = " or ".join(str(one.get("uid")) for one in found)
        return Problem((), f"is one of several datasources of type {kind}", f"Write uid: {uids} in the file.")
    if "uid" not in found[0]:
        rule = f"is the datasource {found[0]['name']}, whose uid Grafana would choose"
        return Problem((), rule, "Write its uid in grafana.datasources.")
    return {"type": found[0]["type"], "uid": found[0]["uid"]}


def _provisioned(model: Mapping[str, Any], uid: str) -> dict[str, Any]:
    """
    The dashboard as Grafana loads it from a file.

    Variables that choose a datasource are left out: what refers to them is resolved. Grafana gives it an `id` itself.
    """
    kept = {key: one for key, one in model.items() if key not in ("__inputs", "__requires", "__elements", "id")}
    if _variables(model):
        variables = [one for one in _variables(model) if one.get("type") != "datasource"]
        kept["templating"] = {**model["templating"], "list": variables}
    return {**kept, "uid": uid}


def _resolved(value: Any, types: Mapping[str, str], sources: Sources) -> Any:
    if isinstance(value, dict):
        found = {key: _source(one, types, sources) if key == "datasource" else None for key, one in value.items()}
        return {
            key: found[key] if isinstance(found[key], Mapping) else _resolved(one, types, sources)
            for key, one in value.items()
        }
    return [_resolved(item, types, sources) for item in value] if isinstance(value, list) else value


def _is_datasource(written: object) -> bool:
    """Whether it is one of its own; none at all is the default one, which is ours."""
    if isinstance(written, Mapping):
        return written.get("type") not in _GRAFANAS_OWN and written.get("uid") not in _GRAFANAS_OWN
    return isinstance(written, str) and written not in _GRAFANAS_OWN


def _variables(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    templating = model.get("templating")
    return _list(templating, "list") if isinstance(templating, Mapping) else []


def _list(section: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list; nothing of what is none."""
    found = section.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
