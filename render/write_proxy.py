"""
Configuration of Envoy in front of remote write: it verifies the tokens of agents' own clusters by public keys.

Nothing is asked of an API server. The bootstrap names three files, which Envoy reads anew when their folder changes.
One that it can't use leaves the former in force:
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/overview/xds_api.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from settings.issuer import LARGEST_SET

from .auth_proxy import AuthProxy
from .tokens import LIFETIME
from .yaml import to_json

CONFIG, TLS = "/etc/envoy", "/etc/tls"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""The public authorities, as the image of Envoy has them."""
METRICS_PATH = "/metrics"
HEALTH_PATH = "/healthz"
LARGEST = 32 * 2**20
"""Bytes of a request's body; Prometheus refuses more than that even uncompressed (client_golang, exp/api/remote)."""
CONNECTIONS = 5_000
"""Clients at once, of all clusters; what each sends before it is known fits the memory."""
LARGEST_HEADERS = 16
"""KiB of a request's headers, of which a token is one or two."""
MEMORY = 512
"""MiB, above which the kernel ends it; at nine tenths it answers 503."""
BURST = 10
"""Seconds' worth of requests that a cluster may send at once, as after an outage."""
CLOCK_SKEW = 30
"""Seconds by which the clocks of two clusters may differ."""
LONGEST = LIFETIME + 2 * CLOCK_SKEW
"""
Seconds until a token may expire.

Who may request tokens of an agent's ServiceAccount could otherwise keep one for as long as its API server issues it.
"""
KEYS_FOR = 300
"""Seconds after which keys at a URL are fetched again."""
ADMIN = "@envoy-admin"
"""Abstract socket of Envoy's administration, which no HTTP client reaches by a URL."""
_ADMIN = "admin"
_ADMIN_SOCKET = {"pipe": {"path": ADMIN}}
_UPSTREAM = "upstream"
_HEAP = "envoy.resource_monitors.fixed_heap"
_JWT = "envoy.filters.http.jwt_authn"
_LIMIT = "envoy.filters.http.local_ratelimit"
_TYPES = "type.googleapis.com/envoy"
_DENIED = "jwt_authn_access_denied"
_WAITING = (
    "Jwks_remote_fetch_is_failed",
    "Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt",
    "Jwt_issuer_is_not_configured",
    "Jwt_is_expired",
    "Jwt_not_yet_valid",
    "Audiences_in_Jwt_are_not_allowed",
)
"""
Why a token is not accepted now, and another one will be, or the same: its keys can't be fetched, the hub does not know
them so far, or their issuer; the kubelet could not renew it; a clock is wrong; the host of the hub has changed.

An agent retries after 503, and loses samples after 401 (getStatusString in jwt_verify_lib's status.cc).
"""
_TOO_SLOW = 408
"""Answer to a request of which too little came in time, which an agent would not repeat."""
_LATER = 503
"""Answer after which an agent tries again."""
_STATUS_OF_ERRORS = {"default_value": 400, "runtime_key": "unused"}  # the key is required
_LOCAL_RATE = "extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
_LOGGED = (
    '%START_TIME% "%REQ(:METHOD)% %PATH(NQ)%" %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% '
    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %ROUTE_NAME%\n"
)
"""A line of the log: never a header, nor a query, which may have a token; the name of the writer once it is known."""


class Keys(NamedTuple):
    """Public keys of an issuer; exactly one of the two."""

    inline: str = ""
    """The text of a JSON Web Key Set."""
    url: str = ""
    """An HTTPS URL with one."""


class Issuer(NamedTuple):
    """Who signs tokens: the API server of a cluster."""

    name: str
    """Unique among the issuers of a proxy."""
    url: str
    """The claim `iss` of its tokens."""
    keys: Keys
    audience: str
    """The claim `aud` of its tokens, which expire; empty for those in Secrets, which have none and do not."""


class Writer(NamedTuple):
    """A client of remote write."""

    name: str
    """Unique among the writers of a proxy."""
    issuer: str
    """Name of the issuer of its tokens."""
    claims: Mapping[str, Sequence[str]]
    """What these tokens say of themselves: claim -> the values that are accepted."""
    tenant: str
    """Value of the tenant header of its requests."""
    rate: int
    """Requests per second that it may send in the long run."""


class WriteProxy(NamedTuple):
    """Envoy as it stands in front of one server."""

    proxy: AuthProxy
    """What it does in place of a kube-rbac-proxy: name, upstream, ports, the one path, and the header of the tenant."""
    issuers: Sequence[Issuer]
    writers: Sequence[Writer]


def write_proxy_files(envoy: WriteProxy) -> dict[str, str]:
    """Return the files that Envoy reads anew when they change: name -> JSON."""
    return {
        "listeners.json": _resources(listener(envoy)),
        "clusters.json": _resources(*upstreams(envoy)),
        "certificate.json": _resources(certificate()),
    }


def bootstrap(proxy: AuthProxy) -> str:
    """Return what Envoy reads once, as JSON: where its other files are, and the port of its probes and metrics."""
    document = {
        "node": {"id": proxy.name, "cluster": proxy.resource},
        "admin": {"address": _ADMIN_SOCKET},
        "static_resources": {"listeners": [_health(proxy.health)], "clusters": [_cluster(_ADMIN, _ADMIN_SOCKET)]},
        "layered_runtime": {
            "layers": [{"name": "limits", "static_layer": {"http.async_response_buffer_limit": LARGEST_SET}}]
        },
        "dynamic_resources": {"lds_config": _watched("listeners.json"), "cds_config": _watched("clusters.json")},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": _HEAP,
                    "typed_config": _typed(
                        "extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                        max_heap_size_bytes=MEMORY * 2**20 * 9 // 10,
                    ),
                },
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": _typed(
                        "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                        max_active_downstream_connections=CONNECTIONS,
                    ),
                },
            ],
            "actions": [_above(0.9, "shrink_heap"), _above(0.98, "stop_accepting_requests")],
        },
    }
    return to_json(document)


def _above(share: float, action: str) -> dict[str, Any]:
    trigger = {"name": _HEAP, "threshold": {"value": share}}
    return {"name": f"envoy.overload_actions.{action}", "triggers": [trigger]}


def listener(envoy: WriteProxy) -> dict[str, Any]:
    """Return the listener for clients."""
    rates = {"name": _LIMIT, "typed_config": _typed(_LOCAL_RATE, stat_prefix="write")}
    return _typed(
        "config.listener.v3.Listener",
        name=envoy.proxy.name,
        address=_port(envoy.proxy.port),
        per_connection_buffer_limit_bytes=32768,
        filter_chains=[
            {
                "transport_socket": {
                    "name": "envoy.transport_sockets.tls",
                    "typed_config": _typed(
                        "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                        common_tls_context={
                            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                            "alpn_protocols": ["h2", "http/1.1"],
                            "tls_certificate_sds_secret_configs": [
                                {"name": "certificate", "sds_config": _watched("certificate.json")}
                            ],
                        },
                    ),
                },
                "filters": [_http(envoy.proxy.name, _routes(envoy), [_authentication(envoy), rates], _clients())],
            }
        ],
    )


def upstreams(envoy: WriteProxy) -> list[dict[str, Any]]:
    """Return what Envoy connects to: the server behind it, and whoever has keys at a URL."""
    found = [_cluster(_UPSTREAM, _address(envoy.proxy.upstream))]
    found += [_keys_at(issuer) for issuer in envoy.issuers if issuer.keys.url]
    return [_typed("config.cluster.v3.Cluster", **one) for one in found]


def certificate() -> dict[str, Any]:
    """Return the certificate for clients, which Envoy reads anew when its folder changes."""
    return _typed(
        "extensions.transport_sockets.tls.v3.Secret",
        name="certificate",
        tls_certificate={
            "certificate_chain": {"filename": f"{TLS}/tls.crt"},
            "private_key": {"filename": f"{TLS}/tls.key"},
            "watched_directory": {"path": TLS},
        },
    )


def _authentication(envoy: WriteProxy) -> dict[str, Any]:
    either = [{"provider_name": issuer.name} for issuer in envoy.issuers]
    wanted = either[0] if len(either) == 1 else {"requires_any": {"requirements": either}}
    return {
        "name": _JWT,
        "typed_config": _typed(
            "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            providers={issuer.name: _provider(issuer) for issuer in envoy.issuers},
            rules=[{"match": {"path": envoy.proxy.paths[0]}, "requires": wanted}],
        ),
    }


def _provider(issuer: Issuer) -> dict[str, Any]:
    return {
        "issuer": issuer.url,
        **({"audiences": [issuer.audience], "max_lifetime": {"seconds": LONGEST}} if issuer.audience else {}),
        "clock_skew_seconds": CLOCK_SKEW,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],  # and not a parameter, which is logged
        "forward": False,
        "payload_in_metadata": issuer.name,
        "clear_route_cache": True,
        **_jwks(issuer),
    }


def _jwks(issuer: Issuer) -> dict[str, Any]:
    if issuer.keys.inline:
        return {"local_jwks": {"inline_string": issuer.keys.inline}}
    return {
        "remote_jwks": {
            "http_uri": {"uri": issuer.keys.url, "cluster": _keys_of(issuer), "timeout": "5s"},
            "cache_duration": {"seconds": KEYS_FOR},
            "async_fetch": {"fast_listener": True},
            "retry_policy": {"num_retries": 3},
        }
    }


def _routes(envoy: WriteProxy) -> dict[str, Any]:
    """What becomes of a request, the first that fits: by path, method, who wrote it, and its size."""
    path, post = {"path": envoy.proxy.paths[0]}, _header(":method", string_match={"exact": "POST"})
    sized = _header("content-length", range_match={"start": 0, "end": LARGEST + 1})
    routes: list[dict[str, Any]] = [{"match": {**path, "headers": [{**post, "invert_match": True}]}, **_answer(405)}]
    for writer in envoy.writers:
        claims = [_claim(writer, claim, values) for claim, values in writer.claims.items()]
        known = {**path, "dynamic_metadata": claims}
        routes += [
            {
                "name": writer.name,
                "match": {**known, "headers": [sized]},
                "route": {"cluster": _UPSTREAM, "timeout": "60s"},
                **_tenant(envoy.proxy, writer.tenant),
                "typed_per_filter_config": {_LIMIT: _limit(writer)},
            },
            {"match": {**known, "headers": [_header("content-length", present_match=True)]}, **_answer(413)},
            {"match": known, **_answer(411)},
        ]
    routes.append({"match": path, **_answer(_LATER)})  # of another account, until one of the two stacks is corrected
    routes.append({"match": {"prefix": "/"}, **_answer(404)})
    return {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}


def _header(name: str, **match: Any) -> dict[str, Any]:
    return {"name": name, **match}


def _claim(writer: Writer, claim: str, values: Sequence[str]) -> dict[str, Any]:
    either = [{"string_match": {"exact": value}} for value in values]
    value = either[0] if len(either) == 1 else {"or_match": {"value_matchers": either}}
    return {"filter": _JWT, "path": [{"key": writer.issuer}, {"key": claim}], "value": value}


def _tenant(proxy: AuthProxy, tenant: str) -> dict[str, Any]:
    if not proxy.user_header:
        return {}
    header = {"key": proxy.user_header, "value": tenant}
    return {"request_headers_to_add": [{"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]}


def _answer(status: int) -> dict[str, Any]:
    return {"direct_response": {"status": status}}


def _limit(writer: Writer) -> dict[str, Any]:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return _typed(
        _LOCAL_RATE,
        stat_prefix=writer.name,
        token_bucket={
            "max_tokens": writer.rate * BURST,
            "tokens_per_fill": writer.rate,
            "fill_interval": "1s",
        },
        filter_enabled=always,
        filter_enforced=always,
    )


def _clients() -> dict[str, Any]:
    """How clients of remote write are treated: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/best_practices/edge."""
    return {
        "use_remote_address": True,
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": LARGEST_HEADERS,
        "request_headers_timeout": "10s",
        "request_timeout": "60s",
        "common_http_protocol_options": {"idle_timeout": "300s", "headers_with_underscores_action": "REJECT_REQUEST"},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65536,
            "initial_connection_window_size": 1048576,
        },
        "access_log": [
            {
                "name": "envoy.access_loggers.stdout",
                "filter": {"status_code_filter": {"comparison": {"op": "GE", "value": _STATUS_OF_ERRORS}}},
                "typed_config": _typed(
                    "extensions.access_loggers.stream.v3.StdoutAccessLog",
                    log_format={"text_format_source": {"inline_string": _LOGGED}},
                ),
            }
        ],
        "local_reply_config": {"mappers": [_later()]},
    }


def _later() -> dict[str, Any]:
    """Answer what an agent repeats in place of what it would not, or would lose samples after."""
    refused = (f'response.code_details == "{_DENIED}{{{why}}}"' for why in _WAITING)
    expression = " || ".join((f"response.code == {_TOO_SLOW}", *refused))
    chosen = {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": _typed("extensions.access_loggers.filters.cel.v3.ExpressionFilter", expression=expression),
    }
    return {"filter": {"extension_filter": chosen}, "status_code": _LATER}


def _http(
    name: str, routes: Mapping[str, Any], filters: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> dict[str, Any]:
    router = {"name": "envoy.filters.http.router", "typed_config": _typed("extensions.filters.http.router.v3.Router")}
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": _typed(
            "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix=name,
            route_config=routes,
            http_filters=[*filters, router],
            **options,
        ),
    }


def _health(port: int) -> dict[str, Any]:
    """The listener for the kubelet and Prometheus, which limits and mistakes of other files leave alone."""
    paths = {HEALTH_PATH: "/ready", METRICS_PATH: "/stats/prometheus"}
    routes = [
        {"match": {"path": path}, "route": {"cluster": _ADMIN, "prefix_rewrite": there}}
        for path, there in paths.items()
    ]
    found = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}
    return {
        "name": "health",
        "address": _port(port),
        "ignore_global_conn_limit": True,
        "bypass_overload_manager": True,
        "filter_chains": [{"filters": [_http("health", found, [], {})]}],
    }


def _keys_of(issuer: Issuer) -> str:
    return f"keys-{issuer.name}"


def _keys_at(issuer: Issuer) -> dict[str, Any]:
    url = urlsplit(issuer.keys.url)
    host = url.hostname or ""
    names = [{"san_type": kind, "matcher": {"exact": host}} for kind in ("DNS", "IP_ADDRESS")]
    trust = {"trusted_ca": {"filename": AUTHORITIES}, "match_typed_subject_alt_names": names}
    return {
        **_cluster(_keys_of(issuer), _address(f"{host}:{url.port or 443}")),
        "type": "STRICT_DNS",
        "dns_lookup_family": "ALL",
        "transport_socket": {
            "name": "envoy.transport_sockets.tls",
            "typed_config": _typed(
                "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                common_tls_context={"validation_context": trust},
                sni=host,
            ),
        },
    }


def _cluster(name: str, address: Mapping[str, Any]) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def _port(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "::", "port_value": port, "ipv4_compat": True}}


def _address(authority: str) -> dict[str, Any]:
    host, _, port = authority.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _watched(file: str) -> dict[str, Any]:
    path = {"path": f"{CONFIG}/{file}", "watched_directory": {"path": CONFIG}}
    return {"path_config_source": path, "resource_api_version": "V3"}


def _resources(*resources: Mapping[str, Any]) -> str:
    return to_json({"resources": resources})


def _typed(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"{_TYPES}.{kind}", **fields}
