"""Further receivers of remote write: `remote_write` of Prometheus as it is, with little added and little forbidden."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError
from .kinds import BOOL, COUNT, LENGTH, MAPPING, RULES, TEXT, Kind, halves, unknown_or_wrong
from .relabelling import malformed
from .scrape_credentials import NAMES_A_CREDENTIAL, PLAIN, REFERENCE, REPLACE, WithFiles, files
from .section import Table, renamed
from .types import URL, DnsLabel, refused

MESSAGE_1, MESSAGE_2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
"""`protobuf_message` of remote write 1.0 and 2.0."""
_MESSAGE = Kind(
    (MESSAGE_1, MESSAGE_2).__contains__,
    "is no message of remote write",
    f"Write one of them: {MESSAGE_1} or {MESSAGE_2}.",
)
_HEADERS = Kind(
    lambda value: isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values()),
    "is not a mapping of names to strings",
    "Write names and values in quotes: {X-Scope-OrgID: acme}.",
)
_AMOUNT = Kind(
    lambda value: COUNT.accepts(value) and value != 0, "is not a whole number above 0", COUNT.instead, is_shown=True
)
FIELDS: Mapping[str, Kind] = {
    **dict.fromkeys(("url", "proxy_url", "no_proxy"), TEXT),
    "allow_http": BOOL,
    "remote_timeout": LENGTH,
    "headers": _HEADERS,
    "write_relabel_configs": RULES,
    **dict.fromkeys(
        (
            *("send_exemplars", "send_native_histograms", "round_robin_dns", "failed_request_logging"),
            *("follow_redirects", "enable_http2", "proxy_from_environment"),
        ),
        BOOL,
    ),
    "protobuf_message": _MESSAGE,
    **dict.fromkeys(
        (
            *("basic_auth", "authorization", "oauth2", "sigv4", "azuread", "google_iam", "tls_config"),
            *("http_headers", "proxy_connect_header", "queue_config", "metadata_config"),
        ),
        MAPPING,
    ),
}
"""
Field of a destination -> what it is: those of `remote_write` of Prometheus 3.15, and `allow_http`.

Of `RemoteWriteConfig` in config/config.go, and `HTTPClientConfig` in prometheus/common 0.71. What is inside the
mappings that are not in `_INSIDE` promtool judges.
"""
_INSIDE: Mapping[str, Mapping[str, Kind]] = {
    "queue_config": {
        **dict.fromkeys(("capacity", "max_shards", "min_shards", "max_samples_per_send"), _AMOUNT),
        **dict.fromkeys(("batch_send_deadline", "min_backoff", "max_backoff"), LENGTH),
        "retry_on_http_429": BOOL,
    },
    "metadata_config": {"send": BOOL, "send_interval": LENGTH, "max_samples_per_send": _AMOUNT},
    "sigv4": {
        **dict.fromkeys(("region", "profile", "role_arn", "external_id", "session_name", "service_name"), TEXT),
        "tags": MAPPING,
        "use_fips_sts_endpoint": BOOL,
    },
    "google_iam": {},
}
_JUDGED_WITH_FILES = ("access_key", "secret_key", "credentials_file")
_REFUSED = {
    "name": ("is the key of the destination already", "Remove it: alerts name the destination by its key."),
    **renamed({"auth": "basic_auth or another field of remote_write", "endpoint": "url", "timeout": "remote_timeout"}),
    "type": ("is no field of a destination", "Remove it: all are receivers of Prometheus' remote write."),
    "hub": ("is no field of a destination", "Write hub beside destinations."),
    "remote_write": ("is no field of a destination", "Write its entries here, each under a name of its own."),
    **dict.fromkeys(
        ("bearer_token", "bearer_token_file"),
        ("is authorization in Prometheus today", f"Write authorization: {{credentials: {REFERENCE}}}."),
    ),
}
_REFUSED_INSIDE = {
    "sample_age_limit": (
        "does not keep the WAL from being truncated, and corrupts the batch that it drops samples of",
        "Remove it.",
    )
}
AUTHENTICATION = ("basic_auth", "authorization", "oauth2", "sigv4", "azuread", "google_iam")
"""Fields of which Prometheus takes one at most (`validateAuthConfigs`)."""
_OURS = ("hub", "receiver")
"""Names of the entries that the section `hub` of an agent becomes."""

NOT_OPERATED: Mapping[Path, str] = {
    ("google_iam",): "Remove operator from the cluster.",
    ("http_headers",): "Write headers where the value is no credential, or remove operator from the cluster.",
    ("failed_request_logging",): "Remove it.",
    ("oauth2",): "Write basic_auth or authorization, or remove operator from the cluster.",
    ("azuread", "workload_identity"): "Write managed_identity or sdk, or remove operator from the cluster.",
    ("azuread", "certificate"): "Write managed_identity or sdk, or remove operator from the cluster.",
    ("azuread", "scope"): "Remove it, or remove operator from the cluster.",
    **dict.fromkeys(
        (("sigv4", name) for name in ("external_id", "session_name", "tags", "service_name", "use_fips_sts_endpoint")),
        "Write a profile, or remove operator from the cluster.",
    ),
    **dict.fromkeys(
        (("tls_config", name) for name in ("ca", "cert")), f"Write {REFERENCE}, or configMap instead of secret."
    ),
}
"""
Path of a field -> what to write instead where the Prometheus Operator runs Prometheus.

The custom resources of release 0.85 have no such field, or one of another form: `oauth2` takes its `client_id` from a
Secret only.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination(WithFiles):
    """One entry of `remote_write`, of whoever wrote the stack file."""

    config: Mapping[str, Any]
    """Its fields but `allow_http`, with a `MountedFile` where Prometheus expects the path of one."""


class DestinationConfig:
    """The type of a `Destination` in the stack file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        known = {name: {} for name in FIELDS}
        return {"type": "object", "required": ["url"], "properties": known, "additionalProperties": False}


def _is_not_ours(name: str) -> str:
    if name in _OURS:
        raise refused("is the name that the agent's hub has in remote_write", "Use another name.")
    return name


Destinations = Table[
    Annotated[DnsLabel, AfterValidator(_is_not_ours)],
    Annotated[Destination, DestinationConfig()],
]
"""Receivers beside the hub, by names of one's own, which are `remote_name` in metrics and alerts."""


def parsed(written: object) -> Destination:
    """The destination; raises RulesError with every problem."""
    if isinstance(written, Destination):
        return written
    if not isinstance(written, Mapping):
        raise RulesError([Problem((), MAPPING.rule, "Write url, and other fields of remote_write.")])
    # Headers have names of anybody's choice, which are no fields.
    headers = {"headers": written["headers"]} if "headers" in written else {}
    found = files({key: value for key, value in written.items() if key not in ("allow_http", "headers")}, FIELDS)
    if problems := [*_broken(written), *found.problems] or [*halves(written)]:
        raise RulesError(problems)
    return Destination(config={**found.config, **headers}, mounted=tuple(found.mounted), literal=tuple(found.literal))


def _broken(written: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the fields themselves."""
    otherwise = "Write a field of remote_write, as Prometheus 3.15 has."
    yield from unknown_or_wrong(written, FIELDS, _REFUSED, otherwise)
    for section, known in _INSIDE.items():
        if isinstance(inside := written.get(section), Mapping):
            judged = {key: value for key, value in inside.items() if key not in _JUDGED_WITH_FILES}
            otherwise = f"Write a field of {section}, as Prometheus 3.15 has."
            for problem in unknown_or_wrong(judged, known, _REFUSED_INSIDE, otherwise):
                yield problem.under((section,))
            if "access_key" in inside and "secret_key" not in inside:
                yield Problem((section, "access_key"), "is a key without its secret", "Write role_arn instead.")
    if RULES.accepts(rules := written.get("write_relabel_configs", [])):
        yield from (problem.under(("write_relabel_configs",)) for problem in malformed(rules))
    yield from _url(written)
    yield from _headers(written.get("headers"))
    if len(found := [name for name in AUTHENTICATION if name in written]) > 1:
        rule = f"is a second way to authenticate beside {found[0]}"
        yield from (Problem((name,), rule, "Keep one of them.") for name in found[1:])


def _url(written: Mapping[str, Any]) -> Iterator[Problem]:
    url, allowed = written.get("url"), written.get("allow_http", False)
    if "url" not in written:
        yield Problem(("url",), "is missing", "Add it: https://<host>/api/v1/write, or another path of the receiver.")
    elif not isinstance(url, str):
        return
    elif not re.fullmatch(URL, url):
        # A user in it is said by whoever finds credentials.
        if "@" not in url:
            yield Problem(("url",), "is not a URL", "Write https://<host>/api/v1/write, or another path.", url)
    elif url.startswith("http://") and not allowed:
        instead = "Write https://, or allow_http: true beside it if samples may cross this network in plain text."
        yield Problem(("url",), "sends samples and credentials in plain text", instead, url)
    elif url.startswith("https://") and allowed is True:
        yield Problem(("allow_http",), "has no effect: the URL is https", "Remove it.", value=True)


def _headers(headers: object) -> Iterator[Problem]:
    for name in headers if isinstance(headers, Mapping) else ():
        if str(name).lower() == "authorization":
            instead = f"{REPLACE} authorization: {{credentials: {REFERENCE}}}."
            yield Problem(("headers", name), PLAIN, instead)
        elif NAMES_A_CREDENTIAL.search(str(name)):
            instead = f"{REPLACE} http_headers: {{{name}: {{secrets: [{REFERENCE}]}}}}."
            yield Problem(("headers", name), PLAIN, instead)
