"""Prometheus itself, as hub or agent: whether it evaluates, notifies, discovers and stores."""

from .model import Alert, Group, Threshold
from .sources import STORAGES

_ITSELF = 'job="prometheus"'


def _notifications(which: str) -> str:
    counted = f"prometheus_notifications_{which}_total{{{_ITSELF}}}"
    return f"sum by (cluster, instance, alertmanager) (increase({counted}[5m]))"


PROMETHEUS = Group(
    name="prometheus",
    alerts=(
        Alert(
            name="PrometheusRuleFailures",
            expr=f"increase(prometheus_rule_evaluation_failures_total{{{_ITSELF}}}[10m]) > 0",
            for_="5m",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} can't evaluate rules.",
            description="{{ $value | printf `%.0f` }} evaluations in {{ $labels.rule_group }} failed in ten minutes.",
        ),
        Alert(
            name="PrometheusRuleGroupSlow",
            expr=(
                f"prometheus_rule_group_last_duration_seconds{{{_ITSELF}}}\n"
                f"> $threshold * prometheus_rule_group_interval_seconds{{{_ITSELF}}}"
            ),
            for_="15m",
            severity="warning",
            summary="The hub in {{ $labels.cluster }} takes long for its rules.",
            description="{{ $labels.rule_group }} took {{ $value | humanizeDuration }}; evaluations will be missed.",
            threshold=Threshold(value=0.5, least=0.05, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusNotConnectedToAlertmanager",
            # A stack without Alertmanager never had one.
            expr=(
                f"prometheus_notifications_alertmanagers_discovered{{{_ITSELF}}} == 0\n"
                f"and max_over_time(prometheus_notifications_alertmanagers_discovered{{{_ITSELF}}}[1d]) > 0"
            ),
            for_="10m",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} finds no Alertmanager any more.",
            description="What fires is told to nobody; this alert reaches you by another way or not at all.",
        ),
        Alert(
            name="PrometheusNotificationsFailing",
            expr=f"{_notifications('errors')}\n/ {_notifications('sent')}\n> $threshold",
            for_="10m",
            severity="warning",
            summary="The hub in {{ $labels.cluster }} does not reach one Alertmanager.",
            description="{{ $value | humanizePercentage }} of what it sent to {{ $labels.alertmanager }} was refused.",
            threshold=Threshold(value=0.01, least=0, most=0.5, unit="ratio"),
        ),
        Alert(
            name="PrometheusNotificationsDropped",
            expr=f"increase(prometheus_notifications_dropped_total{{{_ITSELF}}}[10m]) > 0",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} throws notifications away.",
            description="{{ $value | printf `%.0f` }} alerts reached no Alertmanager in ten minutes.",
        ),
        Alert(
            name="PrometheusDiscoveryFailing",
            expr=f"increase(prometheus_sd_kubernetes_failures_total{{{_ITSELF}}}[10m]) > 3",
            for_="10m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't watch its API server.",
            description="New targets are not scraped and gone ones are. The API server or a permission is the cause.",
        ),
        Alert(
            name="PrometheusStorageFailing",
            expr=(
                f"increase(prometheus_tsdb_compactions_failed_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_tsdb_reloads_failures_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_tsdb_head_truncations_failed_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_tsdb_wal_writes_failed_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_tsdb_wal_truncations_failed_total{{{STORAGES}}}[3h]) > 0"
            ),
            severity="critical",
            summary="The storage of {{ $labels.instance }} in {{ $labels.cluster }} fails.",
            description="Compaction, truncation or a write failed in the last three hours: a full or broken volume.",
        ),
        Alert(
            name="PrometheusLogCorrupt",
            expr=(
                f"increase(prometheus_tsdb_wal_corruptions_total{{{STORAGES}}}[3h]) > 0\n"
                f"or increase(prometheus_agent_corruptions_total{{{_ITSELF}}}[3h]) > 0"
            ),
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} found its log corrupt.",
            description="What stood behind the corruption is lost. The volume or its node is at fault.",
        ),
        Alert(
            name="PrometheusSamplesTooOld",
            expr=(
                f"increase(prometheus_tsdb_too_old_samples_total{{{_ITSELF}}}[10m]) > 0\n"
                f"or increase(prometheus_tsdb_out_of_bound_samples_total{{{_ITSELF}}}[10m]) > 0"
            ),
            severity="warning",
            summary="The hub in {{ $labels.cluster }} refuses samples for their time.",
            description="{{ $value | printf `%.0f` }} samples came later than it takes them, or from the future.",
        ),
        Alert(
            name="PrometheusDuplicateSamples",
            expr=f"rate(prometheus_target_scrapes_sample_duplicate_timestamp_total{{{_ITSELF}}}[5m]) > 0",
            for_="15m",
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
            for_="10m",
            severity="critical",
            summary="The hub in {{ $labels.cluster }} can't take what its agents send.",
            description=(
                "It answers {{ $value | humanizePercentage }} of their requests with an error; they wait and try again."
            ),
            threshold=Threshold(value=0.05, least=0, most=0.5, unit="ratio"),
        ),
    ),
)
