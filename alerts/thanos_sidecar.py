"""Thanos' sidecar: whether it reaches its Prometheus and its bucket."""

from .model import Alert, Group
from .thanos import is_down, no_upload

_JOB = "thanos-sidecar"
_ITSELF = f'job="{_JOB}"'
_UPLOADERS = 'job=~"thanos-(sidecar|receive|ruler)"'

THANOS_SIDECAR = Group(
    name="thanos-sidecar",
    alerts=(
        Alert(
            name="ThanosSidecarIsDown",
            expr=is_down(_JOB),
            for_="5m",
            severity="critical",
            summary="No Thanos sidecar of {{ $labels.cluster }} can be scraped any more.",
            description="Query does not see the newest samples, and no block is uploaded.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosSidecarBucketOperationsFailed",
            expr=(
                "sum by (cluster, instance)"
                f" (increase(thanos_objstore_bucket_operation_failures_total{{{_ITSELF}}}[5m])) > 0"
            ),
            for_="15m",
            severity="critical",
            summary="The sidecar of {{ $labels.instance }} in {{ $labels.cluster }} can't use its bucket.",
            description="{{ $value | printf `%.0f` }} operations failed in five minutes. Blocks wait on the volume.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosSidecarNoConnectionToStartedPrometheus",
            expr=f"thanos_sidecar_prometheus_up{{{_ITSELF}}} == 0",
            for_="15m",  # reading the log at a start takes minutes
            severity="critical",
            summary="The sidecar of {{ $labels.instance }} in {{ $labels.cluster }} does not reach its Prometheus.",
            description="The newest samples of this Prometheus are missing from the answers of Query.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosSidecarNoUpload",
            expr=no_upload(_JOB, f"thanos_sidecar_prometheus_up{{{_ITSELF}}} offset 4h"),
            for_="15m",
            severity="critical",
            summary="The sidecar of {{ $labels.instance }} in {{ $labels.cluster }} has uploaded nothing for 4 hours.",
            description=(
                "Prometheus makes a block every two hours. Those that its retention deletes before an upload are lost."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosSidecarBlocksCorrupted",
            expr=f"increase(thanos_shipper_corrupted_blocks_total{{{_UPLOADERS}}}[15m]) > 0",
            for_="15m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} has blocks that can't be uploaded.",
            description="The blocks are corrupted on its volume and will be missing from the bucket.",
            jobs=(_JOB,),
        ),
    ),
)
