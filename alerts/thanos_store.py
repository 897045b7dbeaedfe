"""Thanos' Store: whether it answers, and how fast, from the bucket."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_bucket_operations, failed_calls, share, slow

_JOB = "thanos-store"
_ITSELF = f'job="{_JOB}"'

THANOS_STORE = Group(
    name="thanos-store",
    alerts=(
        Alert(
            name="ThanosStoreGrpcErrorRate",
            expr=failed_calls(_JOB),
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer.",
            description="{{ $value | humanizePercentage }} of what it is asked; older samples are missing.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreSeriesGateLatencyHigh",
            expr=slow("thanos_bucket_store_series_gate_queries_duration_seconds", _ITSELF),
            for_="10m",
            severity="warning",
            summary="Questions wait in {{ $labels.instance }} in {{ $labels.cluster }}.",
            description="One in a hundred waits {{ $value | humanizeDuration }} before it is looked at.",
            threshold=Threshold(value=2, least=0.1, most=60, unit="seconds"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreBucketHighOperationFailures",
            expr=failed_bucket_operations(_JOB),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't read its bucket.",
            description="{{ $value | humanizePercentage }} of its operations fail.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosStoreObjstoreOperationLatencyHigh",
            expr=slow("thanos_objstore_bucket_operation_duration_seconds", _ITSELF),
            for_="10m",
            severity="warning",
            summary="The bucket answers {{ $labels.instance }} in {{ $labels.cluster }} slowly.",
            description="One operation in a hundred takes {{ $value | humanizeDuration }}.",
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
            description="Samples of blocks that it does not load are in no answer.",
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
            description="{{ $value | humanizePercentage }} of its calls fail; it reads the bucket instead, slowly.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
    ),
)
