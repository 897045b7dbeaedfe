"""Thanos' Receive, routers and ingestors: whether they take what is written, keep it often enough and upload it."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_requests, is_down, no_upload, share, slow

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
            name="ThanosReceiveIsDown",
            expr=is_down(_JOB),
            for_="5m",
            severity="critical",
            summary="No Thanos Receive of {{ $labels.cluster }} can be scraped any more.",
            description=(
                "No sample of the other clusters is stored. Their agents keep what they can't send, for a time."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHttpRequestErrorRateHigh",
            expr=failed_requests(_JOB, "receive"),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to store what agents write.",
            description=(
                "{{ $value | humanizePercentage }} of the write requests end in an error. Agents keep the samples and "
                "retry."
            ),
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHttpRequestLatencyHigh",
            expr=slow("http_request_duration_seconds", f'{_ITSELF}, handler="receive"'),
            for_="10m",
            severity="critical",
            summary="Writes to {{ $labels.instance }} in {{ $labels.cluster }} are slow.",
            description=(
                "One write request in a hundred takes {{ $value | humanizeDuration }} or longer. Agents will fall "
                "behind."
            ),
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
            summary="{{ $value }} ingestors of Thanos Receive in {{ $labels.cluster }} are down.",
            description="Samples written now have fewer copies than they should.",
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
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't reach enough ingestors to store samples.",
            description=(
                "So many of the {{ $value }} copies of each sample fail that some samples find no quorum. Agents retry."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHighForwardRequestFailures",
            expr=share(
                f'thanos_receive_forward_requests_total{{{_ITSELF}, result="error"}}',
                f"thanos_receive_forward_requests_total{{{_ITSELF}}}",
            ),
            for_="5m",
            severity="info",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to forward samples to some ingestors.",
            description="{{ $value | humanizePercentage }} of its forward requests fail. Those samples lack a copy.",
            threshold=Threshold(value=0.2, least=0, most=0.9, unit="ratio"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveHighHashringFileRefreshFailures",
            # The file is read every five minutes.
            expr=f"increase(thanos_receive_hashrings_file_errors_total{{{_ITSELF}}}[15m]) > 0",
            for_="20m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't read its hashring file.",
            description="The file is missing or not valid. It keeps running with the last valid one.",
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
            summary="The routers of Thanos Receive in {{ $labels.cluster }} use different hashrings.",
            description="They write the same series to different ingestors. Some have not read the newest file.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveLimitsConfigReloadFailure",
            expr=f"increase(thanos_receive_limits_config_reload_err_total{{{_ITSELF}}}[15m]) > 0",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't load its new limits.",
            description="The file of limits is not valid. It keeps running with the last valid one.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveLimitsHighMetaMonitoringQueriesFailureRate",
            # It queries every 15 seconds.
            expr=f"increase(thanos_receive_metamonitoring_failed_queries_total{{{_ITSELF}}}[5m]) / 20 > $threshold",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't ask how many series its tenants have.",
            description="{{ $value | humanizePercentage }} of its queries fail. Limits are enforced by old counts.",
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
            summary="A tenant of Thanos Receive in {{ $labels.cluster }} exceeds its limit of series.",
            description=(
                "{{ $labels.tenant }} is answered 429, and its agent waits. Samples older than the agent's WAL are "
                "lost."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosReceiveNoUpload",
            expr=no_upload(_JOB, f"rate(prometheus_tsdb_head_samples_appended_total{{{_ITSELF}}}[5m] offset 4h)"),
            for_="15m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} has uploaded nothing for 4 hours.",
            description=(
                "Its blocks are only on its volume. Those that its retention deletes before an upload are lost."
            ),
            jobs=(_JOB,),
        ),
    ),
)
