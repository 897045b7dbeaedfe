"""prometheus.yml of a watcher: every cluster's jobs, as an agent in the cluster would have them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from settings import Fleet, Watcher, authority
from settings.watcher import SELF, Machine

from ..alerting import existing_alertmanagers
from ..alertmanager import LISTEN as ALERTMANAGER
from ..blackbox import local_probe_jobs
from ..scrape.connection import Connection
from ..scrape.job import ScrapeJob
from ..scrape.jobs import OWN, jobs
from ..scrape.relabel import MOVED, Rule, constant, keep
from ..scrape.user_jobs import user_configs
from ..yaml import to_yaml
from .agent import remote_write
from .destinations import destination_entries
from .flags import LISTEN
from .global_config import global_section, storage_section

APP = "prometheus-watcher"
"""The instance that Prometheus on the machine is."""


class WatcherReceiver(NamedTuple):
    """Where a watcher writes all samples to as well."""

    url: str
    own: bool
    """Whether it is a promfleet hub."""
    has_authority: bool
    """Whether a file beside the token has the certificates that sign for it."""


def cluster_folder(cluster: str) -> str:
    """Return the folder of a cluster's token and authority, from that of prometheus.yml."""
    return f"clusters/{cluster}"


SELF_PASSWORD = "web.password"
"""
File with the password by which Prometheus scrapes itself where `watcher.expose` wants one.

It is made where the files are written, and its bcrypt hash is one of the users of web.yml.
"""
EXISTING = "alertmanagers"
"""Folder of the credentials for existing Alertmanagers, from that of prometheus.yml."""
RECEIVER_TOKEN, RECEIVER_CA = "receiver/token", "receiver/ca.crt"
"""Files for the receiver, from the folder of prometheus.yml."""


def watcher_config(fleet: Fleet, api_servers: Mapping[str, str], receiver: WatcherReceiver | None = None) -> str:
    """
    Return the text of prometheus.yml for the machine; its paths begin at its own folder.

    `api_servers` has the URL of each watched cluster's API server, as the machine reaches it.
    """
    watcher = fleet.watcher
    if watcher is None:
        raise ValueError("this stack has no watcher")
    document: dict[str, Any] = {
        "global": {**global_section(fleet, watcher.name), "evaluation_interval": fleet.scrape.interval},
        "rule_files": ["rules/*.yml"],
        **({"alerting": {"alertmanagers": notified}} if (notified := _alertmanagers(fleet)) else {}),
        "storage": storage_section(watcher.retention, watcher.storage),
        "scrape_configs": [
            *_machines_own(fleet, watcher),
            *_of_clusters(fleet, watcher, api_servers),
            *_of_users(fleet, watcher),
        ],
        **({"remote_write": written} if (written := _remote_write(fleet, watcher, receiver)) else {}),
    }
    return to_yaml(document)


def _of_clusters(fleet: Fleet, watcher: Watcher, api_servers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The jobs of each cluster; what tells them apart in prometheus.yml is not in their series."""
    for cluster, watched in watcher.clusters.items():
        folder = cluster_folder(cluster)
        connection = Connection(
            token_file=f"{folder}/token",
            ca_file=f"{folder}/ca.crt",
            api_server=api_servers[cluster],
            proxies=watched.route == "apiserver",
        )
        for job in (_self_scrape_for(cluster, watcher), *jobs(fleet, cluster, connection)):
            yield _in_cluster(job).config(fleet, cluster) | {"job_name": f"{cluster}/{job.name}"}
    for name, machine in watcher.machines.items():
        job = _by_hand(machine)
        yield _in_cluster(job).config(fleet, machine.cluster) | {"job_name": f"{machine.cluster}/machines/{name}"}


def _of_users(fleet: Fleet, watcher: Watcher) -> Iterator[dict[str, Any]]:
    """People's own jobs, each of one cluster or of the machine itself."""
    for cluster in (watcher.name, *watcher.clusters):
        for config in user_configs(fleet, cluster):
            name = config["job_name"]
            rules = [constant("job", name), *config["relabel_configs"]]
            yield {**config, "job_name": f"{cluster}/{name}", "relabel_configs": rules}


def _in_cluster(job: ScrapeJob) -> ScrapeJob:
    return replace(job, relabel=[constant("job", job.name), *job.relabel])


def _by_hand(machine: Machine) -> ScrapeJob:
    return ScrapeJob(
        name=machine.job,
        path=machine.path,
        options={"scheme": "https"} if machine.scheme == "https" else {},
        targets=[{"targets": [*machine.targets], **({"labels": {**machine.labels}} if machine.labels else {})}],
    )


def _machines_own(fleet: Fleet, watcher: Watcher) -> Iterator[dict[str, Any]]:
    """What runs on the machine; its series have the watcher's name as their cluster."""
    found = [_self_scrape(watcher)]
    if fleet.alertmanager:
        found.append(ScrapeJob(name="alertmanager", targets=[_local("alertmanager", ALERTMANAGER)]))
    found += local_probe_jobs(fleet)
    yield from (job.config(fleet, watcher.name) for job in found)


def _self_scrape(watcher: Watcher) -> ScrapeJob:
    """Prometheus itself, as people reach it."""
    if not watcher.expose:
        return ScrapeJob(name=OWN, targets=[_local(APP, LISTEN)])
    expose = watcher.expose
    return ScrapeJob(
        name=OWN,
        options={
            "scheme": "https",
            "basic_auth": {"username": SELF, "password_file": SELF_PASSWORD},
            "tls_config": {"ca_file": expose.tls.certificate, "server_name": expose.host},
        },
        targets=[_local(APP, authority("127.0.0.1", expose.port))],
    )


def _self_scrape_for(cluster: str, watcher: Watcher) -> ScrapeJob:
    """
    What Prometheus says of the jobs of one cluster, as an agent there would say it of its own.

    Its `up` tells rules and people that somebody scrapes this cluster.
    """
    relabel: list[Rule] = [
        keep(["scrape_job"], f"{cluster}/.+"),
        {"source_labels": ["scrape_job"], "regex": "[^/]+/(.+)", "target_label": "scrape_job"},
    ]
    return replace(_self_scrape(watcher), metric_relabel=relabel)


def _local(instance: str, address: str) -> dict[str, Any]:
    return {"targets": [address], "labels": {"instance": instance}}


def _alertmanagers(fleet: Fleet) -> list[dict[str, Any]]:
    ours = [{"api_version": "v2", "static_configs": [{"targets": [ALERTMANAGER]}]}] if fleet.alertmanager else []
    return [*ours, *existing_alertmanagers(fleet, EXISTING)]


def _remote_write(fleet: Fleet, watcher: Watcher, receiver: WatcherReceiver | None) -> list[dict[str, Any]]:
    """Every series has its cluster already, and none of them is the watcher's to choose."""
    found = destination_entries(watcher.destinations, MOVED)
    if receiver is None:
        return found
    ca_file = RECEIVER_CA if receiver.has_authority else None
    entry = remote_write(fleet, receiver.url, own=receiver.own, ca_file=ca_file, token_file=RECEIVER_TOKEN)
    return [{**entry, "write_relabel_configs": MOVED}, *found]
