"""The rules on replicas and Thanos: what must go together so that nothing is counted twice or lost."""

import re
from collections.abc import Iterator

from ..errors import Problem
from .partial import Draft

NEEDED = {"prometheus": (3, 9), "thanos": (0, 41)}
"""The releases from which a Prometheus' compaction waits for its sidecar (`compaction: delayed`)."""


def replicas_are_folded(draft: Draft) -> Iterator[Problem]:
    """Several Prometheus answer differently, until a Query folds them."""
    if draft.hub and draft.hub.replicas > 1 and "thanos" not in draft.written:
        instead = "Add a section thanos, or leave replicas out."
        yield Problem(("hub", "replicas"), "answer differently without Thanos", instead, draft.hub.replicas)


def agents_write_once(draft: Draft) -> Iterator[Problem]:
    """An agent sends to one place; behind a Service of several Prometheus each would get a part."""
    if not draft.hub or draft.hub.replicas == 1 or (draft.thanos and draft.thanos.receive):
        return
    if "thanos" in draft.written and not draft.thanos:
        return
    if draft.local_agents or draft.hub.agents:
        instead = "Write thanos.receive, which takes each sample several times, or leave replicas out."
        yield Problem(("hub", "replicas"), "would each get a part of what agents send", instead, draft.hub.replicas)


def limited_clusters_write(draft: Draft) -> Iterator[Problem]:
    """A limit is of somebody who writes to this Receive."""
    receive = draft.thanos.receive if draft.thanos else None
    if not receive or not draft.hub:
        return
    writers = {*draft.local_agents, *draft.hub.agents}
    for cluster in receive.series_limits:
        if cluster not in writers and not (cluster in draft.agents and draft.agents[cluster] is None):
            instead = f"These do: {', '.join(sorted(writers))}." if writers else "Remove it: no agent does."
            yield Problem(("thanos", "receive", "seriesLimits", cluster), "writes nothing here", instead)


def rulers_bucket_is_made(draft: Draft) -> Iterator[Problem]:
    """A second bucket is made where the first is."""
    thanos = draft.thanos
    if thanos and thanos.ruler and thanos.ruler.bucket:
        path = ("thanos", "ruler", "bucket")
        if not thanos.storage.gcs:
            yield Problem(path, "has no effect without storage.gcs", "Remove it.", thanos.ruler.bucket)
        elif thanos.ruler.bucket == thanos.storage.gcs.bucket:
            yield Problem(path, "is the long-term bucket", "Remove it, or name another.", thanos.ruler.bucket)


def pods_have_identities(draft: Draft) -> Iterator[Problem]:
    """Who reaches a bucket of Google Cloud without a key is a member of the pool of the hub's cluster."""
    hub = draft.clusters.get(draft.hub_cluster) if draft.hub_cluster else None
    gcs = draft.thanos.storage.gcs if draft.thanos else None
    if hub and gcs and gcs.asks_for_identity and not hub.pool:
        rule = "is missing: pods reach the bucket as members of their cluster's pool"
        instead = "Write <project of the cluster>.svc.id.goog, or outside of GKE thanos.storage.gcs.key."
        yield Problem(("clusters", str(draft.hub_cluster), "workloadPool"), rule, instead)


def pools_have_a_bucket(draft: Draft) -> Iterator[Problem]:
    """Only the hub's pods reach a bucket, and only one of Google Cloud asks for members of a pool."""
    thanos_is_unreadable = "thanos" in draft.written and not draft.thanos
    gcs = draft.thanos.storage.gcs if draft.thanos else None
    for name, cluster in draft.clusters.items():
        if not cluster or not cluster.workload_pool:
            continue
        path, value = ("clusters", name, "workloadPool"), cluster.workload_pool
        if draft.hub_cluster is not None and name != draft.hub_cluster:
            yield Problem(path, "has no effect: only the hub's pods reach a bucket", "Remove it.", value)
        elif not thanos_is_unreadable and not (gcs and gcs.asks_for_identity):
            rule = "has no effect: no pod comes with Workload Identity"
            instead = "Remove it; it is needed with thanos.storage.gcs that has no key."
            yield Problem(path, rule, instead, value)


def releases_know_delayed_compaction(draft: Draft) -> Iterator[Problem]:
    """Flags that an older release does not know keep it from starting."""
    if not draft.thanos or not draft.images or draft.thanos.compaction != "delayed":
        return
    for name, least in NEEDED.items():
        image = getattr(draft.images, name)
        release = re.search(r":v?(\d+)\.(\d+)", image)
        if release and (int(release[1]), int(release[2])) < least:
            needed = ".".join(map(str, least))
            instead = f"Write a release from v{needed} on, or thanos.compaction: classic."
            yield Problem(("images", name), "does not know delayed compaction", instead, image)
