"""Scrape jobs and auth proxies of Pushgateway."""

from dataclasses import replace

from settings import Fleet, Server
from settings.reserved import OUR_JOBS

from .auth_proxy import AuthProxy
from .scrape.authenticated import authenticated_job
from .scrape.job import ScrapeJob
from .scrape.relabel import Rule
from .scrape.untrusted import OWNED, untrusted

APP = "pushgateway"
LISTEN = "127.0.0.1:9091"
DATA = "/data"
FLAGS = (
    f"--web.listen-address={LISTEN}",
    f"--persistence.file={DATA}/metrics",
    "--persistence.interval=1m",
)
_LABELS = 6
"""Maximum number of labels of a grouping key, beside `job`; each is two segments of the path."""
PATHS = tuple(f"/metrics{'/*' * (2 * parts)}" for parts in range(1, _LABELS + 2))
"""Paths of groups; `*` in a pattern matches one segment of a path."""
PUSH = AuthProxy("pushgateways", "push", LISTEN, 8443, 8643, ("create", "update"), PATHS)
"""Auth proxy for jobs that push; deleting groups needs a separate right."""
METRICS = AuthProxy("pushgateways", "metrics", LISTEN, 8444, 8644, ("get",), ("/metrics",))
_FREE = "__tmp_free"


def pushgateway_job(server: Server, fleet: Fleet) -> ScrapeJob:
    """
    Return the scrape job of pushed metrics; they keep `job` and `instance`, unless the job is one of this program.

    A client that pushes could otherwise impersonate an exporter. `cluster` becomes `exported_cluster`, as in every job.
    """
    job = authenticated_job(server, fleet.namespace, APP, APP, METRICS)
    return untrusted(replace(job, metric_relabel=_restored()), fleet.scrape.limits.annotated, OWNED)


def _restored() -> list[Rule]:
    """
    Restore `job` and `instance` of a group; with a job of this program, they remain `exported_job` and so on.

    Pushgateway's own metrics have no such labels, so that no group can impersonate it.
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
