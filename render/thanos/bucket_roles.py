"""The roles of Thanos that work on a bucket: Stores, which answer from it, and compactors."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from settings import Thanos, seconds
from settings.reserved import REPLICA

from ..yaml import to_json
from .memcached import INDEX_CACHE, bucket_cache
from .names import COMPACTOR, DATA, HTTP, PORTS, STORE
from .objstore import objstore


class BucketRole(NamedTuple):
    """A role on one bucket."""

    bucket: str
    """What ends the names of the bucket's own roles: nothing, or `-ruler`."""
    flags: list[str]


def buckets(thanos: Thanos) -> Mapping[str, str | None]:
    """What ends the names of those who work on a bucket -> its name; None is the storage's own."""
    second = {"-ruler": thanos.ruler.bucket} if thanos.ruler and thanos.ruler.bucket else {}
    return {"": None, **second}


def stores(thanos: Thanos) -> Mapping[str, BucketRole]:
    """Every Store by the name of its pods: by bucket, by age of blocks, by hash."""
    edge = f"-{thanos.store.split_at}"
    spans = {"": [f"--min-time={edge}"], "-old": [f"--max-time={edge}"]} if thanos.store.split_at else {"": []}
    shards = range(thanos.store.shards)
    return {
        f"{STORE}{suffix}{age}{f'-{shard}' if len(shards) > 1 else ''}": BucketRole(
            suffix, _store_flags(thanos, bucket, span, shard)
        )
        for suffix, bucket in buckets(thanos).items()
        for age, span in spans.items()
        for shard in shards
    }


def _store_flags(thanos: Thanos, bucket: str | None, span: Sequence[str], shard: int) -> list[str]:
    """A block that is marked for deletion is left out after half of its delay, when its successor is known."""
    divided = [
        {"action": "hashmod", "source_labels": ["__block_id"], "target_label": "shard", "modulus": thanos.store.shards},
        {"action": "keep", "source_labels": ["shard"], "regex": str(shard)},
    ]
    caches = [
        f"--index-cache.config={INDEX_CACHE}",
        f"--store.caching-bucket.config={bucket_cache(bucket or 'the long-term one')}",
    ]
    return [
        "store",
        *PORTS,
        f"--data-dir={DATA}",
        f"--objstore.config={objstore(thanos.storage, bucket)}",
        f"--ignore-deletion-marks-delay={seconds(thanos.compactor.delete_delay) // 2}s",
        "--sync-block-duration=1m",
        *span,
        *([f"--selector.relabel-config={to_json(divided)}"] if thanos.store.shards > 1 else []),
        *(caches if thanos.memcached else []),
    ]


def compactors(thanos: Thanos) -> Mapping[str, BucketRole]:
    """The one compactor of each bucket by the name of its pod; none where another stack has it."""
    return {
        f"{COMPACTOR}{suffix}": BucketRole(suffix, _compactor_flags(thanos, bucket))
        for suffix, bucket in buckets(thanos).items()
        if thanos.compacts or suffix
    }


def _compactor_flags(thanos: Thanos, bucket: str | None) -> list[str]:
    """Compacts, downsamples and deletes; blocks of two replicas become one."""
    kept = thanos.compactor.retention
    return [
        "compact",
        "--wait",
        f"--http-address=0.0.0.0:{HTTP}",
        f"--data-dir={DATA}",
        f"--objstore.config={objstore(thanos.storage, bucket)}",
        f"--retention.resolution-raw={kept.raw}",
        f"--retention.resolution-5m={kept.five_minutes}",
        f"--retention.resolution-1h={kept.one_hour}",
        f"--delete-delay={thanos.compactor.delete_delay}",
        f"--deduplication.replica-label={REPLICA}",
        "--deduplication.func=penalty",
        "--compact.enable-vertical-compaction",
    ]
