"""prometheus.yml of a hub."""

from typing import Any

from settings import Fleet, Hub, in_bytes
from settings.reserved import HUB, REPLICA
from settings.validation.capacity import USABLE_PERCENT

from ..alertmanager import alerting, alertmanager_job
from ..blackbox import probe_jobs
from ..pushgateway import pushgateway_job
from ..scrape.authenticated import behind_door
from ..scrape.jobs import OWN, Job, alone, jobs
from ..thanos.jobs import thanos_jobs
from ..yaml import to_yaml
from .global_config import LATEST, global_section, mebibytes, scrape_configs

APP = "prometheus-hub"
METRICS_DOOR = "metrics"
RULE_FILES = "/etc/prometheus/rules/*.yml"


def hub_config(fleet: Fleet) -> str:
    """The text of the hub's prometheus.yml; it scrapes its own cluster and takes the others' samples."""
    hub = fleet.hub
    if hub is None:
        raise ValueError("this fleet has no hub")
    document: dict[str, Any] = {
        "global": {**_global(fleet, hub), "evaluation_interval": fleet.scrape.interval},
        "rule_files": [RULE_FILES],
        **({"alerting": alerting(fleet)} if fleet.alertmanager else {}),
        "storage": {
            "tsdb": {
                "out_of_order_time_window": LATEST,
                "retention": {
                    "time": hub.retention,
                    "size": mebibytes(in_bytes(hub.storage) * USABLE_PERCENT // 100),
                },
            },
            "exemplars": {"max_exemplars": 100_000},
        },
        "scrape_configs": scrape_configs(
            [
                *jobs(fleet, hub.cluster, _itself(fleet, hub)),
                *([alertmanager_job(fleet)] if fleet.alertmanager else []),
                *([pushgateway_job(fleet)] if fleet.pushgateway else []),
                *probe_jobs(fleet),
                *thanos_jobs(fleet),
            ]
        ),
    }
    return to_yaml(document)


def _itself(fleet: Fleet, hub: Hub) -> Job:
    """Twins scrape each other, so that each has the same series as the other."""
    return behind_door(fleet, OWN, APP, METRICS_DOOR) if hub.replicas > 1 else alone(APP)


def _global(fleet: Fleet, hub: Hub) -> dict[str, Any]:
    """
    Where blocks are uploaded, the label of the pod tells them from its twin's; Prometheus puts its name in.

    `cluster` can't be among these labels then: Thanos puts them over those of a series, and a hub has other clusters'.
    """
    section = global_section(fleet, hub.cluster)
    if fleet.thanos:
        section["external_labels"] = {HUB: hub.cluster, REPLICA: "${POD_NAME}"}
    return section
