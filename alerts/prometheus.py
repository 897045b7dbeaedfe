"""Prometheus itself, on any cluster: whether it evaluates, notifies, discovers, scrapes, sends and stores."""

from .model import Alert, Group, Threshold
from .sources import SCRAPERS, SENDERS, STORAGES

_EACH = "(cluster, instance)"
_QUEUE = "prometheus_remote_storage"
_CUSTOM = 'reason="nhcb_in_rw1_not_supported"'
_SHARDS = "(cluster, instance, remote_name, url)"
_OVER_SAMPLES = "scrape_samples_post_metric_relabeling > (scrape_sample_limit > 0)"
_POOL = f"prometheus_target_scrape_pool_{{}}{{{{{SCRAPERS}}}}}"
_FROM_WRITERS = f'prometheus_http_requests_total{{{SCRAPERS}, handler="/api/v1/write"'


def _shards(which: str) -> str:
    return f"max by {_SHARDS} (max_over_time({_QUEUE}_shards_{which}{{{SENDERS}}}[5m]))"


def _notifications(which: str) -> str:
    counted = f"prometheus_notifications_{which}_total{{{SCRAPERS}}}"
    return f"sum by (cluster, instance, alertmanager) (increase({counted}[5m]))"


_NOTIFICATION_ERRORS = f"{_notifications('errors')}\n/ {_notifications('sent')}"

PROMETHEUS = Group(
    name="prometheus",
    alerts=(
        Alert(
            name="PrometheusBadConfig",
            # A scrape that fails must not hide it.
            expr=f"max_over_time(prometheus_config_last_reload_successful{{{SCRAPERS}}}[5m]) == 0",
            for_="10m",
            severity="critical",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} can't load its new configuration.",
            description="The configuration file is not valid. Prometheus keeps running with the last valid one.",
        ),
        Alert(
            name="PrometheusRuleFailures",
            expr=f"increase(prometheus_rule_evaluation_failures_total{{{SCRAPERS}}}[10m]) > 0",
            for_="5m",
            severity="critical",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} fails to evaluate rules.",
            description="{{ $value | printf `%.0f` }} evaluations of {{ $labels.rule_group }} failed in ten minutes.",
        ),
        Alert(
            name="PrometheusMissingRuleEvaluations",
            expr=f"increase(prometheus_rule_group_iterations_missed_total{{{SCRAPERS}}}[5m]) > 0",
            for_="15m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} skips rule evaluations.",
            description=(
                "{{ $labels.rule_group }} takes longer than its interval: "
                "{{ $value | printf `%.0f` }} evaluations were skipped in five minutes, and alerts come late."
            ),
        ),
        Alert(
            name="PrometheusNotConnectedToAlertmanagers",
            # A stack without Alertmanager never had one.
            expr=(
                f"max_over_time(prometheus_notifications_alertmanagers_discovered{{{SCRAPERS}}}[5m]) == 0\n"
                f"and max_over_time(prometheus_notifications_alertmanagers_discovered{{{SCRAPERS}}}[1d]) > 0"
            ),
            for_="10m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} finds no Alertmanager any more.",
            description="Alerts of this Prometheus notify nobody until it finds an Alertmanager again.",
        ),
        Alert(
            name="PrometheusErrorSendingAlertsToSomeAlertmanagers",
            expr=f"{_NOTIFICATION_ERRORS}\n> $threshold",
            for_="15m",
            severity="warning",
            summary=(
                "Prometheus {{ $labels.instance }} in {{ $labels.cluster }} fails to send alerts to one Alertmanager."
            ),
            description=(
                "{{ $value | humanizePercentage }} of the alerts sent to {{ $labels.alertmanager }} ended in an error."
            ),
            threshold=Threshold(value=0.01, least=0, most=0.5, unit="ratio"),
        ),
        Alert(
            name="PrometheusErrorSendingAlertsToAnyAlertmanager",
            expr=f"min by {_EACH} (\n{_NOTIFICATION_ERRORS}\n) > $threshold",
            for_="15m",
            severity="critical",
            summary=(
                "Prometheus {{ $labels.instance }} in {{ $labels.cluster }} fails to send alerts to any Alertmanager."
            ),
            description=(
                "Even to the Alertmanager that works best {{ $value | humanizePercentage }} of the alerts ended in an "
                "error. Alerts may notify nobody."
            ),
            threshold=Threshold(value=0.03, least=0, most=0.9, unit="ratio"),
        ),
        Alert(
            name="PrometheusNotificationQueueRunningFull",
            expr=(
                f"max by (cluster, instance, alertmanager) (\n"
                f"  predict_linear(prometheus_notifications_queue_length{{{SCRAPERS}}}[5m], 1800)\n"
                f")\n> on {_EACH} group_left ()\n"
                f"max by {_EACH} (min_over_time(prometheus_notifications_queue_capacity{{{SCRAPERS}}}[5m]))"
            ),
            for_="15m",
            severity="warning",
            summary=(
                "The queue of alerts of Prometheus {{ $labels.instance }} in {{ $labels.cluster }} will be full within "
                "half an hour."
            ),
            description="{{ $labels.alertmanager }} takes alerts too slowly. A full queue drops the oldest ones.",
        ),
        Alert(
            name="PrometheusKubernetesListWatchFailures",
            expr=f"increase(prometheus_sd_kubernetes_failures_total{{{SCRAPERS}}}[5m]) > 0",
            for_="15m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} fails to list or watch its API server.",
            description="New targets are not scraped, and deleted ones still are, until the API server answers again.",
        ),
        Alert(
            name="PrometheusSDRefreshFailure",
            expr=f"increase(prometheus_sd_refresh_failures_total{{{SCRAPERS}}}[10m]) > 0",
            for_="20m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} fails to refresh its targets.",
            description=(
                "Service discovery by {{ $labels.mechanism }} fails; the last targets that it found stay in use."
            ),
        ),
        Alert(
            name="PrometheusTargetSyncFailure",
            expr=f"increase(prometheus_target_sync_failed_total{{{SCRAPERS}}}[10m]) > 0",
            severity="warning",
            summary="Job {{ $labels.scrape_job }} in {{ $labels.cluster }} has targets with invalid settings.",
            description=(
                "Prometheus does not scrape them. Most often a pod's prometheus.io/timeout is longer than its "
                "prometheus.io/interval."
            ),
        ),
        Alert(
            name="PrometheusScrapeSampleLimitHit",
            expr=_OVER_SAMPLES,
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} exceeds its sample limit.",
            description=(
                "The target exposes {{ $value | printf `%.0f` }} samples. All of them are dropped until it exposes "
                "fewer, or scrape.limits allows more."
            ),
        ),
        Alert(
            name="PrometheusScrapeBodySizeLimitHit",
            expr="scrape_body_size_bytes < 0",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} exceeds its body size limit.",
            description=(
                "The target's answer is too large. All of its samples are dropped until it answers less, or "
                "scrape.limits allows more."
            ),
        ),
        Alert(
            name="PrometheusLabelLimitHit",
            # Complete responses that were not stored. No series has the target, but a counter that there
            # was one.
            expr=(
                "scrape_body_size_bytes > 0 and up == 0\n"
                f"unless {_OVER_SAMPLES}\n"
                f"and on (cluster) increase({_POOL.format('exceeded_label_limits_total')}[10m]) > 0"
            ),
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} exceeds a label limit.",
            description=(
                "A series of the target has too many labels, or one that is too long. All of its samples are dropped "
                "until that changes, or scrape.limits allows more."
            ),
        ),
        Alert(
            name="PrometheusTargetLimitHit",
            expr=(
                f"max by (cluster, scrape_job) (\n  {_POOL.format('targets')} > ({_POOL.format('target_limit')} > 0)\n)"
            ),
            severity="warning",
            summary="Job {{ $labels.scrape_job }} in {{ $labels.cluster }} has more targets than its target limit.",
            description=(
                "The job has {{ $value }} targets. None of them is scraped until there are fewer, or scrape.limits "
                "allows more."
            ),
        ),
        Alert(
            name="PrometheusDuplicateTimestamps",
            expr=f"rate(prometheus_target_scrapes_sample_duplicate_timestamp_total{{{SCRAPERS}}}[5m]) > 0",
            for_="15m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} drops samples with equal timestamps.",
            description=(
                "{{ $value | printf `%.2f` }} samples per second: a target exposes a series twice, or two targets have "
                "the same labels."
            ),
        ),
        Alert(
            name="PrometheusOutOfOrderTimestamps",
            expr=(
                f"increase(prometheus_target_scrapes_sample_out_of_order_total{{{SCRAPERS}}}[10m]) > 0\n"
                f"or increase(prometheus_tsdb_too_old_samples_total{{{SCRAPERS}}}[10m]) > 0\n"
                f"or increase(prometheus_tsdb_out_of_bound_samples_total{{{SCRAPERS}}}[10m]) > 0"
            ),
            severity="warning",
            summary=(
                "Prometheus {{ $labels.instance }} in {{ $labels.cluster }} drops samples because of their timestamps."
            ),
            description=(
                "{{ $value | printf `%.0f` }} samples in ten minutes were older than Prometheus accepts, or from the "
                "future."
            ),
        ),
        Alert(
            name="PrometheusNotIngestingSamples",
            expr=(
                f"sum by {_EACH} (rate(prometheus_tsdb_head_samples_appended_total{{{SCRAPERS}}}[5m])) <= 0\n"
                f"and on {_EACH} (\n"
                f"  sum by {_EACH} (prometheus_target_metadata_cache_entries{{{SCRAPERS}}}) > 0\n"
                f"  or sum by {_EACH} (prometheus_rule_group_rules{{{SCRAPERS}}}) > 0\n"
                ")"
            ),
            for_="10m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} stores no samples.",
            description="It has targets or rules and has appended nothing to its storage in five minutes.",
        ),
        Alert(
            name="PrometheusHighQueryLoad",
            expr=(
                f"avg_over_time(prometheus_engine_queries{{{SCRAPERS}}}[5m])\n"
                f"/ max_over_time(prometheus_engine_queries_concurrent_max{{{SCRAPERS}}}[5m]) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} runs nearly as many queries as it may.",
            description=(
                "{{ $value | humanizePercentage }} of its concurrent queries are in use. Beyond that, queries wait, "
                "those of rules too."
            ),
            threshold=Threshold(value=0.8, least=0.1, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusRemoteWriteBehind",
            # The queue's highest timestamp does not advance while the queue is full; the storage's does.
            expr=(
                f"max by {_EACH} (\n"
                f"  max_over_time({_QUEUE}_highest_timestamp_in_seconds{{{SENDERS}}}[5m])\n"
                ")\n"
                f"- on {_EACH} group_right ()\n"
                f"max_over_time({_QUEUE}_queue_highest_sent_timestamp_seconds{{{SENDERS}}}[5m]) > $threshold"
            ),
            for_="15m",
            severity="critical",
            summary="Remote write of {{ $labels.instance }} in {{ $labels.cluster }} is behind.",
            description=(
                "The samples sent to {{ $labels.remote_name }} are {{ $value | humanizeDuration }} old. A restart now "
                "loses what is not sent yet."
            ),
            threshold=Threshold(value=120, least=30, most=7200, unit="seconds"),
        ),
        Alert(
            name="PrometheusRemoteWriteDesiredShards",
            expr=f"{_shards('desired')}\n> on {_SHARDS}\n{_shards('max')}",
            for_="15m",
            severity="warning",
            summary=(
                "Remote write of {{ $labels.instance }} in {{ $labels.cluster }} needs more shards than it may use."
            ),
            description=(
                "It wants {{ $value | printf `%.0f` }} connections to {{ $labels.remote_name }} to keep up, more than "
                "max_shards."
            ),
        ),
        Alert(
            name="PrometheusRemoteStorageFailures",
            # Histograms are counted apart; of 1.0 those with custom buckets are dropped by the sender.
            expr=(
                f"increase({_QUEUE}_samples_failed_total{{{SENDERS}}}[10m]) > 0\n"
                f"or increase({_QUEUE}_histograms_failed_total{{{SENDERS}}}[10m]) > 0\n"
                f"or increase({_QUEUE}_histograms_dropped_total{{{SENDERS}, {_CUSTOM}}}[10m]) > 0"
            ),
            severity="critical",
            summary="Remote write of {{ $labels.instance }} in {{ $labels.cluster }} loses samples.",
            description=(
                "{{ $value | printf `%.0f` }} samples for {{ $labels.remote_name }} were lost in ten minutes: it "
                "answered with an error that is not retried, or its protocol has no such histograms."
            ),
        ),
        Alert(
            name="PrometheusWritesFailing",
            expr=(
                f'sum by {_EACH} (rate({_FROM_WRITERS}, code=~"5.."}}[5m]))\n'
                f"/ sum by {_EACH} (rate({_FROM_WRITERS}}}[5m])) > $threshold"
            ),
            for_="10m",
            severity="critical",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} fails to store what agents send.",
            description=(
                "It answers {{ $value | humanizePercentage }} of the remote write requests with an error. Agents keep "
                "the samples and retry."
            ),
            threshold=Threshold(value=0.05, least=0, most=0.5, unit="ratio"),
        ),
        Alert(
            name="PrometheusTSDBReloadsFailing",
            expr=f"increase(prometheus_tsdb_reloads_failures_total{{{STORAGES}}}[3h]) > 0",
            for_="4h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to reload its blocks.",
            description=(
                "Reloading failed {{ $value | printf `%.0f` }} times in three hours: look at its log and volume."
            ),
        ),
        Alert(
            name="PrometheusTSDBCompactionsFailing",
            expr=f"increase(prometheus_tsdb_compactions_failed_total{{{STORAGES}}}[3h]) > 0",
            for_="4h",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to compact blocks.",
            description=(
                "{{ $value | printf `%.0f` }} compactions failed in three hours. Until one succeeds, memory and disk "
                "usage grow."
            ),
        ),
        Alert(
            name="PrometheusStorageFailing",
            expr=(
                f"increase(prometheus_tsdb_head_truncations_failed_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_tsdb_wal_writes_failed_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_tsdb_wal_truncations_failed_total{{{STORAGES}}}[3h]) > 0"
            ),
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't write to its storage.",
            description=(
                "A write or a truncation of its write-ahead log failed in the last three hours. The volume is full or "
                "broken."
            ),
        ),
        Alert(
            name="PrometheusLogCorrupt",
            expr=(
                f"increase(prometheus_tsdb_wal_corruptions_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_agent_corruptions_total{{{SCRAPERS}}}[3h]) > 0"
            ),
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} found its WAL corrupted.",
            description="The samples after the corrupted record are lost. The volume or its node is faulty.",
        ),
    ),
)
