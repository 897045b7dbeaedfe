"""People's own scrape jobs: what they wrote, and around it what keeps their series apart from all others."""

from collections.abc import Iterator, Mapping
from typing import Any

from settings import Fleet, in_bytes
from settings.receiver_config import OF_STACK
from settings.reserved import OUR_JOBS
from settings.scrape_config import ScrapeConfig, is_elsewhere
from settings.scrape_credentials import MountedFile

from ..prometheus.global_config import mebibytes
from .annotated import FALLBACK
from .relabel import MOVED, Rule, constant, drop, forced
from .untrusted import OF_THE_CLUSTER

FOLDER = "/etc/prometheus/jobs"
"""Mount path of the Secrets and ConfigMaps that jobs and destinations refer to."""
NEEDED: Mapping[str, tuple[str, str]] = {
    "endpoints": ("", "endpoints"),
    "ingress": ("networking.k8s.io", "ingresses"),
    "cronjob": ("batch", "cronjobs"),
    "deployment": ("apps", "deployments"),
    "job": ("batch", "jobs"),
    "namespace": ("", "namespaces"),
}
"""
Role or attached metadata of `kubernetes_sd_configs` -> API group and resource that it lists and watches.

Nodes, pods, Services and EndpointSlices are missing: this program's own jobs discover by them.
"""


def user_configs(fleet: Fleet, cluster: str) -> list[dict[str, Any]]:
    """Return the entries of `scrape_configs` of people's own jobs in a cluster."""
    return [user_config(fleet, job, cluster) for job in fleet.scrape.jobs if job.is_in(cluster)]


def mounted_files(fleet: Fleet, cluster: str) -> list[MountedFile]:
    """Return each key of a Secret or ConfigMap that jobs and destinations of a cluster read, sorted by path."""
    found = {file for job in fleet.scrape.jobs if job.is_in(cluster) for _, file in job.mounted}
    if host := fleet.clusters[cluster].node_exporter.host:
        found |= {file for _, file in host.client.mounted}
    if etcd := fleet.clusters[cluster].control_plane.etcd:
        found |= {file for _, file in etcd.client.mounted}
    found |= {file for one in fleet.destinations_of(cluster).values() for _, file in one.mounted}
    return sorted(found, key=file_path)


def discovered_resources(fleet: Fleet, cluster: str) -> list[tuple[str, str]]:
    """Return API group and resource of all that jobs of a cluster discover by, beside what this program's own do."""
    return sorted(
        {
            NEEDED[need]
            for job in fleet.scrape.jobs
            if job.is_in(cluster)
            for need in _needs(job.config.get("kubernetes_sd_configs", ()))
            if need in NEEDED
        }
    )


def file_path(file: MountedFile) -> str:
    """Return the path below the folder of a key; neither a name of an object nor one of a secret has a slash."""
    return file.name if file.kind == OF_STACK else f"{file.kind}/{file.name}/{file.key}"


def _needs(entries: Any) -> Iterator[str]:
    """What discovery in the own cluster lists; elsewhere it has other credentials."""
    for entry in entries:
        if is_elsewhere(entry):
            continue
        yield str(entry.get("role"))
        attached = entry.get("attach_metadata")
        yield from (str(name) for name, wanted in (attached or {}).items() if wanted is True)


def with_paths(value: Any, folder: str = FOLDER) -> Any:
    """Return the same with the path, below a folder, of every mounted file."""
    if isinstance(value, MountedFile):
        return f"{folder}/{file_path(value)}"
    if isinstance(value, Mapping):
        return {key: with_paths(item, folder) for key, item in value.items()}
    return [with_paths(item, folder) for item in value] if isinstance(value, list | tuple) else value


def user_config(fleet: Fleet, job: ScrapeConfig, cluster: str) -> dict[str, Any]:
    """
    Return the entry of one job. What it does to labels comes first, so that it can't undo what follows.

    With `honor_labels` the labels of a target's own answer are only there after the scrape, without it those that
    discovery and relabelling gave it are: therefore both lists have the same end.
    """
    written = {key: with_paths(value) for key, value in job.config.items()}
    limits = fleet.scrape.limits.annotated
    apart = _apart(job.name, cluster, fleet.labels_of(cluster))
    relabel, metric_relabel = (written.pop(f"{kind}relabel_configs", []) for kind in ("", "metric_"))
    return {
        "job_name": job.name,
        "sample_limit": limits.samples,
        "body_size_limit": mebibytes(in_bytes(limits.body)),
        "follow_redirects": False,
        "fallback_scrape_protocol": FALLBACK,
        **written,
        "relabel_configs": [*relabel, *apart],
        "metric_relabel_configs": [*metric_relabel, drop(["__name__"], "|".join(OF_THE_CLUSTER)), *apart],
    }


def _apart(name: str, cluster: str, labels: Mapping[str, str]) -> list[Rule]:
    """Give the series the cluster's name and labels, and neither the name of one of our jobs nor a label of Thanos'."""
    return [
        {"source_labels": ["job"], "regex": f"({OUR_JOBS})", "target_label": "exported_job"},
        {**constant("job", name), "source_labels": ["job"], "regex": OUR_JOBS},
        *(rule for label in ({**labels, "cluster": cluster}).items() for rule in forced(*label)),
        *MOVED,
    ]
