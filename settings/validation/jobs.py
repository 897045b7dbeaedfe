"""Rules on people's own scrape jobs: where they run, and how their names and credentials get there."""

from collections.abc import Iterator

from ..errors import Path, Problem, nearest, spelt
from ..scrape_config import ScrapeConfig, is_elsewhere
from ..scrape_credentials import REFERENCE, WithFiles
from .partial import PartialFleet
from .paths import not_in_pod, not_on_machine

_JOBS: Path = ("scrape", "jobs")
IN_POD = ("/var/run/secrets/kubernetes.io/serviceaccount/token", "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
"""Files of the ServiceAccount, which are in every pod."""
_MACHINES = "machines/"
_ON_MACHINE = "Write /folder/file, of the watcher's machine."


def jobs_name_clusters(partial: PartialFleet) -> Iterator[Problem]:
    """A job names clusters that this stack scrapes; on a machine exactly one, or each would have its series."""
    known = _scraped(partial)
    for job in partial.jobs:
        for index, cluster in enumerate(job.clusters or ()):
            if known and cluster not in known:
                instead = nearest(cluster, known, f"Write one of them: {', '.join(known)}.")
                yield Problem(
                    (*_JOBS, *job.path, "clusters", index), "is no cluster that this stack scrapes", instead, cluster
                )
        if partial.watcher and len(job.clusters or ()) != 1:
            rule = "does not name one cluster: the watcher would scrape the same targets once for each"
            example = f"Write the one that the targets belong to: [{known[-1]}]."
            yield Problem((*_JOBS, *job.path, "clusters"), rule, example)


def job_names_are_distinct(partial: PartialFleet) -> Iterator[Problem]:
    """No cluster has two jobs of one name."""
    seen: list[ScrapeConfig] = []
    for job in partial.jobs:
        for other in seen:
            if other.name == job.name and _overlap(job, other):
                first = spelt((*_JOBS, *other.path))
                instead = "Use another name, or write other clusters."
                yield Problem((*_JOBS, *job.path, "job_name"), f"is the name of {first} too", instead, job.name)
                break
        seen.append(job)


def job_files_exist(partial: PartialFleet) -> Iterator[Problem]:
    """Files that jobs read are mounted into pods, and lie on a machine."""
    for written, client in _clients(partial):
        on_machine = "watcher" in partial.present and written[0] != "agents"
        for path, mounted in client.mounted if on_machine else ():
            kind = "Secret" if mounted.kind == "secret" else "ConfigMap"
            rule = f"is a {kind} of a cluster, and Prometheus is on the watcher's machine"
            instead = "Write the path of a file there that the group prometheus reads, under a key with _file."
            yield Problem((*written, *path), rule, instead)
        for path, text in client.literal:
            if problem := not_on_machine(text, _ON_MACHINE) if on_machine else _in_pod(text, path):
                yield Problem((*written, *path), *problem, "")


def services_of_nodes_are_reached(partial: PartialFleet) -> Iterator[Problem]:
    """The API server passes a question on to a node's kubelet, and to pods; not to services of a node."""
    for name, watched in partial.watcher.clusters.items() if partial.watcher else ():
        cluster = partial.clusters.get(name)
        if watched.route == "apiserver" and cluster and cluster.node_exporter.host:
            instead = "Write route: direct for the cluster, or remove host."
            yield Problem(("clusters", name, "nodeExporter", "host"), "can't be reached by route: apiserver", instead)
        if watched.route == "apiserver" and cluster and cluster.control_plane.jobs:
            instead = "Write route: direct for the cluster, or remove controlPlane."
            yield Problem(("clusters", name, "controlPlane"), "can't be reached by route: apiserver", instead)


def jobs_fit_a_machine(partial: PartialFleet) -> Iterator[Problem]:
    """Discovery in a cluster needs an API server, which a machine has to be told; names there are prefixed."""
    for job in partial.jobs if "watcher" in partial.present else ():
        if job.name.startswith(_MACHINES):
            rule = f"begins with {_MACHINES}, as the watcher's own jobs of machines do"
            yield Problem((*_JOBS, *job.path, "job_name"), rule, "Use another name.", job.name)
        for index, entry in enumerate(job.config.get("kubernetes_sd_configs", ())):
            if not is_elsewhere(entry):
                rule = "names no API server, and the watcher's machine is in no cluster"
                instead = "Write api_server with authorization and tls_config, or kubeconfig_file: /path."
                yield Problem((*_JOBS, *job.path, "kubernetes_sd_configs", index), rule, instead)


def _clients(partial: PartialFleet) -> Iterator[tuple[Path, WithFiles]]:
    """Whatever refers to files, with the path where it was written."""
    for job in partial.jobs:
        yield (*_JOBS, *job.path), job
    for name, cluster in partial.clusters.items():
        if cluster and (host := cluster.node_exporter.host):
            yield ("clusters", name, "nodeExporter", "host", "client"), host.client
        if cluster and (etcd := cluster.control_plane.etcd):
            yield ("clusters", name, "controlPlane", "etcd", "client"), etcd.client
    for written, _, destination in partial.destinations:
        yield written, destination


def _scraped(partial: PartialFleet) -> tuple[str, ...]:
    """The clusters that a Prometheus of this stack scrapes."""
    if partial.watcher:
        return (partial.watcher.name, *partial.watcher.clusters)
    return tuple(partial.clusters)


def _overlap(one: ScrapeConfig, other: ScrapeConfig) -> bool:
    return one.clusters is None or other.clusters is None or not set(one.clusters).isdisjoint(other.clusters)


def _in_pod(text: object, path: Path) -> tuple[str, str] | None:
    is_list = "file_sd_configs" in path
    reference = "{configMap: {name: …, key: targets.json}}" if is_list else REFERENCE
    known = "" if is_list else f", or {IN_POD[path[-1] == 'ca_file']}"
    return not_in_pod(text, f"Write {reference}{known}.", IN_POD)
