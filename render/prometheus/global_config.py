"""What prometheus.yml says alike on a hub and on an agent."""

from typing import Any

from settings import Fleet, in_bytes

from ..scrape.relabel import MOVED

LATEST = "60h"
"""
How late a sample may come: as long as the log of an agent holds that is planned for the longest outage, 48h.

Without it a hub refuses, and its agents lose, what is more than an hour older than its own newest sample.
"""
_KEPT_DROPPED_TARGETS = 100
"""Targets that discovery found and a job refused, shown to people; each costs memory."""


def global_section(fleet: Fleet, cluster: str) -> dict[str, Any]:
    """Intervals, limits of every scrape and the cluster's name."""
    scrape = fleet.scrape
    return {
        "scrape_interval": scrape.interval,
        "scrape_timeout": scrape.timeout,
        "external_labels": {"cluster": cluster},
        "sample_limit": scrape.limits.samples,
        "target_limit": scrape.limits.targets,
        "label_limit": scrape.limits.labels,
        "label_name_length_limit": scrape.limits.label_name,
        "label_value_length_limit": scrape.limits.label_value,
        "body_size_limit": mebibytes(in_bytes(scrape.limits.body)),
        "keep_dropped_targets": _KEPT_DROPPED_TARGETS,
        "extra_scrape_metrics": True,
    }


def scrape_configs(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    What holds for every job, whoever answers.

    A redirect would lead to what only Prometheus itself reaches, past its doors; and the labels that tell blocks and
    twins apart are not a target's to give.
    """
    return [
        {**job, "follow_redirects": False, "metric_relabel_configs": [*job.get("metric_relabel_configs", []), *MOVED]}
        for job in jobs
    ]


def mebibytes(size: int) -> str:
    """A size as Prometheus writes it."""
    return f"{size // 2**20}MiB"
