"""Global section of prometheus.yml, which servers and agents have in common."""

from typing import Any

from settings import Duration, Fleet, Quantity, in_bytes
from settings.validation.capacity import USABLE_PERCENT

OUT_OF_ORDER_WINDOW = "60h"
"""
How late a sample may come: as long as the log of an agent holds that is planned for the longest outage, 48h.

Without it a hub refuses, and its agents lose, what is more than an hour older than its own newest sample.
"""
_KEPT_DROPPED_TARGETS = 100
"""Dropped targets that the page of targets shows; each costs memory."""


def global_section(fleet: Fleet, cluster: str) -> dict[str, Any]:
    """Intervals, limits of every scrape and the label `cluster`."""
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


def storage_section(retention: Duration, volume: Quantity, **tsdb: str) -> dict[str, Any]:
    """Return for how long samples are kept and how much of a volume they use, with further settings of the TSDB."""
    size = mebibytes(in_bytes(volume) * USABLE_PERCENT // 100)
    return {
        "tsdb": {**tsdb, "retention": {"time": retention, "size": size}},
        "exemplars": {"max_exemplars": 100_000},
    }


def mebibytes(size: int) -> str:
    """A size as Prometheus writes it."""
    return f"{size // 2**20}MiB"
