"""Pushgateway: what jobs leave behind that end before they are scraped."""

from dataclasses import replace

from settings import Fleet, Server

from .auth_proxy import AuthProxy
from .scrape.authenticated import authenticated_job
from .scrape.job import ScrapeJob
from .scrape.jobs import OWN
from .scrape.relabel import Rule
from .scrape.untrusted import untrusted
from .thanos.jobs import ALL

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
PATHS = tuple(f"/metrics{'/*' * (2 * parts)}" for parts in range(1, _LABELS + 2))
"""Of groups; a pattern's `*` matches one part of a path and no more."""
PUSH = AuthProxy("pushgateways", "push", LISTEN, 8443, 8643, ("create", "update"), PATHS)
"""Of jobs that push; deleting what was pushed takes a right of its own."""
METRICS = AuthProxy("pushgateways", "metrics", LISTEN, 8444, 8644, ("get",), ("/metrics",))
_FREE = "__tmp_free"
OUR_JOBS = "|".join(
    (
        OWN,
        "alertmanager",
        "apiserver",
        "blackbox(-.+)?",
        "cadvisor",
        "config-reloader",
        "coredns",
        "kube-state-metrics",
        "kubelet",
        "node-exporter",
        "pods",
        APP,
        "services",
        *sorted(ALL),
    )
)
"""The jobs of this program, whichever of them a stack has."""


def pushgateway_job(server: Server, fleet: Fleet) -> ScrapeJob:
    """
    Return the scrape of what was pushed: its `job` and `instance` stay, unless the job is one of ours.

    Whoever may push could otherwise speak for an exporter. A `cluster` moves to `exported_cluster`, as everywhere.
    """
    job = authenticated_job(server, fleet.namespace, APP, APP, METRICS)
    return untrusted(replace(job, metric_relabel=_restored()), fleet.scrape.limits.annotated, pushed=True)


def _restored() -> list[Rule]:
    """
    Give a group the names that it was pushed under; one that claims a job of ours keeps them as `exported_…`.

    Pushgateway's own metrics have neither, so that no group can pose as it.
    """
    moved = [
        rule
        for label in ("job", "instance")
        for rule in (
            {"source_labels": [_FREE, f"exported_{label}"], "regex": "true;(.*)", "target_label": label},
            {"source_labels": [_FREE], "regex": "true", "target_label": f"exported_{label}", "replacement": ""},
        )
    ]
    return [
        {"source_labels": ["exported_job"], "regex": ".+", "target_label": _FREE, "replacement": "true"},
        {"source_labels": ["exported_job"], "regex": OUR_JOBS, "target_label": _FREE, "replacement": ""},
        *moved,
        {"regex": _FREE, "action": "labeldrop"},
    ]
