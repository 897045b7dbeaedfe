"""Thanos' blocks: do they reach the bucket, are they compacted, and do they leave it in time."""

from .expressions import ANY_IS_BAD, ANY_IS_ODD, ONE, RED, quantile, rate_by
from .model import Column, Dashboard, Query, Row, Stat, Step, Table, TimeSeries, Variable

_CLUSTER = Variable("cluster", 'label_values(thanos_objstore_bucket_operations_total{job=~"thanos-.+"}, cluster)')
_COMPACTOR = f'{ONE}, job="thanos-compactor"'
_ROLES = f'{ONE}, job=~"thanos-.+"'
_NONE = "Nothing came from the Compactor: this stack has no Thanos, or it is down."
_NO_UPLOADER = "Nothing came from a sidecar, Receive or Ruler."


def _blocks(state: str) -> str:
    return f'max(thanos_blocks_meta_synced{{{_COMPACTOR}, state="{state}"}})'


def _in_an_hour(metric: str, where: str, by: str) -> str:
    return f"sum by ({by}) (increase({metric}{{{where}}}[1h]))"


_NOW = Row(
    "Now",
    (
        Stat(
            title="Halted",
            description="Compactors that met what they can't compact. Nothing goes on until they are restarted.",
            empty=_NONE,
            expr=f"sum(thanos_compact_halted{{{_COMPACTOR}}})",
            unit="none",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Runs in 24 h",
            description="By the Compactor that finished fewest. None: it is halted, fails, or can't keep up.",
            empty=_NONE,
            expr=f"min(increase(thanos_compact_iterations_total{{{_COMPACTOR}}}[1d]))",
            unit="none",
            steps=(Step(0, RED), Step(1, "green")),
        ),
        Stat(
            title="Compactions that wait",
            description="What Compactors still have to do. After an outage it shrinks; else it should be near 0.",
            empty=_NONE,
            expr=f"max(thanos_compact_todo_compactions{{{_COMPACTOR}}})",
            unit="none",
        ),
        Stat(
            title="Half-uploaded blocks",
            description="Blocks without meta.json, which is uploaded last. Those that stay are uploads that broke off.",
            empty=_NONE,
            expr=_blocks("no-meta-json"),
            unit="none",
            steps=ANY_IS_ODD,
        ),
        Stat(
            title="Corrupt blocks",
            description="Blocks whose meta.json can't be read. Their samples are in no answer.",
            empty=_NONE,
            expr=_blocks("corrupted-meta-json"),
            unit="none",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Marked for deletion",
            description="Blocks that were replaced or are too old, and wait for their delay to end.",
            empty=_NONE,
            expr=_blocks("marked-for-deletion"),
            unit="none",
        ),
    ),
)

_UPLOADS = Row(
    "Uploads",
    (
        Table(
            title="Who uploads",
            description="Every sidecar, ingestor and Ruler. Failures, and a last upload hours ago, are data at risk.",
            empty=_NO_UPLOADER,
            columns=(
                Column(
                    "blocks, 1 d", f"sum by (job, instance) (increase(thanos_shipper_uploads_total{{{_ROLES}}}[1d]))"
                ),
                Column(
                    "failed, 1 d",
                    f"sum by (job, instance) (increase(thanos_shipper_upload_failures_total{{{_ROLES}}}[1d]))",
                    "none",
                    ANY_IS_BAD,
                ),
                Column(
                    "corrupt, 1 d",
                    f"sum by (job, instance) (increase(thanos_shipper_corrupted_blocks_total{{{_ROLES}}}[1d]))",
                    "none",
                    ANY_IS_BAD,
                ),
            ),
            sort="failed, 1 d",
        ),
        TimeSeries(
            title="Blocks per hour",
            description="A sidecar brings one every two hours, an ingestor one for each tenant.",
            empty=_NO_UPLOADER,
            queries=(Query(_in_an_hour("thanos_shipper_uploads_total", _ROLES, "instance"), "{{instance}}"),),
            unit="none",
        ),
        TimeSeries(
            title="Since the last upload",
            description="Above four hours something is wrong.",
            empty="Nothing was uploaded since the pods started.",
            queries=(
                Query(
                    "time() - max by (job, instance)"
                    f" (thanos_objstore_bucket_last_successful_upload_time{{{_ROLES}}} > 0)",
                    "{{job}} {{instance}}",
                ),
            ),
            unit="s",
        ),
        TimeSeries(
            title="Uploads that fail",
            description="Per hour. They are tried again; any that stay are a bucket that refuses.",
            empty=_NO_UPLOADER,
            queries=(Query(_in_an_hour("thanos_shipper_upload_failures_total", _ROLES, "instance"), "{{instance}}"),),
            unit="none",
            steps=ANY_IS_BAD,
        ),
    ),
)

_BUCKET = Row(
    "Bucket",
    (
        TimeSeries(
            title="Operations",
            description="Requests of every component to the bucket, which the cloud provider charges for.",
            empty=_NONE,
            queries=(
                Query(
                    rate_by("thanos_objstore_bucket_operations_total", _ROLES, "job, operation"),
                    "{{job}} {{operation}}",
                ),
            ),
            unit="ops",
        ),
        TimeSeries(
            title="Operations that fail",
            description="Any that stay are a missing right, a missing bucket or the network.",
            empty=_NONE,
            queries=(
                Query(
                    rate_by("thanos_objstore_bucket_operation_failures_total", _ROLES, "job, operation"),
                    "{{job}} {{operation}}",
                ),
            ),
            unit="ops",
        ),
        TimeSeries(
            title="Slow operations",
            description="The time that 99 of 100 of Store's did not exceed. Queries over old samples wait for them.",
            empty="Store had no requests to the bucket.",
            queries=(
                Query(
                    quantile(
                        0.99,
                        "thanos_objstore_bucket_operation_duration_seconds",
                        f'{ONE}, job="thanos-store"',
                        "operation",
                    ),
                    "{{operation}}",
                ),
            ),
            unit="s",
            steps=(Step(2, RED),),
        ),
    ),
)

_COMPACTION = Row(
    "Compaction",
    (
        TimeSeries(
            title="Blocks by state",
            description="As the Compactor last saw the bucket. Loaded ones grow with time, and shrink when compacted.",
            empty=_NONE,
            queries=(Query(f"max by (state) (thanos_blocks_meta_synced{{{_COMPACTOR}}} > 0)", "{{state}}"),),
            unit="none",
        ),
        TimeSeries(
            title="Compactions per hour",
            description="Done and failed.",
            empty=_NONE,
            queries=(
                Query(
                    _in_an_hour("thanos_compact_group_compactions_total", _COMPACTOR, "resolution"),
                    "done {{resolution}}",
                ),
                Query(
                    _in_an_hour("thanos_compact_group_compactions_failures_total", _COMPACTOR, "resolution"),
                    "failed {{resolution}}",
                ),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Still to do",
            description="Lines that climb for days: the Compactor can't keep up.",
            empty=_NONE,
            queries=tuple(
                Query(f"max(thanos_compact_todo_{kind}{{{_COMPACTOR}}})", title)
                for kind, title in (
                    ("compactions", "compactions"),
                    ("downsample_blocks", "blocks to downsample"),
                    ("deletion_blocks", "blocks to delete"),
                )
            ),
            unit="none",
        ),
        TimeSeries(
            title="Downsampling per hour",
            description="Blocks that got a coarser resolution: after 40 hours of five minutes, after 10 days of 1 h.",
            empty="No block is old enough yet.",
            queries=(
                Query(_in_an_hour("thanos_compact_downsample_total", _COMPACTOR, "resolution"), "done {{resolution}}"),
                Query(
                    _in_an_hour("thanos_compact_downsample_failures_total", _COMPACTOR, "resolution"),
                    "failed {{resolution}}",
                ),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Deleted per hour",
            description="Marked ones wait for their delay. Failures keep in the bucket what should be gone.",
            empty=_NONE,
            queries=(
                Query(_in_an_hour("thanos_compact_blocks_marked_total", _COMPACTOR, "marker"), "{{marker}}"),
                Query(f"sum(increase(thanos_compact_blocks_cleaned_total{{{_COMPACTOR}}}[1h]))", "deleted"),
                Query(f"sum(increase(thanos_compact_block_cleanup_failures_total{{{_COMPACTOR}}}[1h]))", "failed"),
            ),
            unit="none",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-thanos-blocks",
    title="Thanos blocks",
    description="Do blocks reach the bucket, are they compacted, and do they leave it in time.",
    variables=(_CLUSTER,),
    rows=(_NOW, _UPLOADS, _BUCKET, _COMPACTION),
    since="now-2d",
)
