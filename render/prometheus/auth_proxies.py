"""Auth proxies of a Prometheus server: for remote write, queries, its own replicas, and its pages."""

from ..auth_proxy import AuthProxy
from .flags import LISTEN

RESOURCE = "prometheuses"
WRITE = AuthProxy(RESOURCE, "write", LISTEN, 8443, 8643, ("create",), ("/api/v1/write",))
"""For remote write by agents."""
READ = AuthProxy(
    RESOURCE,
    "read",
    LISTEN,
    8444,
    8644,
    ("create", "get"),
    (
        "/api/v1/query",
        "/api/v1/query_range",
        "/api/v1/query_exemplars",
        "/api/v1/labels",
        "/api/v1/label/*/values",
        "/api/v1/series",
        "/api/v1/metadata",
        "/api/v1/rules",
        "/api/v1/alerts",
        "/api/v1/status/buildinfo",
    ),
)
"""For queries."""
METRICS = AuthProxy(RESOURCE, "metrics", LISTEN, 8445, 8645, ("get",), ("/metrics",))
"""For replicas, which scrape each other."""
BROWSE = READ._replace(
    name="browse",
    port=8447,
    health=8647,
    paths=(
        *READ.paths,
        "/",
        "/-/ready",
        "/alertmanager-discovery",
        "/alerts",
        "/assets/*",
        "/config",
        "/favicon.ico",
        "/favicon.svg",
        "/flags",
        "/graph",
        "/manifest.json",
        "/query",
        "/rules",
        "/service-discovery",
        "/status",
        "/targets",
        "/tsdb-status",
        "/api/v1/alertmanagers",
        "/api/v1/features",
        "/api/v1/format_query",
        "/api/v1/notifications",
        "/api/v1/notifications/live",
        "/api/v1/parse_query",
        "/api/v1/scrape_pools",
        "/api/v1/scrape_pools/config",
        "/api/v1/status/config",
        "/api/v1/status/flags",
        "/api/v1/status/runtimeinfo",
        "/api/v1/status/tsdb",
        "/api/v1/status/walreplay",
        "/api/v1/targets",
        "/api/v1/targets/relabel_steps",
    ),
)
"""For its pages and their requests (web/web.go and web/ui/mantine-ui of Prometheus 3)."""
READER = "reader"
"""ServiceAccount of people and programs that query; `fleet token` and `fleet status` request its tokens."""
VIEWER = "viewer"
"""ServiceAccount with access to pages, for which `fleet open` requests tokens."""
