"""Rules on replicas and Thanos, so that no sample is counted twice or lost."""

from collections.abc import Iterator

from ..agent import Agent
from ..errors import Problem
from ..types import seconds
from .partial import PartialFleet

_HOUR = 3600


def replicas_are_deduplicated(partial: PartialFleet) -> Iterator[Problem]:
    """Several replicas of Prometheus have a Thanos Query, which deduplicates their series."""
    if partial.server and partial.server.replicas > 1 and "thanos" not in partial.present:
        instead = "Add a section thanos, or write replicas: 1."
        yield Problem(
            (partial.server_section, "replicas"),
            "needs thanos, which deduplicates the series of replicas",
            instead,
            partial.server.replicas,
        )


def agents_write_once(partial: PartialFleet) -> Iterator[Problem]:
    """With agents there is one replica, or Receive: a Service would split samples between replicas."""
    if not partial.hub or partial.hub.replicas == 1 or (partial.thanos and partial.thanos.receive):
        return
    if "thanos" in partial.present and not partial.thanos:
        return
    if partial.local_agents or partial.hub.agents:
        instead = "Add thanos.receive, which replicates every sample, or write replicas: 1."
        rule = "is not supported with agents: a Service would split their samples between replicas"
        yield Problem(("hub", "replicas"), rule, instead, partial.hub.replicas)


def late_samples_are_uploaded(partial: PartialFleet) -> Iterator[Problem]:
    """
    A hub keeps what agents send late until its sidecar has uploaded it.

    Prometheus writes late samples into blocks of their own time, and deletes those past the retention at once. Receive
    keeps blocks until they are uploaded.
    """
    hub, thanos = partial.hub, partial.thanos
    if not hub or not thanos or thanos.receive or not partial.writers or None in partial.agents.values():
        return
    known = [agent.outage for agent in partial.agents.values() if agent]
    outage = max(known or [Agent.model_fields["outage"].default], key=seconds)
    # An agent catches up within a quarter of it; a block is written when the head is a block and a half long.
    needed = seconds(outage) * 5 // 4 + 2 * seconds(thanos.block)
    if seconds(hub.retention) < needed:
        rule = f"is too short for what agents send after an outage of {outage}: it would be deleted before its upload"
        instead = f"Write {-(-needed // _HOUR)}h or more, or a shorter outage at agents.<cluster>."
        yield Problem(("hub", "retention"), rule, instead, hub.retention)


def limited_clusters_write(partial: PartialFleet) -> Iterator[Problem]:
    """Series limits name clusters whose agents write to this Receive."""
    receive = partial.thanos.receive if partial.thanos else None
    if not receive or not partial.hub:
        return
    writers = {*partial.local_agents, *partial.hub.agents}
    for cluster in receive.series_limits:
        if cluster not in writers and not (cluster in partial.agents and partial.agents[cluster] is None):
            instead = f"These clusters do: {', '.join(sorted(writers))}." if writers else "Remove it: no agent does."
            rule = "is a limit of a cluster that does not write to this hub"
            yield Problem(("thanos", "receive", "seriesLimits", cluster), rule, instead)


def receive_has_writers(partial: PartialFleet) -> Iterator[Problem]:
    """Receive has a hub: no agent writes to a standalone server."""
    if partial.thanos and partial.thanos.receive and partial.server_section == "standalone":
        instead = "Remove it, or rename the section standalone to hub."
        yield Problem(("thanos", "receive"), "has no effect: no agent writes to a standalone server", instead)


def ruler_bucket_is_created(partial: PartialFleet) -> Iterator[Problem]:
    """A bucket for the Ruler is a second one, on Google Cloud."""
    thanos = partial.thanos
    if thanos and thanos.ruler and thanos.ruler.bucket:
        path = ("thanos", "ruler", "bucket")
        if not thanos.storage.gcs:
            yield Problem(path, "has no effect without storage.gcs", "Remove it.", thanos.ruler.bucket)
        elif thanos.ruler.bucket == thanos.storage.gcs.bucket:
            yield Problem(path, "is the long-term bucket", "Remove it, or name another.", thanos.ruler.bucket)


def pods_have_identities(partial: PartialFleet) -> Iterator[Problem]:
    """Pods that get access to a bucket through Workload Identity have a workload identity pool."""
    cluster = partial.cluster_of_server
    gcs = partial.thanos.storage.gcs if partial.thanos else None
    if cluster and gcs and gcs.uses_workload_identity and not cluster.pool:
        rule = "is missing: pods get access to the bucket as members of their cluster's pool"
        instead = "Write <project of the cluster>.svc.id.goog. Outside of GKE, write thanos.storage.gcs.key instead."
        yield Problem(("clusters", str(partial.server_cluster), "workloadPool"), rule, instead)


def pools_have_a_bucket(partial: PartialFleet) -> Iterator[Problem]:
    """A workload identity pool is of the server's cluster, and there is a bucket of Google Cloud without a key."""
    thanos_is_unreadable = "thanos" in partial.present and not partial.thanos
    gcs = partial.thanos.storage.gcs if partial.thanos else None
    for name, cluster in partial.clusters.items():
        if not cluster or not cluster.workload_pool:
            continue
        path, value = ("clusters", name, "workloadPool"), cluster.workload_pool
        if partial.server_cluster is not None and name != partial.server_cluster:
            yield Problem(
                path,
                f"has no effect: only pods in the {partial.server_noun}'s cluster access a bucket",
                "Remove it.",
                value,
            )
        elif not thanos_is_unreadable and not (gcs and gcs.uses_workload_identity):
            rule = "has no effect: no pod uses Workload Identity"
            instead = "Remove it, or write thanos.storage.gcs without a key."
            yield Problem(path, rule, instead, value)
