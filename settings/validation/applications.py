"""Rules on applications: who scrapes them, under which job and with which rights, and where dashboards are shown."""

import re
from collections.abc import Iterator

from ..application import Application
from ..errors import Path, Problem, nearest
from ..reserved import OUR_JOBS
from ..scrape_config import is_elsewhere
from .partial import PartialFleet


def applications_are_scraped(partial: PartialFleet) -> Iterator[Problem]:
    """The cluster of an application is one of the clusters."""
    for name, application in _valid(partial):
        if partial.clusters and application.cluster not in partial.clusters:
            known = partial.clusters
            instead = nearest(application.cluster, known, f"Write one of them: {', '.join(known)}.")
            yield Problem(("applications", name, "cluster"), "is not in clusters", instead, application.cluster)


def applications_are_named_once(partial: PartialFleet) -> Iterator[Problem]:
    """No cluster has two jobs of one name: of applications, of people's own or of this program."""
    written = [
        (cluster, job.name)
        for job in partial.jobs
        for cluster in (partial.clusters if job.clusters is None else job.clusters)
    ]
    seen: dict[tuple[str, str], str] = {}
    for name, application in _valid(partial):
        job = application.job or name
        path: Path = ("applications", name, "job") if application.job else ("applications", name)
        instead = "Use another one." if application.job else "Use another name, or write a job."
        first = seen.setdefault((application.cluster, job), name)
        if re.fullmatch(OUR_JOBS, job):
            yield Problem(path, "is the name of a job of promfleet", instead, application.job or "")
        elif (application.cluster, job) in written:
            yield Problem(path, f"is the name of a job of scrape.jobs in {application.cluster} too", instead, job)
        elif first != name:
            yield Problem(path, f"is the job of applications.{first} in {application.cluster} too", instead, job)


def applications_are_selected(partial: PartialFleet) -> Iterator[Problem]:
    """The operator of the cluster uses ServiceMonitors of the application's namespace."""
    for name, application in _valid(partial):
        cluster = partial.clusters.get(application.cluster)
        selected = cluster.operator.select.namespaces if cluster and cluster.operator else ()
        if selected and application.namespace not in selected:
            where = f"clusters.{application.cluster}.operator.select.namespaces"
            rule = f"is not in {where}, so that its ServiceMonitor would not be used"
            instead = f"Add {application.namespace} there."
            yield Problem(("applications", name, "namespace"), rule, instead, application.namespace)


def dashboards_have_a_grafana(partial: PartialFleet) -> Iterator[Problem]:
    """A dashboard is shown by the Grafana of the same stack."""
    for name, application in _valid(partial):
        if application.dashboard and "grafana" not in partial.present:
            rule = "has no effect: this stack has no Grafana"
            instead = "Add a section grafana, or remove it; the Grafana of another stack does not get it."
            yield Problem(("applications", name, "dashboard"), rule, instead, application.dashboard.path)


def dashboards_are_distinct(partial: PartialFleet) -> Iterator[Problem]:
    """Grafana loads none of two dashboards with one uid, or with one title in a folder; one file may be named twice."""
    named = {name: application.dashboard for name, application in _valid(partial) if application.dashboard}
    for key in ("uid", "title"):
        seen: dict[str, str] = {}
        for name, file in named.items():
            first = seen.setdefault(getattr(file, key), name)
            if file.path != (path := named[first].path):
                rule = f"has the {key} of {path}, which applications.{first} names"
                yield Problem(("applications", name, "dashboard"), rule, f"Write another {key} into it.", file.path)


def namespaced_jobs_are_known(partial: PartialFleet) -> Iterator[Problem]:
    """Where Prometheus may list the namespaces of its targets only, no job looks for others; nor does a watcher."""
    for name, cluster in partial.clusters.items():
        if not cluster or not cluster.namespaced:
            continue
        if partial.watcher and name in partial.watcher.clusters:
            rule = "has no effect: the watcher has rights of its own in this cluster"
            yield Problem(("clusters", name, "namespaced"), rule, "Remove it.", value=True)
        for job in partial.jobs:
            for index, entry in enumerate(job.config.get("kubernetes_sd_configs", ())):
                if job.is_in(name) and entry.get("role") != "node" and not is_elsewhere(entry):
                    rule = f"discovers in {name}, where clusters.{name}.namespaced forbids it"
                    instead = "Write an application instead, or static_configs."
                    yield Problem(("scrape", "jobs", *job.path, "kubernetes_sd_configs", index), rule, instead)


def _valid(partial: PartialFleet) -> Iterator[tuple[str, Application]]:
    for name, application in partial.applications.items():
        if application:
            yield name, application
