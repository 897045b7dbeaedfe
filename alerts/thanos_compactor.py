"""Thanos' Compactor: whether it is alone, runs, keeps up, and what it finds in the bucket."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_bucket_operations, is_down

_JOB = "thanos-compactor"
_ITSELF = f'job="{_JOB}"'
_BLOCKS = f"thanos_blocks_meta_synced{{{_ITSELF}"
_COMPACTED, _FAILED = (
    f"sum by (cluster, instance) (increase(thanos_compact_group_compactions_{kind}{{{_ITSELF}}}[1h]))"
    for kind in ("total", "failures_total")
)

THANOS_COMPACTOR = Group(
    name="thanos-compactor",
    alerts=(
        Alert(
            name="ThanosCompactIsDown",
            expr=is_down(_JOB),
            for_="5m",
            severity="critical",
            summary="No Thanos Compactor of {{ $labels.cluster }} can be scraped any more.",
            description="Nothing is compacted, downsampled or deleted. The bucket grows, and queries get slower.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactHalted",
            expr=f"thanos_compact_halted{{{_ITSELF}}} == 1",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} halted because it can't compact a block.",
            description="Until it is restarted, nothing is compacted, downsampled or deleted, and the bucket grows.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactMultipleRunning",
            # Each exposes the bucket that it works on.
            expr=f"count by (cluster, bucket) (thanos_objstore_bucket_last_successful_upload_time{{{_ITSELF}}}) > 1",
            for_="5m",
            severity="critical",
            summary="Several Compactors in {{ $labels.cluster }} work on the bucket {{ $labels.bucket }}.",
            description="{{ $value }} Compactors delete and replace each other's blocks. Stop all but one now.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactHighCompactionFailures",
            # Compactions are rare, and the total counts those that made a block.
            expr=f"{_FAILED}\n/ ({_FAILED} + {_COMPACTED}) > $threshold",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to compact blocks.",
            description="{{ $value | humanizePercentage }} of its compactions in the last hour failed.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactBucketHighOperationFailures",
            expr=failed_bucket_operations(_JOB),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't read or write its bucket.",
            description="{{ $value | humanizePercentage }} of its operations on the bucket fail.",
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
            summary="{{ $labels.instance }} in {{ $labels.cluster }} has not finished a run for 24 hours.",
            description="It is halted, fails each time, is too slow, or is down.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactFallsBehind",
            expr=f"thanos_compact_todo_compactions{{{_ITSELF}}} > $threshold",
            for_="6h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} falls behind.",
            description=(
                "{{ $value | printf `%.0f` }} compactions are still to do. Until then queries read many small blocks."
            ),
            threshold=Threshold(value=20, least=1, most=10000, unit="count"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactDownsamplingFailing",
            expr=f"increase(thanos_compact_downsample_failures_total{{{_ITSELF}}}[1h]) > 0",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to downsample.",
            description=(
                "Raw samples that are deleted before they are downsampled are missing from queries over long ranges."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosCompactCleanupFailing",
            expr=f"increase(thanos_compact_block_cleanup_failures_total{{{_ITSELF}}}[1h]) > 0",
            for_="1h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't delete blocks.",
            description=(
                "Blocks past their retention stay in the bucket: a permission is missing, or the bucket is locked."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosBlocksPartial",
            # meta.json is uploaded last.
            expr=f'{_BLOCKS}, state="no-meta-json"}} > 0',
            for_="1h",
            severity="warning",
            summary="The bucket of {{ $labels.instance }} in {{ $labels.cluster }} has incomplete blocks.",
            description="{{ $value }} blocks have no meta.json. They are not queried, and are deleted after two days.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosBlocksCorrupted",
            expr=f'{_BLOCKS}, state="corrupted-meta-json"}} > 0',
            for_="15m",
            severity="critical",
            summary="The bucket of {{ $labels.instance }} in {{ $labels.cluster }} has corrupted blocks.",
            description=(
                "The meta.json of {{ $value }} blocks can't be read. Their samples are missing from all queries."
            ),
            jobs=(_JOB,),
        ),
    ),
)
