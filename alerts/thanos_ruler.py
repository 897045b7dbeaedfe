"""Thanos' Ruler: whether it evaluates, and whether somebody hears of it."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_calls, share

_JOB = "thanos-ruler"
_ITSELF = f'{{job="{_JOB}"}}'
_EVALUATIONS = f"prometheus_rule_evaluations_total{_ITSELF}"
_INTERVAL = f"prometheus_rule_group_interval_seconds{_ITSELF}"
_LOOKUPS = Threshold(value=0.01, least=0, most=0.5, unit="ratio")

THANOS_RULER = Group(
    name="thanos-ruler",
    alerts=(
        Alert(
            name="ThanosRuleQueueIsDroppingAlerts",
            expr=f"increase(thanos_alert_queue_alerts_dropped_total{_ITSELF}[5m]) > 0",
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} throws alerts away.",
            description="{{ $value | printf `%.0f` }} in five minutes found its queue full.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleSenderIsFailingAlerts",
            expr=f"increase(thanos_alert_sender_alerts_dropped_total{_ITSELF}[5m]) > 0",
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} reaches no Alertmanager.",
            description="{{ $value | printf `%.0f` }} alerts in five minutes were told to nobody.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleAlertmanagerUnresolved",
            # A name that leads nowhere is no failed look-up.
            expr=f"thanos_rule_alertmanagers_dns_provider_results{_ITSELF} == 0",
            for_="10m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} finds no Alertmanager.",
            description="{{ $labels.addr }} has no address; its next alert is told to nobody.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleHighRuleEvaluationFailures",
            expr=share(f"prometheus_rule_evaluation_failures_total{_ITSELF}", _EVALUATIONS),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't evaluate rules.",
            description="{{ $value | humanizePercentage }} of its evaluations fail.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleHighRuleEvaluationWarnings",
            expr=f"increase(thanos_rule_evaluation_with_warnings_total{_ITSELF}[5m]) > 0",
            for_="15m",
            severity="info",
            summary="Rules of {{ $labels.instance }} in {{ $labels.cluster }} are evaluated on part of the samples.",
            description="Query answers with warnings: somebody that it asks is away.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleRuleEvaluationLatencyHigh",
            expr=f"prometheus_rule_group_last_duration_seconds{_ITSELF}\n> {_INTERVAL}",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} takes too long for its rules.",
            description="{{ $labels.rule_group }} took {{ $value | humanizeDuration }}; evaluations are missed.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleNoEvaluationFor10Intervals",
            expr=f"time() - prometheus_rule_group_last_evaluation_timestamp_seconds{_ITSELF}\n> 10 * {_INTERVAL}",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} leaves rules out.",
            description="{{ $labels.rule_group }} was evaluated {{ $value | humanizeDuration }} ago.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosNoRuleEvaluations",
            expr=(
                f"sum by (cluster, instance) (rate({_EVALUATIONS}[5m])) == 0\n"
                f"and on (cluster, instance) sum by (cluster, instance) (thanos_rule_loaded_rules{_ITSELF}) > 0"
            ),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} evaluates nothing.",
            description="It has loaded rules, and no alert of theirs can fire.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleGrpcErrorRate",
            expr=failed_calls(_JOB),
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer Query.",
            description="{{ $value | humanizePercentage }} of its calls; what rules recorded last is missing.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleConfigReloadFailure",
            expr=f"thanos_rule_config_last_reload_successful{_ITSELF} == 0",
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs on old rules.",
            description="The files that it was given are not valid.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleQueryHighDNSFailures",
            # Over gRPC, and over HTTP where it is stateless.
            expr="\nor\n".join(
                share(f"thanos_rule_{way}_dns_failures_total{_ITSELF}", f"thanos_rule_{way}_dns_lookups_total{_ITSELF}")
                for way in ("endpoints", "query_apis")
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't resolve Query's name.",
            description="{{ $value | humanizePercentage }} of its look-ups fail.",
            threshold=_LOOKUPS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleAlertmanagerHighDNSFailures",
            expr=share(
                f"thanos_rule_alertmanagers_dns_failures_total{_ITSELF}",
                f"thanos_rule_alertmanagers_dns_lookups_total{_ITSELF}",
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't resolve Alertmanager's name.",
            description="{{ $value | humanizePercentage }} of its look-ups fail.",
            threshold=_LOOKUPS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleUploadsFailing",
            expr=f"increase(thanos_shipper_upload_failures_total{_ITSELF}[15m]) > 0",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't upload what it recorded.",
            description="{{ $value | printf `%.0f` }} blocks failed in a quarter of an hour; they wait on its volume.",
            jobs=(_JOB,),
        ),
    ),
)
