"""Settings of Grafana in its own words: `grafana.signIn` and `grafana.settings`, and how they are judged offline."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError, nearest
from .receiver_config import ReceiverReference
from .scrape_credentials import IN_URL, PLAIN, REFERENCE, REPLACE, Files, MountedFile, WithFiles, file

_OF_OAUTH = frozenset(
    {
        *("allow_assign_grafana_admin", "allow_sign_up", "allowed_domains", "allowed_groups", "api_url", "auth_url"),
        *("auto_login", "client_id", "client_secret", "icon", "name", "org_attribute_path", "org_mapping"),
        *("role_attribute_path", "role_attribute_strict", "scopes", "signout_redirect_url", "skip_org_role_sync"),
        *("tls_client_ca", "tls_client_cert", "tls_client_key", "tls_skip_verify_insecure", "token_url", "use_pkce"),
        "use_refresh_token",
    }
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A section `auth.<name>` of Grafana's configuration."""

    keys: frozenset[str]
    """Its keys without `enabled`."""
    required: tuple[str, ...]
    admits: str = ""
    """Whose accounts can all log in unless one of `limits` is set; nobody's if empty."""
    limits: tuple[str, ...] = ()
    """The keys that limit who can log in."""


_LOGIN = ("client_id", "client_secret")
PROVIDERS: Mapping[str, Provider] = {
    "azuread": Provider(
        _OF_OAUTH
        | {
            *("allowed_organizations", "client_authentication", "federated_credential_audience"),
            *("force_use_graph_api", "login_prompt", "managed_identity_client_id", "workload_identity_token_file"),
        },
        (*_LOGIN, "auth_url", "token_url"),
    ),
    "generic_oauth": Provider(
        _OF_OAUTH
        | {
            *("allowed_organizations", "auth_style", "email_attribute_name", "email_attribute_path", "empty_scopes"),
            *("groups_attribute_path", "id_token_attribute_name", "login_attribute_path", "login_prompt"),
            *("name_attribute_path", "team_ids", "team_ids_attribute_path", "teams_url"),
        },
        (*_LOGIN, "auth_url", "token_url"),
    ),
    "github": Provider(
        _OF_OAUTH | {"allowed_organizations", "team_ids"},
        _LOGIN,
        "GitHub",
        ("allowed_organizations", "team_ids", "allowed_domains"),
    ),
    "gitlab": Provider(_OF_OAUTH, _LOGIN, "GitLab", ("allowed_groups", "allowed_domains")),
    "google": Provider(
        _OF_OAUTH | {"hosted_domain", "login_prompt", "validate_hd"},
        _LOGIN,
        "Google",
        ("allowed_domains", "allowed_groups", "hosted_domain"),
    ),
    "ldap": Provider(
        frozenset({"active_sync_enabled", "allow_sign_up", "config_file", "skip_org_role_sync", "sync_cron"}),
        ("config_file",),
    ),
    "okta": Provider(_OF_OAUTH, (*_LOGIN, "auth_url", "token_url", "api_url")),
}
"""
Name of a section `auth.<name>` -> what it may have.

A test holds the keys against what Grafana reads, tests/unit/grafana_sign_in.json.
"""
_OTHER_NAMES = {
    **dict.fromkeys(("azure", "azure_ad", "azureAd", "entra", "entraId", "microsoft"), "azuread"),
    **dict.fromkeys(("dex", "keycloak", "oauth", "oauth2", "oidc", "genericOauth", "auth0"), "generic_oauth"),
}
_WITHOUT_SECRET = {
    "azuread": ("client_authentication", ("managed_identity", "workload_identity")),
    "generic_oauth": ("use_pkce", (True,)),
}
"""Provider -> a key and its values with which it needs no client secret."""
IS_SECRET = re.compile(
    r"(?:passw(?:or)?d|secret|token|credentials?|connstr|(?:access|account|api|encryption|private|secret)_?key)$",
    re.IGNORECASE,
)
"""Names of keys whose values are likely to be credentials."""
_IS_PATH = re.compile(r"(?:_file|(?:ca|cert|key)_path|tls_client_(?:ca|cert|key)|_ca|_ca_cert)$", re.IGNORECASE)
"""Names of keys whose values are paths, so that a reference becomes the path of its file."""
_OF_POD = ("tls_client_ca", "tls_client_cert", "tls_client_key", "config_file")
"""Keys with paths of files that only a reference brings into the pod."""
_SECTION = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
EXPANDED = re.compile(r"\$__\w*\{")
"""What Grafana replaces by a file or a variable, anywhere in a value."""

_CLOSED = "is set by promfleet: its Grafana sends nothing to the Internet"
_LOGGED_IN = "is set by promfleet: everybody logs in to its Grafana"
_SERVED = "is set by promfleet: it follows from expose and from the certificate of the server"
_PLUGINS = ("is set by promfleet: it follows from grafana.plugins", "Write grafana: {plugins: [id@version]}.")
_REMOVE = "Remove it."
OWNED: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            *("analytics.check_for_plugin_updates", "analytics.check_for_updates", "analytics.feedback_links_enabled"),
            *("analytics.reporting_enabled", "news.news_feed_enabled", "plugins.plugin_admin_enabled"),
            *("plugins.preinstall_auto_update", "plugins.public_key_retrieval_disabled", "security.disable_gravatar"),
            "snapshots.external_enabled",
        ),
        (_CLOSED, _REMOVE),
    ),
    **dict.fromkeys(
        ("auth.anonymous.enabled", "users.allow_sign_up"),
        (_LOGGED_IN, "Remove it; people log in by grafana.signIn, or are invited."),
    ),
    "auth.proxy.enabled": (
        "lets whoever reaches Grafana's port log in as anybody, by a header",
        "Remove it, and write grafana.signIn: Grafana then asks the provider itself.",
    ),
    "metrics.enabled": ("is set by promfleet: its metrics would be readable without a login", _REMOVE),
    "security.cookie_secure": ("is set by promfleet: Grafana is served by HTTPS only", _REMOVE),
    "security.admin_password": (
        "is set by promfleet",
        "Write grafana: {secret: {name: …, key: …}}, or run `pulumi config set --secret promfleet:grafanaAdmin`.",
    ),
    **dict.fromkeys(
        (
            *("server.cert_file", "server.cert_key", "server.certs_watch_interval", "server.http_addr"),
            *("server.http_port", "server.protocol"),
        ),
        (_SERVED, _REMOVE),
    ),
    "server.root_url": (_SERVED, "Write grafana: {expose: {host: grafana.acme.example}}."),
    "dashboards.default_home_dashboard_path": ("is set by promfleet: people begin at the board of the fleet", _REMOVE),
    **dict.fromkeys(("plugins.preinstall", "plugins.preinstall_disabled", "plugins.preinstall_sync"), _PLUGINS),
    **dict.fromkeys(
        ("paths.data", "paths.logs", "paths.plugins", "paths.provisioning", "paths.config", "paths.home"),
        ("is set by promfleet: nothing else of the pod is writable or mounted", _REMOVE),
    ),
}
"""A setting that this program decides, as `section.key` -> the rule that it breaks, and what to write instead."""


def variable(section: str, key: str) -> str:
    """The environment variable of a setting, by Grafana's page on its configuration."""
    return f"GF_{re.sub('[.-]', '_', f'{section}_{key}').upper()}"


_OWNED_VARIABLES = {variable(*name.rsplit(".", 1)): said for name, said in OWNED.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrafanaConfig(WithFiles):
    """Settings as they were written."""

    values: Mapping[tuple[str, str], str | MountedFile] = field(default_factory=dict)
    """Section and key -> the value as text, or the file that holds it."""

    @property
    def needs_browser(self) -> bool:
        """Whether somebody logs in elsewhere, and is sent back to Grafana."""
        return any(section != "auth.ldap" for section, _ in self.values)


def is_path(key: str) -> bool:
    """Whether Grafana expects the path of a file in a setting."""
    return bool(_IS_PATH.search(key))


class SignIn:
    """The type of `grafana.signIn`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_sign_in)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        providers = {
            name: {
                "type": "object",
                "properties": {key: {} for key in sorted(one.keys)},
                "additionalProperties": False,
            }
            for name, one in PROVIDERS.items()
        }
        return {"type": "object", "minProperties": 1, "properties": providers, "additionalProperties": False}


class FreeSettings:
    """The type of `grafana.settings`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_free)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": "object"}}


def _sign_in(written: object) -> GrafanaConfig:
    """The settings of all providers; raises RulesError with every problem."""
    example = "Write {github: {client_id: …, client_secret: {secret: {name: …, key: …}}, allowed_organizations: acme}}."
    if isinstance(written, GrafanaConfig):
        return written
    if not isinstance(written, Mapping) or not written:
        raise RulesError([Problem((), "is empty" if written in (None, {}) else "is not a mapping", example)])
    found, values = Files(reference=ReceiverReference), {}
    for name, settings in written.items():
        provider = PROVIDERS.get(name)
        if provider is None:
            instead = nearest(_OTHER_NAMES.get(str(name), name), PROVIDERS, f"Known here: {', '.join(PROVIDERS)}.")
            found.problems.append(Problem((name,), "unknown key", instead))
        elif not isinstance(settings, Mapping):
            found.problems.append(Problem((name,), "is not a mapping", "Write keys and values."))
        else:
            section = f"auth.{name}"
            values[section, "enabled"] = "true"
            for key, value in settings.items():
                read = _known(found, provider, key, value, (name, key))
                if read is not None:
                    values[section, key] = read
            found.problems += _of_provider(name, provider, settings)
    logins = [name for (name, key), value in values.items() if key == "auto_login" and value == "true"]
    if len(logins) > 1:
        rule = f"is true for {' and '.join(name.removeprefix('auth.') for name in logins)}"
        found.problems.append(Problem((), f"auto_login {rule}", "Write it for one only: it is where people are sent."))
    if found.problems:
        raise RulesError(found.problems)
    return GrafanaConfig(values=values, mounted=tuple(found.mounted))


def _known(found: Files, provider: Provider, key: str, value: object, path: Path) -> str | MountedFile | None:
    if key == "enabled":
        found.problems.append(Problem(path, "is not needed: what is written is enabled", _REMOVE))
    elif key not in provider.keys:
        known = sorted(provider.keys)
        found.problems.append(Problem(path, "unknown key", nearest(key, known, f"Known here: {', '.join(known)}.")))
    elif key in _OF_POD and isinstance(value, str):
        found.problems.append(Problem(path, "is the path of a file that is not in the pod", f"Write {REFERENCE}."))
    else:
        return _value(found, key, value, path)
    return None


def _of_provider(name: str, provider: Provider, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """What is missing: keys without which nobody, or limits without which anybody can log in."""
    switch, without = _WITHOUT_SECRET.get(name, ("", ()))
    for key in provider.required:
        if key in settings or (key == "client_secret" and settings.get(switch) in without):
            continue
        instead = f"Add {key}: {REFERENCE}." if IS_SECRET.search(key) or key in _OF_POD else f"Add {key}."
        yield Problem((name, key), "is missing", instead)
    is_strict = settings.get("role_attribute_strict") is True and "role_attribute_path" in settings
    is_limited = any(settings.get(key) for key in provider.limits) or is_strict or "auth_url" in settings
    if provider.admits and not is_limited and settings.get("allow_sign_up") is not False:
        rule = f"lets in everybody who has an account of {provider.admits}"
        limits = f"{', '.join(provider.limits[:-1])} or {provider.limits[-1]}"
        yield Problem((name,), rule, f"Write {limits}; or allow_sign_up: false, and invite people.")


def _free(written: object) -> GrafanaConfig:
    """The settings of all sections; raises RulesError with every problem."""
    example = "Write {section: {key: value}}, such as {smtp: {enabled: true}}."
    if isinstance(written, GrafanaConfig):
        return written
    if not isinstance(written, Mapping):
        raise RulesError([Problem((), "is empty" if written is None else "is not a mapping", example)])
    found, values = Files(reference=ReceiverReference), {}
    variables: dict[str, tuple[str, str]] = {}
    for section, keys in written.items():
        if not _SECTION.fullmatch(str(section)):
            found.problems.append(Problem((section,), "is no name of a section", example))
        elif not isinstance(keys, Mapping):
            found.problems.append(Problem((section,), "is not a mapping", example))
        else:
            for key, value in keys.items():
                read = _setting(found, variables, (section, key), value)
                if read is not None:
                    values[section, key] = read
    if found.problems:
        raise RulesError(found.problems)
    return GrafanaConfig(values=values, mounted=tuple(found.mounted))


def _setting(
    found: Files, variables: dict[str, tuple[str, str]], path: tuple[str, str], value: object
) -> str | MountedFile | None:
    if not _KEY.fullmatch(str(path[1])):
        found.problems.append(Problem(path, "is no name of a setting", "Write it as Grafana's documentation does."))
        return None
    name = variable(*path)
    provider = next((one for one in PROVIDERS if name.startswith(variable("auth", f"{one}_"))), None)
    if provider:
        found.problems.append(Problem(path, "belongs to signIn", f"Write grafana: {{signIn: {{{provider}: …}}}}."))
    elif said := _OWNED_VARIABLES.get(name):
        found.problems.append(Problem(path, *said))
    elif (first := variables.setdefault(name, path)) != path:
        rule = f"is the environment variable {name}, and {'.'.join(first)} is too"
        found.problems.append(Problem(path, rule, "Keep one of the two."))
    else:
        return _value(found, path[1], value, path)
    return None


def _value(found: Files, key: str, value: object, path: Path) -> str | MountedFile | None:
    """A value as the text of an environment variable."""
    match value:
        case Mapping():
            base = next((one for one in ("ca", "cert") if re.search(rf"(?:^|_){one}(?:_path)?$", key)), "")
            read = file(found, base, value, path)
            return read if isinstance(read, MountedFile) else None
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case None | "":
            problem = Problem(path, "is empty, which Grafana passes over", "Write a value, or remove it.")
        case str() if IS_SECRET.search(key):
            problem = Problem(path, PLAIN, f"{REPLACE} {REFERENCE}.")
        case str() if IN_URL.search(value) or re.search(r"(?:^|[,;\s])passw(?:or)?d=", value, re.IGNORECASE):
            problem = Problem(path, "has a credential in it", f"{REPLACE} all of it as {REFERENCE}.")
        case str() if EXPANDED.search(value):
            problem = Problem(path, "names a file or variable of the pod", f"Write {REFERENCE}.")
        case str() if not all(char.isprintable() or char == "\n" for char in value):
            problem = Problem(path, "holds characters that are not text", "Write it on one line.")
        case str():
            return value
        case _:
            problem = Problem(path, "is not a single value", "Write one text as Grafana reads it: a, b.")
    found.problems.append(problem)
    return None
