"""Thanos' Compactor: whether it is alone, runs, keeps up, and what it finds in the bucket."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_bucket_operations

_JOB = "thanos-compactor"
_ITSELF = f'job="{_JOB}"'
_BLOCKS = f"thanos_blocks_meta_synced{{{_ITSELF}"
_COMPACTED, _FAILED = (
    f"sum by (cluster, instance) (increase(thanos_compact_group_compactions_{what}{{{_ITSELF}}}[1h]))"
    for what in ("total", "failures_total")
)

THANOS_COMPACTOR = Group(
    name="thanos-compactor",
    alerts=(
        Alert(
            name="ThanosCompactHalted",
            expr=f"thanos_compact_halted{{{_ITSELF}}} == 1",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} met what it can't compact, and halted.",
            description="Until it is restarted nothing is compacted, downsampled or deleted; the bucket grows.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactMultipleRunning",
            # Each exposes the bucket that it works on.
            expr=f"count by (cluster, bucket) (thanos_objstore_bucket_last_successful_upload_time{{{_ITSELF}}}) > 1",
            for_="5m",
            severity="critical",
            summary="Several Compactors in {{ $labels.cluster }} work on the bucket {{ $labels.bucket }}.",
            description="{{ $value }} of them delete and replace one another's blocks; leave one.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactHighCompactionFailures",
            # Compactions are rare, and the total counts those that made a block.
            expr=f"{_FAILED}\n/ ({_FAILED} + {_COMPACTED}) > $threshold",
            for_="15m",
            severity="warning",
            summary="Compactions of {{ $labels.instance }} in {{ $labels.cluster }} fail.",
            description="{{ $value | humanizePercentage }} of the last hour's failed.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactBucketHighOperationFailures",
            expr=failed_bucket_operations(_JOB),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't read or write its bucket.",
            description="{{ $value | humanizePercentage }} of its operations fail.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactHasNotRun",
            # A Compactor that crashes before a scrape, or that is gone, has no counter to look at.
            expr=(
                f"max by (cluster, instance) (up{{{_ITSELF}}} offset 1d)\n"
                f"unless on (cluster, instance) increase(thanos_compact_iterations_total{{{_ITSELF}}}[1d]) > 0"
            ),
            for_="1h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} finished no run in 24 hours.",
            description="It is halted, fails each time, can't keep up, or is gone.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactFallsBehind",
            expr=f"thanos_compact_todo_compactions{{{_ITSELF}}} > $threshold",
            for_="6h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} does not keep up.",
            description="{{ $value | printf `%.0f` }} compactions wait for it; queries read many small blocks.",
            threshold=Threshold(value=20, least=1, most=10000, unit="count"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactDownsamplingFailing",
            expr=f"increase(thanos_compact_downsample_failures_total{{{_ITSELF}}}[1h]) > 0",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to downsample.",
            description="Raw samples that go by their age before they are downsampled are missing from long ranges.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactCleanupFailing",
            expr=f"increase(thanos_compact_block_cleanup_failures_total{{{_ITSELF}}}[1h]) > 0",
            for_="1h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't delete blocks.",
            description="What is past its retention stays in the bucket: a missing right, or a lock on the bucket.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosBlocksPartial",
            # meta.json is uploaded last.
            expr=f'{_BLOCKS}, state="no-meta-json"}} > 0',
            for_="1h",
            severity="warning",
            summary="Half-uploaded blocks lie in the bucket of {{ $labels.instance }} in {{ $labels.cluster }}.",
            description="{{ $value }} have no meta.json and are not queried; after two days they are deleted.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosBlocksCorrupted",
            expr=f'{_BLOCKS}, state="corrupted-meta-json"}} > 0',
            for_="15m",
            severity="critical",
            summary="Corrupt blocks lie in the bucket of {{ $labels.instance }} in {{ $labels.cluster }}.",
            description="The meta.json of {{ $value }} can't be read; their samples are in no answer.",
            jobs=(_JOB,),
        ),
    ),
)
