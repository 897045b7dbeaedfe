"""Through what a Prometheus server is reached: by agents, by who queries, by its own replicas."""

from ..auth_proxy import AuthProxy
from .flags import LISTEN

RESOURCE = "prometheuses"
WRITE = AuthProxy(RESOURCE, "write", LISTEN, 8443, 8643, ("create",), ("/api/v1/write",))
"""Of agents."""
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
"""Of who queries."""
METRICS = AuthProxy(RESOURCE, "metrics", LISTEN, 8445, 8645, ("get",), ("/metrics",))
"""Of replicas, which scrape each other."""
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
"""Of people: its pages, and what they ask for (web/web.go and web/ui/mantine-ui of Prometheus 3)."""
VIEWER = "viewer"
"""ServiceAccount of who looks at pages. It has no token but those that are issued for minutes, by `fleet open`."""
