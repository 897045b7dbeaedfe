"""prometheus.yml of a Prometheus server."""

from collections.abc import Iterator
from typing import Any

from settings import Fleet, Server
from settings.reserved import HUB_LABEL, REPLICA_LABEL

from ..alerting import alerting
from ..alertmanager import alertmanager_job, config_reloader_job
from ..blackbox import probe_jobs
from ..pushgateway import pushgateway_job
from ..scrape.authenticated import authenticated_job
from ..scrape.job import ScrapeJob, scrape_configs
from ..scrape.jobs import OWN, jobs, self_scrape
from ..scrape.user_jobs import user_configs
from ..thanos.jobs import thanos_jobs
from ..writers import envoy_jobs
from ..yaml import to_yaml
from .auth_proxies import METRICS
from .destinations import destination_entries
from .global_config import OUT_OF_ORDER_WINDOW, global_section, storage_section

RULE_FILES = "/etc/prometheus/rules/*.yml"


def server_config(server: Server, fleet: Fleet) -> str:
    """Return the text of prometheus.yml of a server, which scrapes its own cluster and the stack's other sections."""
    document: dict[str, Any] = {
        "global": {**_global(server, fleet), "evaluation_interval": fleet.scrape.interval},
        "rule_files": [RULE_FILES],
        **({"alerting": notified} if (notified := alerting(server, fleet)) else {}),
        "storage": server_storage(server),
        "scrape_configs": server_scrape_configs(server, fleet),
    }
    if server.destinations:
        document["remote_write"] = destination_entries(server.destinations, proxied=fleet.has_proxy(server.cluster))
    return to_yaml(document)


def server_storage(server: Server) -> dict[str, Any]:
    """Return the section `storage` of a server, which takes samples as late as an agent may send them."""
    return storage_section(server.retention, server.storage, out_of_order_time_window=OUT_OF_ORDER_WINDOW)


def server_scrape_configs(server: Server, fleet: Fleet) -> list[dict[str, Any]]:
    """Return the section `scrape_configs` of a server."""
    own = scrape_configs(_jobs(server, fleet), fleet, server.cluster)
    return [*own, *user_configs(fleet, server.cluster)]


def _jobs(server: Server, fleet: Fleet) -> Iterator[ScrapeJob]:
    """The server's scrape jobs; replicas scrape each other, so that all have the same series."""
    yield (
        authenticated_job(server, fleet.namespace, OWN, server.app, METRICS)
        if server.replicas > 1
        else self_scrape(server.app)
    )
    yield from jobs(fleet, server.cluster)
    if fleet.alertmanager:
        yield alertmanager_job(server, fleet.namespace)
        yield config_reloader_job(fleet.namespace)
    if fleet.pushgateway:
        yield pushgateway_job(server, fleet)
    yield from probe_jobs(server, fleet)
    yield from thanos_jobs(fleet)
    yield from envoy_jobs(fleet)


def _global(server: Server, fleet: Fleet) -> dict[str, Any]:
    """
    With uploaded blocks, the label `replica` distinguishes replicas; Prometheus expands it to the name of the pod.

    `cluster` can't be an external label then: Thanos overwrites the labels of series with external ones, and a hub has
    series of other clusters.
    """
    section = global_section(fleet, server.cluster)
    if fleet.thanos:
        section["external_labels"] = {HUB_LABEL: server.cluster, REPLICA_LABEL: "${POD_NAME}"}
    return section
