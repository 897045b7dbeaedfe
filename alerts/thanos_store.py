"""Thanos' Store: whether it answers, and how fast, from the bucket."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_bucket_operations, failed_calls, is_down, share, slow

_JOB = "thanos-store"
_ITSELF = f'job="{_JOB}"'

THANOS_STORE = Group(
    name="thanos-store",
    alerts=(
        Alert(
            name="ThanosStoreIsDown",
            expr=is_down(_JOB),
            for_="5m",
            severity="critical",
            summary="No Thanos Store of {{ $labels.cluster }} can be scraped any more.",
            description="Samples that are only in the bucket are missing from all queries.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreGrpcErrorRate",
            expr=failed_calls(_JOB),
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer Query.",
            description=(
                "{{ $value | humanizePercentage }} of the calls end in an error. Older samples are missing from "
                "queries."
            ),
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreSeriesGateLatencyHigh",
            expr=slow("thanos_bucket_store_series_gate_queries_duration_seconds", _ITSELF),
            for_="10m",
            severity="warning",
            summary="Queries wait in {{ $labels.instance }} in {{ $labels.cluster }}.",
            description="One query in a hundred waits {{ $value | humanizeDuration }} or longer before it is started.",
            threshold=Threshold(value=2, least=0.1, most=60, unit="seconds"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreBucketHighOperationFailures",
            expr=failed_bucket_operations(_JOB),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't read its bucket.",
            description="{{ $value | humanizePercentage }} of its operations on the bucket fail.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreObjstoreOperationLatencyHigh",
            expr=slow("thanos_objstore_bucket_operation_duration_seconds", _ITSELF),
            for_="10m",
            severity="warning",
            summary="The bucket answers {{ $labels.instance }} in {{ $labels.cluster }} slowly.",
            description="One operation in a hundred takes {{ $value | humanizeDuration }} or longer.",
            threshold=Threshold(value=2, least=0.1, most=60, unit="seconds"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreBlocksNotLoaded",
            expr=(
                f"increase(thanos_bucket_store_block_load_failures_total{{{_ITSELF}}}[15m]) > 0\n"
                f"or increase(thanos_blocks_meta_sync_failures_total{{{_ITSELF}}}[15m]) > 0"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't load blocks.",
            description="The samples of these blocks are missing from all queries.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreCacheFailing",
            expr=share(
                f"thanos_memcached_operation_failures_total{{{_ITSELF}}}",
                f"thanos_memcached_operations_total{{{_ITSELF}}}",
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't use memcached.",
            description=(
                "{{ $value | humanizePercentage }} of its calls to memcached fail. It reads the bucket instead, which "
                "is slow."
            ),
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
    ),
)
