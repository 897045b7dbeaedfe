"""Thanos' Receive, routers and ingestors: whether they take what is written, keep it often enough and upload it."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_requests, no_upload, share, slow

_JOB = "thanos-receive"
_ITSELF = f'job="{_JOB}"'
_REPLICATIONS = "sum by (cluster, instance) (rate(thanos_receive_replications_total"
_MAY_FAIL = (
    f"max by (cluster, instance) (floor((thanos_receive_replication_factor{{{_ITSELF}}} + 1) / 2))\n"
    f"/ max by (cluster, instance) (thanos_receive_hashring_nodes{{{_ITSELF}}})"
)
"""The share of writes that fail at least when so many ingestors are away that some samples find no quorum."""

THANOS_RECEIVE = Group(
    name="thanos-receive",
    alerts=(
        Alert(
            name="ThanosReceiveHttpRequestErrorRateHigh",
            expr=failed_requests(_JOB, "receive"),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't take what is written to it.",
            description="It answers {{ $value | humanizePercentage }} with an error; agents wait and try again.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHttpRequestLatencyHigh",
            expr=slow("http_request_duration_seconds", f'{_ITSELF}, handler="receive"'),
            for_="10m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} takes long for what is written to it.",
            description="One write in a hundred takes {{ $value | humanizeDuration }}; agents will fall behind.",
            threshold=Threshold(value=10, least=0.1, most=120, unit="seconds"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveIngestorsMissing",
            # Routers have no bucket, and only routers know the hashring.
            expr=(
                f"max by (cluster) (thanos_receive_hashring_nodes{{{_ITSELF}}})\n"
                f"- (count by (cluster) (thanos_objstore_bucket_last_successful_upload_time{{{_ITSELF}}})\n"
                f"or 0 * max by (cluster) (thanos_receive_hashring_nodes{{{_ITSELF}}})) > 0"
            ),
            for_="10m",
            severity="critical",
            summary="Ingestors of {{ $labels.cluster }} are away.",
            description="{{ $value }} of its hashring; what is written now is in fewer of them than it should be.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHighReplicationFailures",
            expr=(
                f"max by (cluster, instance) (thanos_receive_replication_factor{{{_ITSELF}}}) > 1\n"
                "and on (cluster, instance)\n"
                f'{_REPLICATIONS}{{{_ITSELF}, result="error"}}[5m]))\n'
                f"/ {_REPLICATIONS}{{{_ITSELF}}}[5m]))\n"
                f"> {_MAY_FAIL}"
            ),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't write to enough ingestors.",
            description="More writes fail than {{ $value }} copies make good; agents wait and try again.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHighForwardRequestFailures",
            expr=share(
                f'thanos_receive_forward_requests_total{{{_ITSELF}, result="error"}}',
                f"thanos_receive_forward_requests_total{{{_ITSELF}}}",
            ),
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} does not reach some ingestors.",
            description="{{ $value | humanizePercentage }} of what it forwards fails; samples lack a copy.",
            threshold=Threshold(value=0.2, least=0, most=0.9, unit="ratio"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveConfigReloadFailure",
            # The gauge of the last reload stays 1 once one has succeeded. The file is read every five minutes.
            expr=f"increase(thanos_receive_hashrings_file_errors_total{{{_ITSELF}}}[15m]) > 0",
            for_="20m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs on an old hashring.",
            description="The file that it was given is missing or not valid.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHashringsDiffer",
            expr=(
                f"max by (cluster) (thanos_receive_config_hash{{{_ITSELF}}})\n"
                f"> on (cluster) min by (cluster) (thanos_receive_config_hash{{{_ITSELF}}})"
            ),
            for_="15m",
            severity="critical",
            summary="Routers of Receive in {{ $labels.cluster }} have different hashrings.",
            description="They write the same series to different ingestors; some did not take the newest file.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveLimitsConfigReloadFailure",
            expr=f"increase(thanos_receive_limits_config_reload_err_total{{{_ITSELF}}}[15m]) > 0",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs on old limits.",
            description="The file that it was given is not valid.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveLimitsHighMetaMonitoringQueriesFailureRate",
            # It asks every 15 seconds.
            expr=f"increase(thanos_receive_metamonitoring_failed_queries_total{{{_ITSELF}}}[5m]) / 20 > $threshold",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't ask how many series its tenants have.",
            description="{{ $value | humanizePercentage }} of its questions fail; limits are judged by old figures.",
            threshold=Threshold(value=0.2, least=0, most=0.9, unit="ratio"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveTenantLimitedByHeadSeries",
            expr=(
                "sum by (cluster, tenant) (\n"
                f"  increase(thanos_receive_head_series_limited_requests_total{{{_ITSELF}}}[5m])\n"
                ") > 0"
            ),
            for_="5m",
            severity="warning",
            summary="A tenant of Receive in {{ $labels.cluster }} has more series than it may.",
            description="{{ $labels.tenant }} is answered 429 and waits; what outlives its agent's log is lost.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveNoUpload",
            expr=no_upload(_JOB, f"rate(prometheus_tsdb_head_samples_appended_total{{{_ITSELF}}}[5m] offset 4h)"),
            for_="15m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} has uploaded nothing for 4 hours.",
            description="Its blocks are only on its volume; what its retention deletes first is lost.",
            jobs=(_JOB,),
        ),
    ),
)
