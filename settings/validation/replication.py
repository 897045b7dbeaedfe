"""The rules on replicas and Thanos: what must go together so that nothing is counted twice or lost."""

import re
from collections.abc import Iterator

from ..errors import Problem
from .partial import PartialFleet

NEEDED = {"prometheus": (3, 9), "thanos": (0, 41)}
"""The releases from which a Prometheus' compaction waits for its sidecar (`compaction: delayed`)."""


def replicas_are_folded(partial: PartialFleet) -> Iterator[Problem]:
    """Several Prometheus answer differently, until a Query folds them."""
    if partial.server and partial.server.replicas > 1 and "thanos" not in partial.present:
        instead = "Add a section thanos, or leave replicas out."
        yield Problem(
            (partial.server_section, "replicas"), "answer differently without Thanos", instead, partial.server.replicas
        )


def agents_write_once(partial: PartialFleet) -> Iterator[Problem]:
    """An agent sends to one place; behind a Service of several Prometheus each would get a part."""
    if not partial.hub or partial.hub.replicas == 1 or (partial.thanos and partial.thanos.receive):
        return
    if "thanos" in partial.present and not partial.thanos:
        return
    if partial.local_agents or partial.hub.agents:
        instead = "Write thanos.receive, which takes each sample several times, or leave replicas out."
        yield Problem(("hub", "replicas"), "would each get a part of what agents send", instead, partial.hub.replicas)


def limited_clusters_write(partial: PartialFleet) -> Iterator[Problem]:
    """A limit is of somebody who writes to this Receive."""
    receive = partial.thanos.receive if partial.thanos else None
    if not receive or not partial.hub:
        return
    writers = {*partial.local_agents, *partial.hub.agents}
    for cluster in receive.series_limits:
        if cluster not in writers and not (cluster in partial.agents and partial.agents[cluster] is None):
            instead = f"These do: {', '.join(sorted(writers))}." if writers else "Remove it: no agent does."
            yield Problem(("thanos", "receive", "seriesLimits", cluster), "writes nothing here", instead)


def receive_has_writers(partial: PartialFleet) -> Iterator[Problem]:
    """Receive takes what agents write, and a standalone server has none."""
    if partial.thanos and partial.thanos.receive and partial.server_section == "standalone":
        instead = "Remove it, or write hub in place of standalone."
        yield Problem(("thanos", "receive"), "has no effect: no agent writes to a standalone server", instead)


def rulers_bucket_is_made(partial: PartialFleet) -> Iterator[Problem]:
    """A second bucket is made where the first is."""
    thanos = partial.thanos
    if thanos and thanos.ruler and thanos.ruler.bucket:
        path = ("thanos", "ruler", "bucket")
        if not thanos.storage.gcs:
            yield Problem(path, "has no effect without storage.gcs", "Remove it.", thanos.ruler.bucket)
        elif thanos.ruler.bucket == thanos.storage.gcs.bucket:
            yield Problem(path, "is the long-term bucket", "Remove it, or name another.", thanos.ruler.bucket)


def pods_have_identities(partial: PartialFleet) -> Iterator[Problem]:
    """Who reaches a bucket of Google Cloud without a key is a member of the pool of the server's cluster."""
    cluster = partial.clusters.get(partial.server_cluster) if partial.server_cluster else None
    gcs = partial.thanos.storage.gcs if partial.thanos else None
    if cluster and gcs and gcs.asks_for_identity and not cluster.pool:
        rule = "is missing: pods reach the bucket as members of their cluster's pool"
        instead = "Write <project of the cluster>.svc.id.goog, or outside of GKE thanos.storage.gcs.key."
        yield Problem(("clusters", str(partial.server_cluster), "workloadPool"), rule, instead)


def pools_have_a_bucket(partial: PartialFleet) -> Iterator[Problem]:
    """Only pods of the server's cluster reach a bucket, and only one of Google Cloud asks for members of a pool."""
    thanos_is_unreadable = "thanos" in partial.present and not partial.thanos
    gcs = partial.thanos.storage.gcs if partial.thanos else None
    for name, cluster in partial.clusters.items():
        if not cluster or not cluster.workload_pool:
            continue
        path, value = ("clusters", name, "workloadPool"), cluster.workload_pool
        if partial.server_cluster is not None and name != partial.server_cluster:
            yield Problem(
                path, f"has no effect: only the {partial.server_noun}'s pods reach a bucket", "Remove it.", value
            )
        elif not thanos_is_unreadable and not (gcs and gcs.asks_for_identity):
            rule = "has no effect: no pod comes with Workload Identity"
            instead = "Remove it; it is needed with thanos.storage.gcs that has no key."
            yield Problem(path, rule, instead, value)


def releases_know_delayed_compaction(partial: PartialFleet) -> Iterator[Problem]:
    """Flags that an older release does not know keep it from starting."""
    if not partial.thanos or not partial.images or partial.thanos.compaction != "delayed":
        return
    for name, least in NEEDED.items():
        image = getattr(partial.images, name)
        release = re.search(r":v?(\d+)\.(\d+)", image)
        if release and (int(release[1]), int(release[2])) < least:
            needed = ".".join(map(str, least))
            instead = f"Write a release from v{needed} on, or thanos.compaction: classic."
            yield Problem(("images", name), "does not know delayed compaction", instead, image)
