"""Command lines, endpoints and auth proxies of Thanos Query and Query Frontend."""

from settings import Fleet, Memcached, QueryFrontend, Server, Thanos
from settings.reserved import REPLICA_LABEL, RULER_REPLICA

from ..auth_proxy import AuthProxy
from ..prometheus.auth_proxies import BROWSE as SERVER_BROWSE
from ..prometheus.auth_proxies import READ as SERVER_READ
from ..yaml import to_json, to_yaml
from .bucket_roles import stores
from .memcached import ANSWER_CACHE
from .names import CERTIFICATES, GRPC, HTTP, RECEIVE, RULER, replicas_service
from .ruler import is_stateless

QUERY_LISTEN, FRONTEND_LISTEN = f"127.0.0.1:{HTTP}", "127.0.0.1:10903"
ENDPOINTS_FILE = "/etc/thanos/config/endpoints.yml"
STORE_RESPONSE_TIMEOUT = 30
"""Timeout after which Query continues without an endpoint, with a warning; Thanos' default is none."""
METRICS = AuthProxy("queries", "metrics", QUERY_LISTEN, 8445, 8645, ("get",), ("/metrics",))
FRONTEND_METRICS = AuthProxy("queries", "frontend", FRONTEND_LISTEN, 8446, 8646, ("get",), ("/metrics",))


def read_proxy(*, frontend: bool) -> AuthProxy:
    """Return the auth proxy for queries, whose upstream is the Query Frontend if there is one."""
    upstream = FRONTEND_LISTEN if frontend else QUERY_LISTEN
    paths = (*SERVER_READ.paths, "/api/v1/stores")
    return SERVER_READ._replace(resource="queries", upstream=upstream, paths=paths)


BROWSE = SERVER_BROWSE._replace(
    resource="queries",
    upstream=QUERY_LISTEN,
    paths=(
        *SERVER_READ.paths,
        "/",
        "/alerts",
        "/favicon.ico",
        "/flags",
        "/graph",
        "/manifest.json",
        "/rules",
        "/static/*/*",
        "/status",
        "/stores",
        "/targets",
        "/api/v1/status/flags",
        "/api/v1/status/runtimeinfo",
        "/api/v1/stores",
        "/api/v1/targets",
    ),
)
"""For its pages and their requests (pkg/ui/ui.go of Thanos)."""


def query_flags(thanos: Thanos) -> list[str]:
    """Flags of Query; its HTTP API listens on loopback behind its auth proxy, gRPC is for Rulers and other Queries."""
    return [
        "query",
        f"--http-address={QUERY_LISTEN}",
        f"--grpc-address=0.0.0.0:{GRPC}",
        f"--query.replica-label={REPLICA_LABEL}",
        *([f"--query.replica-label={RULER_REPLICA}"] if is_stateless(thanos) else []),
        f"--query.timeout={thanos.query.timeout}",
        f"--store.response-timeout={STORE_RESPONSE_TIMEOUT}s",
        "--query.auto-downsampling",
        f"--endpoint.sd-config-file={ENDPOINTS_FILE}",
        "--endpoint.sd-config-reload-interval=10s",
        "--store.sd-dns-interval=10s",
        "--query.promql-engine=thanos",
    ]


def endpoints(server: Server, fleet: Fleet, thanos: Thanos) -> str:
    """The text of the file with the endpoints of Query."""
    answers = thanos.ruler and not is_stateless(thanos)
    apps = [
        replicas_service(server.app),
        *stores(thanos),
        *([RULER] if answers else []),
        *([RECEIVE] if thanos.receive else []),
    ]
    return to_yaml(
        {
            "endpoints": [
                *({"address": f"dns+{app}.{fleet.namespace}.svc:{GRPC}"} for app in apps),
                *(
                    {"address": remote.address, "client_config": {"tls_config": _mutual(remote.tls_secret)}}
                    for remote in thanos.query.endpoints
                ),
            ]
        }
    )


def _mutual(secret: str) -> dict[str, str]:
    folder = f"{CERTIFICATES}/{secret}"
    return {"cert_file": f"{folder}/tls.crt", "key_file": f"{folder}/tls.key", "ca_file": f"{folder}/ca.crt"}


def frontend_flags(frontend: QueryFrontend, memcached: Memcached | None) -> list[str]:
    """Flags of the Query Frontend, in front of the Query of its own pod."""
    own = {"type": "IN-MEMORY", "config": {"max_size": f"{frontend.cache}B"}}
    kept = ANSWER_CACHE if memcached else to_json(own)
    return [
        "query-frontend",
        f"--http-address={FRONTEND_LISTEN}",
        f"--query-frontend.downstream-url=http://{QUERY_LISTEN}",
        f"--query-range.response-cache-config={kept}",
        f"--labels.response-cache-config={kept}",
    ]
