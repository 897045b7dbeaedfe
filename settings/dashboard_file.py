"""A dashboard in a file beside the stack file, checked and made to query the datasource of this program."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""As Grafana has it: util.IsValidShortUID, MaxLength of shortid_generator.go."""
_PROMETHEUS = "prometheus"
_OURS = {"type": _PROMETHEUS, "uid": DATASOURCE}
_GRAFANAS_OWN = frozenset({"-- Dashboard --", "-- Grafana --", "-- Mixed --", "__expr__", "datasource", "grafana"})
"""Names, uids and types of what stands for a datasource within Grafana."""
_VARIABLE = re.compile(r"\$\{?(\w+)\}?|\[\[(\w+)\]\]")
_EXPORT = "Export the dashboard in Grafana as JSON, model Classic."
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
    """JSON whose datasources are resolved."""


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
    text = json.dumps(_provisioned(model, uid), separators=(",", ":"), sort_keys=True)
    if len(text) > LARGEST:
        rule = f"is a dashboard of {len(text)} bytes, and a ConfigMap holds {LARGEST}"
        raise RulesError([Problem((), rule, "Split it into several dashboards.", written.path)])
    return DashboardFile(written.path, uid, model["title"], text)


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
    foreign = _foreign(model)
    yield from _other_datasources(model, foreign, ())


def _broken_uid(uid: object) -> Iterator[Problem]:
    if uid is None or uid == "":
        return
    if not isinstance(uid, str) or not _UID.fullmatch(uid):
        instead = "Write at most 40 letters, digits, dashes and underscores."
        yield Problem(("uid",), "is not the uid of a dashboard", instead, str(uid))
    elif uid.startswith(OWN_UID):
        yield Problem(("uid",), "is a uid of promfleet's own dashboards", "Write another one.", uid)


def _foreign(model: Mapping[str, Any]) -> dict[str, str]:
    """Names of inputs and variables that stand for a datasource of another type than Prometheus -> its type."""
    named = [(one.get("name"), one.get("pluginId")) for one in _list(model, "__inputs")]
    named += [(one.get("name"), one.get("query")) for one in _variables(model) if one.get("type") == "datasource"]
    return {str(name): str(kind) for name, kind in named if kind not in (_PROMETHEUS, None)}


def _other_datasources(value: object, foreign: Mapping[str, str], path: Path) -> Iterator[Problem]:
    """Each query that no Prometheus can answer."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if key == "datasource" and (kind := _other_type(one, foreign)):
                instead = "Remove what queries it: dashboards in files may query Prometheus only."
                yield Problem((*path, key), f"is a datasource of type {kind}", instead)
            else:
                yield from _other_datasources(one, foreign, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _other_datasources(one, foreign, (*path, index))


def _other_type(source: object, foreign: Mapping[str, str]) -> str | None:
    if isinstance(source, Mapping):
        kind = source.get("type")
        if kind not in (None, _PROMETHEUS, *_GRAFANAS_OWN):
            return str(kind)
        source = source.get("uid")
    found = _VARIABLE.fullmatch(source) if isinstance(source, str) else None
    return foreign.get(found[1] or found[2]) if found else None


def _provisioned(model: Mapping[str, Any], uid: str) -> dict[str, Any]:
    """
    The dashboard as Grafana loads it from a file: what an import would ask for is resolved.

    It has the one datasource, so that variables that choose one are left out. Grafana gives it an `id` of its own.
    """
    kept = {key: one for key, one in model.items() if key not in ("__inputs", "__requires", "__elements", "id")}
    if _variables(model):
        variables = [one for one in _variables(model) if one.get("type") != "datasource"]
        kept["templating"] = {**model["templating"], "list": variables}
    return {**_resolved(kept), "uid": uid}


def _resolved(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _OURS if key == "datasource" and _is_prometheus(one) else _resolved(one) for key, one in value.items()
        }
    return [_resolved(item) for item in value] if isinstance(value, list) else value


def _is_prometheus(source: object) -> bool:
    """Whether it is a datasource; none at all is the default one, which is ours."""
    if isinstance(source, Mapping):
        return source.get("type") not in _GRAFANAS_OWN and source.get("uid") not in _GRAFANAS_OWN
    return isinstance(source, str) and source not in _GRAFANAS_OWN


def _variables(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    templating = model.get("templating")
    return _list(templating, "list") if isinstance(templating, Mapping) else []


def _list(section: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list; nothing of what is none."""
    found = section.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
