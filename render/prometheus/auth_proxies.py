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
