"""Pushgateway: what jobs leave behind that end before they are scraped."""

from settings import Fleet

from .beside import behind_door
from .jobs import Job
from .relabel import pinned
from .theirs import narrowed

APP = "pushgateway"
LISTEN = "127.0.0.1:9091"
DATA = "/data"
FLAGS = (
    f"--web.listen-address={LISTEN}",
    f"--persistence.file={DATA}/metrics",
    "--persistence.interval=1m",
)
_LABELS = 6
"""Labels of a grouping key, beside the job, that a push may have: each is two parts of the path."""
PATHS = ("/metrics", *(f"/metrics{'/*' * (2 * parts)}" for parts in range(1, _LABELS + 2)))
"""A pattern's `*` matches one part of a path and no more."""


def pushgateway_job(fleet: Fleet) -> Job:
    """
    The scrape of what was pushed: its `job` and `instance` stay, and a `cluster` moves to `exported_cluster`.

    Whoever may push could otherwise speak for any cluster.
    """
    cluster = fleet.hub.cluster if fleet.hub else ""
    narrow = narrowed(fleet, pushed=True)
    return {
        **behind_door(fleet, APP, APP, "push"),
        **narrow,
        "honor_labels": True,
        "metric_relabel_configs": [*narrow["metric_relabel_configs"], *pinned(cluster)],
    }
