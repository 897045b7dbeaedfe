"""What targets that anybody may deploy, and pushed groups, may bring: less, and nothing that is ours to say."""

from collections.abc import Iterable
from dataclasses import replace

from settings import in_bytes
from settings.scrape import AnnotatedLimits

from ..prometheus.global_config import mebibytes
from .allowlist import ESSENTIAL
from .job import ScrapeJob
from .relabel import drop

_ABOUT_OTHERS = ("apiserver", "cadvisor", "kube-state-metrics", "kubelet", "node-exporter")
"""Jobs that tell about a cluster, of which there is one; a program that tells about itself is told apart by its job."""
_OF_ANYBODY = ("go_", "kubernetes_build_info", "process_", "rest_client_", "workqueue_")
"""Beginnings of families that those jobs bring too, and whoever is written in Go or speaks to Kubernetes."""
OF_CLUSTERS = (
    "container_(cpu|fs|memory|network|oom|start)_.+",
    "kube_(cronjob|daemonset|deployment|horizontalpodautoscaler|ingress|job|namespace|node|persistentvolume)_.+",
    "kube_(persistentvolumeclaim|pod|poddisruptionbudget|replicaset|resourcequota|service|statefulset)_.+",
    "kubelet_.+",
    "machine_(cpu|memory)_.+",
)
OF_MACHINES = (
    "node_(context|cpu|disk|exporter|filesystem|intr|md|memory|network|os|pressure|procs|scrape|sockstat)_.+",
    "node_(timex|uname|vmstat)_.+",
)
"""These two are what exporters tell of nodes, containers and objects, kept or not: `scrape.keep` may add any of it."""
_REPORTS = (
    "up",
    "scrape_(body_size_bytes|duration_seconds|sample_limit|samples_post_metric_relabeling|samples_scraped)",
    "scrape_(series_added|timeout_seconds)",
)
"""What Prometheus itself adds to each scrape."""
_MADE = (".*:.*", "ALERTS.*", "promfleet_.*")
"""What rules record."""
_PROBED, _PUSHED = "probe_.*", "push_.*"
"""What a prober answers, and what Pushgateway says of groups."""


def _essential(*jobs: str) -> list[str]:
    return sorted({name for job in jobs for name in ESSENTIAL[job] if not name.startswith(_OF_ANYBODY)})


OWNED = (*_essential(*_ABOUT_OTHERS), *OF_CLUSTERS, *OF_MACHINES, *_REPORTS, *_MADE, _PROBED)
"""Regular expressions of the names that only this program's own jobs bring."""
OWNED_BEFORE_MONITORS = (*(name for name in OWNED if name != _PROBED), _PUSHED)
"""The same without what a Probe of somebody else is for: our own rules on probes name our own job."""
OF_THE_CLUSTER = (
    *_essential(*(job for job in _ABOUT_OTHERS if job != "node-exporter")),
    *OF_CLUSTERS,
    *_REPORTS,
    *_MADE,
    _PUSHED,
)
"""Those of them of which a cluster has one; machines and probed endpoints of people's own jobs are others than ours."""


def untrusted(job: ScrapeJob, limits: AnnotatedLimits, owned: Iterable[str] = (*OWNED, _PUSHED)) -> ScrapeJob:
    """
    Return the job with tighter limits, and without the names that it may not bring, whichever are kept of the others.

    Rules and dashboards would take a second answer for a part of the first: a sum counts twice, a join fails for all.
    """
    return replace(
        job,
        options={
            **job.options,
            "sample_limit": limits.samples,
            "body_size_limit": mebibytes(in_bytes(limits.body)),
        },
        metric_relabel=[drop(["__name__"], "|".join(owned)), *job.metric_relabel],
    )
