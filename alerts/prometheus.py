"""Prometheus itself, as hub or agent: whether it evaluates, notifies, discovers and stores."""

from .model import Alert, Group, Threshold

_ITSELF = 'job="prometheus"'

PROMETHEUS = Group(
    name="prometheus",
    alerts=(
        Alert(
            name="PrometheusRuleFailures",
            expr='increase(prometheus_rule_evaluation_failures_total{job="prometheus"}[10m]) > 0',
            wait="5m",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} can't evaluate rules.",
            description="{{ $value | printf `%.0f` }} evaluations in {{ $labels.rule_group }} failed in ten minutes.",
        ),
        Alert(
            name="PrometheusRuleGroupSlow",
            expr=(
                'prometheus_rule_group_last_duration_seconds{job="prometheus"}\n'
                "> $threshold * prometheus_rule_group_interval_seconds"
            ),
            wait="15m",
            severity="warning",
            summary="The hub in {{ $labels.cluster }} takes long for its rules.",
            description="{{ $labels.rule_group }} took {{ $value | humanizeDuration }}; evaluations will be missed.",
            threshold=Threshold(value=0.5, least=0.05, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusNotConnectedToAlertmanager",
            # A stack without Alertmanager never had one.
            expr=(
                "prometheus_notifications_alertmanagers_discovered == 0\n"
                "and max_over_time(prometheus_notifications_alertmanagers_discovered[1d]) > 0"
            ),
            wait="10m",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} finds no Alertmanager any more.",
            description="What fires is told to nobody; this alert reaches you by another way or not at all.",
        ),
        Alert(
            name="PrometheusNotificationsFailing",
            expr=(
                "sum by (cluster, instance, alertmanager) (increase(prometheus_notifications_errors_total[5m]))\n"
                "/ sum by (cluster, instance, alertmanager) (increase(prometheus_notifications_sent_total[5m]))\n"
                "> $threshold"
            ),
            wait="10m",
            severity="warning",
            summary="The hub in {{ $labels.cluster }} does not reach one Alertmanager.",
            description="{{ $value | humanizePercentage }} of what it sent to {{ $labels.alertmanager }} was refused.",
            threshold=Threshold(value=0.01, least=0, most=0.5, unit="ratio"),
        ),
        Alert(
            name="PrometheusNotificationsDropped",
            expr="increase(prometheus_notifications_dropped_total[10m]) > 0",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} throws notifications away.",
            description="{{ $value | printf `%.0f` }} alerts reached no Alertmanager in ten minutes.",
        ),
        Alert(
            name="PrometheusDiscoveryFailing",
            expr="increase(prometheus_sd_kubernetes_failures_total[10m]) > 3",
            wait="10m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't watch its API server.",
            description="New targets are not scraped and gone ones are. The API server or a permission is the cause.",
        ),
        Alert(
            name="PrometheusStorageFailing",
            expr=(
                "increase(prometheus_tsdb_compactions_failed_total[3h]) > 0\n"
                "or increase(prometheus_tsdb_reloads_failures_total[3h]) > 0\n"
                "or increase(prometheus_tsdb_head_truncations_failed_total[3h]) > 0\n"
                "or increase(prometheus_tsdb_wal_writes_failed_total[3h]) > 0\n"
                "or increase(prometheus_tsdb_wal_truncations_failed_total[3h]) > 0"
            ),
            severity="critical",
            summary="The storage of {{ $labels.instance }} in {{ $labels.cluster }} fails.",
            description="Compaction, truncation or a write failed in the last three hours: a full or broken volume.",
        ),
        Alert(
            name="PrometheusLogCorrupt",
            expr=(
                "increase(prometheus_tsdb_wal_corruptions_total[3h]) > 0\n"
                "or increase(prometheus_agent_corruptions_total[3h]) > 0"
            ),
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} found its log corrupt.",
            description="What stood behind the corruption is lost. The volume or its node is at fault.",
        ),
        Alert(
            name="PrometheusSamplesTooOld",
            expr=(
                'increase(prometheus_tsdb_too_old_samples_total{job="prometheus"}[10m]) > 0\n'
                'or increase(prometheus_tsdb_out_of_bound_samples_total{job="prometheus"}[10m]) > 0'
            ),
            severity="warning",
            summary="The hub in {{ $labels.cluster }} refuses samples for their time.",
            description="{{ $value | printf `%.0f` }} samples came later than it takes them, or from the future.",
        ),
        Alert(
            name="PrometheusDuplicateSamples",
            expr="rate(prometheus_target_scrapes_sample_duplicate_timestamp_total[5m]) > 0",
            wait="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} scrapes the same series twice.",
            description="A target exposes a series more than once, or two targets have the same labels.",
        ),
        Alert(
            name="PrometheusWritesFailing",
            expr=(
                f'sum by (cluster, instance) (rate(prometheus_http_requests_total{{{_ITSELF}, code=~"5..",'
                ' handler="/api/v1/write"}[5m]))\n'
                f"/ sum by (cluster, instance) (rate(prometheus_http_requests_total{{{_ITSELF},"
                ' handler="/api/v1/write"}[5m])) > $threshold'
            ),
            wait="10m",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} can't take what its agents send.",
            description=(
                "It answers {{ $value | humanizePercentage }} of their requests with an error; they wait and try again."
            ),
            threshold=Threshold(value=0.05, least=0, most=0.5, unit="ratio"),
        ),
    ),
)
