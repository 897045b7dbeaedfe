"""The namespaces whose targets a Prometheus may discover, where that is not the whole cluster."""

from settings import Fleet

from .operator import monitored_namespaces
from .prometheus.agent import agent_scrape_configs
from .prometheus.server import server_scrape_configs
from .scrape.discovery import discovered_namespaces


def readable_namespaces(fleet: Fleet, cluster: str) -> list[str] | None:
    """Return them in alphabetical order, or None for all: its own, those of its jobs, and those of monitors."""
    if not fleet.clusters[cluster].namespaced:
        return None
    server = fleet.server
    is_servers = server is not None and server.cluster == cluster
    configs = server_scrape_configs(server, fleet) if server and is_servers else agent_scrape_configs(fleet, cluster)
    return sorted({fleet.namespace, *discovered_namespaces(configs), *monitored_namespaces(fleet, cluster)})
