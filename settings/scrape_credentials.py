"""Credentials and files of verbatim documents: never in plain text, but keys of Secrets that are mounted as files."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ValidationError

from .errors import Path, Problem
from .secret_reference import SecretKey
from .section import Section

WITH_FILE: Mapping[str, frozenset[str]] = {
    "basic_auth": frozenset({"username", "password"}),
    "authorization": frozenset({"credentials"}),
    "oauth2": frozenset({"client_secret", "client_certificate_key"}),
    "tls_config": frozenset({"ca", "cert", "key"}),
    "marathon_sd_configs": frozenset({"auth_token"}),
    "oci_sd_configs": frozenset({"key_passphrase"}),
    "outscale_sd_configs": frozenset({"secret_key"}),
    "scaleway_sd_configs": frozenset({"secret_key"}),
}
"""
Section of a `scrape_config` -> its fields that Prometheus also reads from a file, as `<field>_file`.

Of `config.Secret` and `*_file` in prometheus/common 0.71 (config) and Prometheus 3.15 (discovery).
"""
_WITH_FILE_ANYWHERE = frozenset({"bearer_token"})
_PUBLIC = frozenset({"ca", "cert", "username"})
"""Of those, what is no credential: it may stand in the stack file, or in a ConfigMap."""
_WITHOUT_FILE = frozenset(
    {
        *("application_credential_secret", "application_secret", "certificate_password", "consumer_key", "private_key"),
        *("proxy_connect_header", "secret_key", "service_account_key", "token"),
    }
)
CREDENTIALS = (frozenset[str]().union(*WITH_FILE.values(), _WITH_FILE_ANYWHERE, _WITHOUT_FILE) - _PUBLIC) | {"key"}
"""Every field of a `scrape_config` that Prometheus keeps secret, and so does this program, wherever it stands."""
_INSTEAD = {
    "consul_sd_configs": {
        "token": "Write authorization: {credentials: {secret: {name: …, key: …}}}, which Consul takes too.",
        "password": "Write basic_auth: {username: …, password: {secret: {name: …, key: …}}}.",
    },
    "stackit_sd_configs": {
        "private_key": "Write private_key_path: {secret: {name: …, key: …}}.",
        "service_account_key": "Write service_account_key_path: {secret: {name: …, key: …}}.",
    },
    "azure_sd_configs": {
        "client_secret": "Write authentication_method: ManagedIdentity, and give the nodes or the pod that identity.",
    },
    "sigv4": {
        "secret_key": "Remove access_key and secret_key, and give the nodes or the ServiceAccount a role of AWS.",
    },
    "oauth": {"client_secret": "Write managed_identity or workload_identity instead of oauth."},
    "certificate": {"certificate_password": "Write certificate_path and certificate_key_path, with a key in PEM."},
}
ROLE_OF_AWS = "Remove it, and give the ServiceAccount of Prometheus, or the nodes, a role of AWS."
_OF_PROXIES = "Remove it, and have the proxy know Prometheus by its address."
_ELSEWHERE = "Have another program discover the targets for http_sd_configs or file_sd_configs."
OF_AWS = tuple(f"{service}_sd_configs" for service in ("aws", "ec2", "ecs", "elasticache", "lightsail", "msk", "rds"))
"""Discoveries by the API of AWS, with an access key or a role."""

_PATHS: Mapping[str, frozenset[str]] = {
    "stackit_sd_configs": frozenset({"credentials_file_path", "private_key_path", "service_account_key_path"}),
    "certificate": frozenset({"certificate_path", "certificate_key_path"}),
}
"""Section -> its fields that are files, and have other names than all others; `certificate` is one of `azuread`."""
NAMES_A_CREDENTIAL = re.compile(
    r"access[_-]?key|api[_-]?key|authorization|cookie|credential|passw|private[_-]?key|secret|token", re.IGNORECASE
)
"""Names of parameters and headers whose values are likely to be credentials."""
IN_URL = re.compile(
    r"://[^/@\s]*:[^/@\s]+@|[?&][^=&\s]*(?:api[_-]?key|passw|secret|token)[^=&\s]*=[^&\s]", re.IGNORECASE
)
"""A credential in a URL: a password of a user, or a parameter."""
_DISCOVERED = re.compile(r".+\.(json|yml|yaml|JSON|YML|YAML)")
REFERENCE = "{secret: {name: …, key: …}}"
PLAIN = "is a credential in plain text"
REPLACE = "Replace it where it is used, and write"


class Reference(Section):
    """A key of a Secret, or of a ConfigMap, in the namespace of each cluster's Prometheus."""

    secret: SecretKey | None = None
    """The Secret and its key."""
    config_map: SecretKey | None = None
    """The ConfigMap and its key."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        ("key", "name"), ("is a field of what it refers to", f"Write {REFERENCE}.")
    )

    def problems(self) -> Iterator[Problem]:
        """It is one of the two."""
        if bool(self.secret) == bool(self.config_map):
            yield Problem((), "names not exactly one object", f"Write {REFERENCE}, or configMap instead of secret.")

    @property
    def mounted(self) -> "MountedFile | None":
        """The file that it becomes."""
        if self.secret:
            return MountedFile("secret", self.secret.name, self.secret.key)
        return MountedFile("configMap", self.config_map.name, self.config_map.key) if self.config_map else None


@dataclass(frozen=True, slots=True)
class MountedFile:
    """A key of a Secret or ConfigMap that a program reads as a file; `stackSecret` is the stack's secret of a name."""

    kind: Literal["secret", "configMap", "stackSecret"]
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithFiles:
    """A document in the words of another program, which reads parts of it from files."""

    mounted: tuple[tuple[Path, MountedFile], ...] = ()
    """What its fields refer to, with their paths."""
    literal: tuple[tuple[Path, object], ...] = ()
    """Paths of files that were written as such, with the paths of their fields."""


@dataclass(slots=True)
class Files:
    """A document whose credentials are files, and what was found in it on the way."""

    reference: type[Reference] = Reference
    """What may stand in a credential's place."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """As it was written, with a `MountedFile` where Prometheus expects the path of one."""
    mounted: list[tuple[Path, MountedFile]] = field(default_factory=list)
    """Path -> what it refers to."""
    literal: list[tuple[Path, object]] = field(default_factory=list)
    """Path -> the path of a file that was written as such."""
    problems: list[Problem] = field(default_factory=list)
    known: Collection[str] = ()
    """Fields of the document; below another one, which is a mistake by itself, a reference is none."""

    def is_reference_in_vain(self, path: Path, value: object) -> bool:
        """Whether it is a reference, as here or as in monitors, below a field that there is not."""
        if path[0] in self.known or not isinstance(value, Mapping):
            return False
        return value.keys() <= {"secret", "configMap"} or value.keys() >= {"name", "key"}


def files(config: Mapping[str, Any], known: Collection[str]) -> Files:
    """Find every credential and file of a `scrape_config`, whatever it is nested in; `known` are its fields."""
    found = Files(known=known)
    found.config = _mapping(found, "", config, (), (id(config),))
    return found


def _mapping(
    found: Files, section: str, written: Mapping[str, Any], path: Path, within: tuple[int, ...]
) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in written.items():
        here = (*path, key)
        if section == "file_sd_configs" and key == "files":
            read[key] = _listed(found, value, here, suffix=True)
        elif key.endswith("_file") or key in _PATHS.get(section, ()):
            read[key] = file(found, key.removesuffix("_file"), value, here)
        elif key in CREDENTIALS or key in WITH_FILE.get(section, ()):
            read |= _credential(found, section, key, value, here)
        elif key == "http_headers" and isinstance(value, Mapping):
            read[key] = {name: http_header(found, str(name), header, (*here, name)) for name, header in value.items()}
        elif key in ("params", "endpoint_params", "labels") and isinstance(value, Mapping):
            read[key] = _parameters(found, key, value, here, within)
        else:
            read[key] = _value(found, key, value, here, within)
    _relabelled(found, written, path)
    return read


def _value(found: Files, section: str, value: Any, path: Path, within: tuple[int, ...]) -> Any:
    if isinstance(value, Mapping | list | tuple) and id(value) in within:
        found.problems.append(Problem(path, "contains itself", "Remove the alias."))
    elif isinstance(value, Mapping):
        if found.is_reference_in_vain(path, value):
            return value
        if value and value.keys() <= {"secret", "configMap"}:
            rule = "is a reference where Prometheus reads no file"
            found.problems.append(Problem(path, rule, "Write the value itself."))
        else:
            return _mapping(found, section, value, path, (*within, id(value)))
    elif isinstance(value, list | tuple):
        inner = (*within, id(value))
        return [_value(found, section, item, (*path, index), inner) for index, item in enumerate(value)]
    elif isinstance(value, str) and IN_URL.search(value):
        instead = f"{REPLACE} it in basic_auth or authorization, as {REFERENCE}."
        if path[-1] == "proxy_url":
            instead = f"Replace it where it is used. {_OF_PROXIES}"
        found.problems.append(Problem(path, "has a credential in a URL", instead))
    return value


def _credential(found: Files, section: str, key: str, value: Any, path: Path) -> dict[str, Any]:
    """A field that is secret, or may be a file; a reference becomes that file."""
    has_file = key in WITH_FILE.get(section, ()) or key in _WITH_FILE_ANYWHERE
    if not has_file and found.is_reference_in_vain(path, value):
        return {key: value}
    if not has_file:
        rule = "is a credential that Prometheus reads from no file"
        found.problems.append(Problem(path, rule, _without_file(section, key)))
    elif isinstance(value, Mapping):
        return {f"{key}_file": file(found, key, value, path)}
    elif key not in _PUBLIC:
        found.problems.append(Problem(path, PLAIN, f"{REPLACE} {REFERENCE}."))
    return {key: value}


def _without_file(section: str, key: str) -> str:
    if key == "proxy_connect_header":
        return _OF_PROXIES
    if known := _INSTEAD.get(section, {}).get(key):
        return known
    return ROLE_OF_AWS if section in OF_AWS else f"Remove it. {_ELSEWHERE}"


def file(found: Files, base: str, value: Any, path: Path) -> Any:
    """What is mounted, or else the path that was written; `base` is the field's name without `_file`."""
    if not isinstance(value, Mapping):
        found.literal.append((path, value))
        return value
    # It imports every section, this one among them.
    from .loading.explain import explain  # noqa: PLC0415

    try:
        reference = found.reference.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        found.problems += (problem.under(path) for problem in explain(error, found.reference))
        return value
    if (mounted := reference.mounted) is None:
        return value
    if reference.config_map and base not in (*_PUBLIC, "files"):
        rule = "is in a ConfigMap, which every user of the namespace may read"
        found.problems.append(Problem(path, rule, f"Write {REFERENCE}."))
    found.mounted.append((path, mounted))
    return mounted


def _listed(found: Files, value: Any, path: Path, *, suffix: bool = False) -> Any:
    if not isinstance(value, list | tuple):
        found.problems.append(Problem(path, "is not a list", "Write [a, b]."))
        return value
    read = [file(found, "files", item, (*path, index)) for index, item in enumerate(value)]
    for index, item in enumerate(read):
        if suffix and isinstance(item, MountedFile) and not _DISCOVERED.fullmatch(item.key):
            rule = "ends neither in .json nor in .yml or .yaml, so that Prometheus does not read it"
            found.problems.append(Problem((*path, index, item.kind, "key"), rule, "Rename the key.", item.key))
    return read


def http_header(found: Files, name: str, header: Any, path: Path) -> Any:
    """A header of every request; its secret values are files."""
    if not isinstance(header, Mapping):
        found.problems.append(Problem(path, "is not a mapping", "Write values, secrets or files, each with a list."))
        return header
    read = dict(header)
    if "values" in read and NAMES_A_CREDENTIAL.search(name):
        found.problems.append(Problem((*path, "values"), PLAIN, f"{REPLACE} secrets: [{REFERENCE}]."))
    if isinstance(secrets := read.pop("secrets", ()), Sequence) and not isinstance(secrets, str):
        for index, item in enumerate(secrets):
            if not isinstance(item, Mapping):
                found.problems.append(Problem((*path, "secrets", index), PLAIN, f"{REPLACE} {REFERENCE}."))
        of_secrets = [
            file(found, "", item, (*path, "secrets", index))
            for index, item in enumerate(secrets)
            if isinstance(item, Mapping)
        ]
    else:
        found.problems.append(Problem((*path, "secrets"), "is not a list", f"Write [{REFERENCE}]."))
        of_secrets = []
    listed = _listed(found, read["files"], (*path, "files")) if "files" in read else []
    if isinstance(listed, list) and (of_secrets or listed):
        read["files"] = [*of_secrets, *listed]
    return read


def _parameters(
    found: Files, kind: str, written: Mapping[str, Any], path: Path, within: tuple[int, ...]
) -> dict[str, Any]:
    """A mapping with names of anybody's choice; of labels only those count that become parameters."""
    read: dict[str, Any] = {}
    for name, value in written.items():
        is_parameter = kind != "labels" or str(name).startswith("__param_")
        if is_parameter and NAMES_A_CREDENTIAL.search(str(name)):
            instead = f"{REPLACE} it as a header: http_headers: {{<name>: {{secrets: [{REFERENCE}]}}}}."
            if kind == "endpoint_params":
                instead = f"Replace it where it is used. {_ELSEWHERE}"
            found.problems.append(Problem((*path, name), "is a credential that Prometheus reads from no file", instead))
        read[name] = _value(found, "", value, (*path, name), within)
    return read


def _relabelled(found: Files, rule: Mapping[str, Any], path: Path) -> None:
    """A rule of relabelling that would put a credential into a parameter."""
    target, text = rule.get("target_label"), rule.get("replacement")
    if not isinstance(target, str) or not isinstance(text, str) or "$" in text:
        return
    if target.startswith("__param_") and NAMES_A_CREDENTIAL.search(target):
        instead = f"{REPLACE} it as a header: http_headers: {{<name>: {{secrets: [{REFERENCE}]}}}}."
        found.problems.append(Problem((*path, "replacement"), PLAIN, instead))
