"""Stores and Compactors of each bucket."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from settings import Thanos, seconds
from settings.reserved import REPLICA_LABEL

from ..yaml import to_json
from .memcached import INDEX_CACHE, bucket_cache
from .names import ADDRESS_FLAGS, COMPACTOR, DATA, HTTP, STORE
from .objstore import objstore


class BucketRole(NamedTuple):
    """A component of one bucket."""

    bucket: str
    """Suffix of the names of the bucket's components: empty, or `-ruler`."""
    flags: list[str]


def buckets(thanos: Thanos) -> Mapping[str, str | None]:
    """Suffix of a bucket's components -> its name; None is the bucket of `storage`."""
    second = {"-ruler": thanos.ruler.bucket} if thanos.ruler and thanos.ruler.bucket else {}
    return {"": None, **second}


def stores(thanos: Thanos) -> Mapping[str, BucketRole]:
    """App -> Store: one per bucket, age of blocks and shard."""
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
    """Ignore blocks that are marked for deletion after half of the delay, when their successors are loaded."""
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
        *ADDRESS_FLAGS,
        f"--data-dir={DATA}",
        f"--objstore.config={objstore(thanos.storage, bucket)}",
        f"--ignore-deletion-marks-delay={seconds(thanos.compactor.delete_delay) // 2}s",
        "--sync-block-duration=1m",
        *span,
        *([f"--selector.relabel-config={to_json(divided)}"] if thanos.store.shards > 1 else []),
        *(caches if thanos.memcached else []),
    ]


def compactors(thanos: Thanos) -> Mapping[str, BucketRole]:
    """App -> Compactor, one per bucket; none where another stack has it."""
    return {
        f"{COMPACTOR}{suffix}": BucketRole(suffix, _compactor_flags(thanos, bucket))
        for suffix, bucket in buckets(thanos).items()
        if thanos.compacts or suffix
    }


def _compactor_flags(thanos: Thanos, bucket: str | None) -> list[str]:
    """Flags of a Compactor, which also deduplicates blocks of replicas."""
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
        f"--deduplication.replica-label={REPLICA_LABEL}",
        "--deduplication.func=penalty",
        "--compact.enable-vertical-compaction",
    ]
