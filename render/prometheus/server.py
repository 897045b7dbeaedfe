"""prometheus.yml of a server: a hub's, or that of a cluster which is watched alone."""

from collections.abc import Iterator
from typing import Any

from settings import Fleet, Server, in_bytes
from settings.reserved import HUB, REPLICA
from settings.validation.capacity import USABLE_PERCENT

from ..alertmanager import alerting, alertmanager_job, config_reloader_job
from ..blackbox import probe_jobs
from ..pushgateway import pushgateway_job
from ..scrape.authenticated import authenticated_job
from ..scrape.job import ScrapeJob, scrape_configs
from ..scrape.jobs import OWN, jobs, self_scrape
from ..thanos.jobs import thanos_jobs
from ..yaml import to_yaml
from .auth_proxies import METRICS
from .global_config import OUT_OF_ORDER_WINDOW, global_section, mebibytes

RULE_FILES = "/etc/prometheus/rules/*.yml"


def server_config(server: Server, fleet: Fleet) -> str:
    """Return the text of prometheus.yml of a server that scrapes its own cluster and what is deployed beside it."""
    document: dict[str, Any] = {
        "global": {**_global(server, fleet), "evaluation_interval": fleet.scrape.interval},
        "rule_files": [RULE_FILES],
        **({"alerting": alerting(server, fleet.namespace)} if fleet.alertmanager else {}),
        "storage": {
            "tsdb": {
                "out_of_order_time_window": OUT_OF_ORDER_WINDOW,
                "retention": {
                    "time": server.retention,
                    "size": mebibytes(in_bytes(server.storage) * USABLE_PERCENT // 100),
                },
            },
            "exemplars": {"max_exemplars": 100_000},
        },
        "scrape_configs": scrape_configs(_jobs(server, fleet), fleet.scrape, server.cluster),
    }
    return to_yaml(document)


def _jobs(server: Server, fleet: Fleet) -> Iterator[ScrapeJob]:
    """What the server scrapes; its replicas scrape each other, so that each has the same series as the others."""
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


def _global(server: Server, fleet: Fleet) -> dict[str, Any]:
    """
    Where blocks are uploaded, the label of the pod tells a replica's from another's; Prometheus puts its name in.

    `cluster` can't be among these labels then: Thanos puts them over those of a series, and a hub has other clusters'.
    """
    section = global_section(fleet, server.cluster)
    if fleet.thanos:
        section["external_labels"] = {HUB: server.cluster, REPLICA: "${POD_NAME}"}
    return section
