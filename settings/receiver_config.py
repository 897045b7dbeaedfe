"""Integrations of a receiver in Alertmanager's own words, and how they are judged offline."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError, nearest
from .go_templates import OF_NOTIFICATIONS, mistakes
from .integrations import INTEGRATIONS, REQUIRED, Field, Fields, Headers, ListOf, Public, Secret
from .kinds import MAPPING, RULES, halves
from .scrape_credentials import (
    IN_URL,
    PLAIN,
    REFERENCE,
    REPLACE,
    Files,
    MountedFile,
    Reference,
    WithFiles,
    file,
    http_header,
)
from .types import refused

RELEASE = "0.31"
"""Release of Alertmanager whose fields these are."""
OF_STACK = "stackSecret"
_FREE = ("fleet",)
"""Keys of the stack's configuration that are no secrets."""
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_INSTEAD = {
    "proxy_connect_header": "Remove it, and have the proxy know Alertmanager by its address.",
    **dict.fromkeys(
        ("access_key", "secret_key"), "Remove access_key and secret_key, and give the nodes a role of AWS."
    ),
}
_NAMED = re.compile(r'\{\{-?\s*template\s+"([^"]+)"')
_DEFINED = re.compile(r'\{\{-?\s*(?:define|block)\s+"([^"]+)"')
_DEFAULTS = frozenset(
    {
        *("__alertmanager", "__alertmanagerURL", "__description", "__subject", "__text_alert_list"),
        "__text_alert_list_markdown",
        *(f"discord.default.{name}" for name in ("content", "message", "title")),
        *(f"email.default.{name}" for name in ("html", "subject")),
        *(f"jira.default.{name}" for name in ("description", "priority", "summary")),
        "mattermost.default.text",
        *(f"msteams.default.{name}" for name in ("summary", "text", "title")),
        *(f"msteamsv2.default.{name}" for name in ("text", "title")),
        *(f"opsgenie.default.{name}" for name in ("description", "message", "source")),
        *(f"pagerduty.default.{name}" for name in ("client", "clientURL", "description", "instances")),
        *(f"pushover.default.{name}" for name in ("message", "title", "url")),
        *(f"rocketchat.default.{name}" for name in ("alias", "emoji", "iconurl", "text", "title", "titlelink")),
        *(f"slack.default.{name}" for name in ("callbackid", "fallback", "footer", "iconemoji", "iconurl", "pretext")),
        *(f"slack.default.{name}" for name in ("text", "title", "titlelink", "username")),
        *(f"sns.default.{name}" for name in ("message", "subject")),
        "telegram.default.message",
        *(f"victorops.default.{name}" for name in ("entity_display_name", "monitoring_tool", "state_message")),
        "webex.default.message",
        *(f"wechat.default.{name}" for name in ("agent_id", "message", "to_party", "to_tag", "to_user")),
    }
)
"""Templates that Alertmanager 0.31 defines (template/default.tmpl and email.tmpl)."""


def _is_a_key(key: str) -> str:
    if not _KEY.fullmatch(key) or key in _FREE:
        raise refused("is not a key of the stack's configuration", "Write letters and digits: opsgenieApiKey.")
    return key


class ReceiverReference(Reference):
    """A key of a Secret or ConfigMap in Alertmanager's namespace, or a secret of the stack."""

    stack_secret: Annotated[str, AfterValidator(_is_a_key)] | None = None
    """Key of the stack's configuration: `pulumi config set --secret promfleet:<key>`."""

    def problems(self) -> Iterator[Problem]:
        """It is one of the three."""
        if sum(map(bool, (self.secret, self.config_map, self.stack_secret))) != 1:
            yield Problem((), "names not exactly one object", f"Write {REFERENCE}, or stackSecret instead of secret.")

    @property
    def mounted(self) -> MountedFile | None:
        """The file that it becomes."""
        return MountedFile(OF_STACK, self.stack_secret, "") if self.stack_secret else super().mounted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverConfigs(WithFiles):
    """The integrations of one receiver as they were written."""

    integrations: Mapping[str, list[Any]]
    """`slack_configs` and the like -> the integrations, with a `MountedFile` where Alertmanager expects a path."""
    texts: tuple[tuple[Path, str], ...]
    """Their templates."""


class Integrations:
    """The type of `configs` of a receiver."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        known = {
            name: {"type": "array", "minItems": 1, "items": {"type": "object", "properties": _properties(fields)}}
            for name, fields in INTEGRATIONS.items()
        }
        return {"type": "object", "minProperties": 1, "properties": known, "additionalProperties": False}


def _properties(fields: Fields) -> dict[str, Any]:
    return {name: {} for name in _keys(fields)}


@dataclass(frozen=True, slots=True)
class Verbatim:
    """The type of a list of mappings that Alertmanager owns, such as `time_intervals`."""

    fields: Fields
    example: str
    """What to write instead of something else."""
    required: tuple[str, ...] = ()
    """Fields that each entry has."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        properties = _properties(self.fields)
        return {"type": "array", "items": {"type": "object", "properties": properties, "additionalProperties": False}}

    def _parsed(self, written: object) -> tuple[Mapping[str, Any], ...]:
        if not isinstance(written, list | tuple):
            raise RulesError([Problem((), "is not a list", f"Begin each entry with a hyphen: - {self.example}.")])
        found = Files()
        for index, one in enumerate(written):
            if isinstance(one, Mapping):
                for name in self.required:
                    if name not in one:
                        found.problems.append(Problem((index, name), "is missing", f"Write {self.example}."))
                _mapping(found, self.fields, one, (index,))
            else:
                found.problems.append(Problem((index,), "is not a mapping", f"Write {self.example}."))
        if problems := found.problems or [*halves(written)]:
            raise RulesError(problems)
        return tuple(written)


def _parsed(written: object) -> ReceiverConfigs:
    """The integrations of a receiver; raises RulesError with every problem."""
    if isinstance(written, ReceiverConfigs):
        return written
    example = "Write a kind and a list: {opsgenie_configs: [{api_key: {secret: {name: …, key: …}}}]}."
    if not isinstance(written, Mapping) or not written:
        rule = "is empty" if written is None or written == {} else "is not a mapping"
        raise RulesError([Problem((), rule, example)])
    found, read = Files(reference=ReceiverReference), {}
    for kind, entries in written.items():
        if kind not in INTEGRATIONS:
            names = [name.removesuffix("_configs") for name in INTEGRATIONS]
            near = get_close_matches(str(kind).lower().removesuffix("_configs"), names, n=1)
            instead = (
                f'Did you mean "{near[0]}_configs"?'
                if near
                else f"Alertmanager {RELEASE} has: {', '.join(INTEGRATIONS)}."
            )
            found.problems.append(Problem((kind,), "unknown key", instead))
        elif not RULES.accepts(entries) or not entries:
            rule = "is empty" if entries in (None, []) else RULES.rule
            found.problems.append(Problem((kind,), rule, RULES.instead))
        else:
            read[kind] = [_integration(found, kind, one, (kind, index)) for index, one in enumerate(entries)]
    if problems := found.problems or [*halves(written)]:
        raise RulesError(problems)
    return ReceiverConfigs(
        integrations=read,
        mounted=tuple(found.mounted),
        literal=tuple(found.literal),
        texts=tuple(_templates(read, ())),
    )


def _templates(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and "{{" in value:
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _templates(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _templates(item, (*path, index))


def _integration(found: Files, kind: str, written: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    fields = INTEGRATIONS[kind]
    for group in REQUIRED[kind]:
        if not any(name in written or f"{name}_file" in written for name in group):
            rule = "is missing" if len(group) == 1 else f"has neither {' nor '.join(group)}"
            place = (*path, group[0]) if len(group) == 1 else path
            found.problems.append(Problem(place, rule, _added(group[0], fields[group[0]])))
    http, token = written.get("http_config"), "alert_source_token"
    needs_login = kind == "webex_configs" or (
        kind == "incidentio_configs" and not {token, f"{token}_file"} & written.keys()
    )
    if needs_login and isinstance(http, Mapping) and "authorization" not in http:
        instead = f"Add authorization: {{credentials: {REFERENCE}}}."
        found.problems.append(Problem((*path, "http_config", "authorization"), "is missing", instead))
    return _mapping(found, fields, written, path)


def _added(name: str, field: Field) -> str:
    return f"Add {name}: {REFERENCE}." if isinstance(field, Secret) else "Add it."


def _keys(fields: Fields) -> Iterator[str]:
    for name, field in fields.items():
        yield name
        if isinstance(field, Public) or (isinstance(field, Secret) and field.has_file):
            yield f"{name}_file"


def _mapping(found: Files, fields: Fields, written: Mapping[str, Any], path: Path) -> dict[str, Any]:
    read: dict[str, Any] = {}
    known = list(_keys(fields))
    for key, value in written.items():
        here = (*path, key)
        if key not in known:
            instead = nearest(key, known, f"Known here: {', '.join(known)}.")
            found.problems.append(Problem(here, "unknown key", instead))
        elif key not in fields:
            base = key.removesuffix("_file")
            if base in written:
                found.problems.append(Problem(here, f"is written twice: as {base} too", "Keep one of the two."))
            read[key] = file(found, base, value, here)
        else:
            read |= _field(found, key, fields[key], value, here)
    return read


def _field(found: Files, key: str, field: Field, value: Any, path: Path) -> dict[str, Any]:
    """A field under the name that Alertmanager knows it by; a reference becomes a file."""
    match field:
        case Secret(has_file=False):
            rule = f"is a credential that Alertmanager {RELEASE} reads from no file"
            found.problems.append(Problem(path, rule, _INSTEAD[key]))
        case Secret() | Public() if isinstance(value, Mapping):
            return {f"{key}_file": file(found, key, value, path)}
        case Secret():
            found.problems.append(Problem(path, PLAIN, f"{REPLACE} {REFERENCE}."))
        case Public(kind=kind):
            return _field(found, key, kind, value, path)
        case Headers() if MAPPING.accepts(value):
            return {key: {name: http_header(found, str(name), one, (*path, name)) for name, one in value.items()}}
        case ListOf(fields=fields) if RULES.accepts(value):
            return {key: [_mapping(found, fields, one, (*path, index)) for index, one in enumerate(value)]}
        case Mapping() if isinstance(value, Mapping):
            return {key: _mapping(found, field, value, path)}
        case _:
            kind = RULES if isinstance(field, ListOf) else MAPPING if isinstance(field, Mapping | Headers) else field
            if not kind.accepts(value):
                found.problems.append(kind.problem(path, value))
            _inside(found, value, path)
    return {key: value}


def _inside(found: Files, value: Any, path: Path, within: tuple[int, ...] = ()) -> None:
    """What no value may hold, however deep it is."""
    if isinstance(value, Mapping | list | tuple):
        if id(value) in within:
            found.problems.append(Problem(path, "contains itself", "Remove the alias."))
            return
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            _inside(found, item, (*path, key), (*within, id(value)))
    elif isinstance(value, str) and IN_URL.search(value):
        instead = f"{REPLACE} it in basic_auth or authorization of http_config, as {REFERENCE}."
        if path[-1] == "proxy_url":
            instead = "Replace it where it is used, and have the proxy know Alertmanager by its address."
        found.problems.append(Problem(path, "has a credential in a URL", instead))


def undefined_templates(texts: Mapping[Path, str], files: Mapping[str, str]) -> Iterator[Problem]:
    """Every text or template file that names a template which neither a file nor Alertmanager defines."""
    known = {*_DEFAULTS, *(name for text in files.values() for name in _DEFINED.findall(text))}
    places = {**texts, **{("templates", name): text for name, text in files.items()}}
    for path, text in places.items():
        for name in dict.fromkeys(_NAMED.findall(text)):
            if name not in known:
                instead = nearest(name, known, "Define it in a file of alertmanager.templates.")
                yield Problem(path, f'names the template "{name}", which nothing defines', instead)


def broken_templates(texts: Mapping[Path, str], files: Mapping[str, str]) -> Iterator[Problem]:
    """What Alertmanager can't parse: it loads no configuration with such a file, and does not send such a text."""
    for path, text in {**texts, **{("templates", name): text for name, text in files.items()}}.items():
        yield from (Problem(path, wrong, instead) for wrong, instead in mistakes(text, OF_NOTIFICATIONS))
