"""Thanos Ruler: evaluation of rules, and delivery of alerts."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_calls, is_down, share

_JOB = "thanos-ruler"
_ITSELF = f'{{job="{_JOB}"}}'
_EVALUATIONS = f"prometheus_rule_evaluations_total{_ITSELF}"
_INTERVAL = f"prometheus_rule_group_interval_seconds{_ITSELF}"
_LOOKUPS = Threshold(value=0.01, least=0, most=0.5, unit="ratio")

THANOS_RULER = Group(
    name="thanos-ruler",
    alerts=(
        Alert(
            name="ThanosRuleIsDown",
            expr=is_down(_JOB),
            for_="5m",
            severity="critical",
            summary="No Thanos Ruler of {{ $labels.cluster }} can be scraped any more.",
            description="None of its rules is evaluated, and none of their alerts can fire.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleQueueIsDroppingAlerts",
            expr=f"increase(thanos_alert_queue_alerts_dropped_total{_ITSELF}[5m]) > 0",
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} drops alerts.",
            description="{{ $value | printf `%.0f` }} alerts were dropped in five minutes because the queue was full.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleSenderIsFailingAlerts",
            expr=f"increase(thanos_alert_sender_alerts_dropped_total{_ITSELF}[5m]) > 0",
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} reaches no Alertmanager.",
            description="{{ $value | printf `%.0f` }} alerts in five minutes were not delivered.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleAlertmanagerUnresolved",
            # A name that leads nowhere is no failed look-up.
            expr=f"thanos_rule_alertmanagers_dns_provider_results{_ITSELF} == 0",
            for_="10m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} finds no Alertmanager.",
            description="{{ $labels.addr }} has no address. Alerts of this Ruler notify nobody.",
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
            summary="{{ $labels.instance }} in {{ $labels.cluster }} evaluates rules on partial data.",
            description="Query answers with warnings, because some of its endpoints don't answer.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleRuleEvaluationLatencyHigh",
            expr=f"prometheus_rule_group_last_duration_seconds{_ITSELF}\n> {_INTERVAL}",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} takes too long for its rules.",
            description=(
                "{{ $labels.rule_group }} took {{ $value | humanizeDuration }}, longer than its interval. Evaluations "
                "are skipped."
            ),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleNoEvaluationFor10Intervals",
            expr=f"time() - prometheus_rule_group_last_evaluation_timestamp_seconds{_ITSELF}\n> 10 * {_INTERVAL}",
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} does not evaluate some rules.",
            description="{{ $labels.rule_group }} was last evaluated {{ $value | humanizeDuration }} ago.",
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
            summary="{{ $labels.instance }} in {{ $labels.cluster }} evaluates no rules.",
            description="It has loaded rules and evaluates none of them. None of their alerts can fire.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleGrpcErrorRate",
            expr=failed_calls(_JOB),
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer Query.",
            description=(
                "{{ $value | humanizePercentage }} of the calls end in an error. Recently recorded series are missing "
                "from queries."
            ),
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleConfigReloadFailure",
            expr=f"thanos_rule_config_last_reload_successful{_ITSELF} == 0",
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't load its new rules.",
            description="The rule files are not valid. It keeps running with the last valid ones.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleQueryHighDNSFailures",
            # Over gRPC, and over HTTP where it is stateless.
            expr="\nor\n".join(
                share(
                    f"thanos_rule_{target}_dns_failures_total{_ITSELF}",
                    f"thanos_rule_{target}_dns_lookups_total{_ITSELF}",
                )
                for target in ("endpoints", "query_apis")
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't resolve the name of Query.",
            description="{{ $value | humanizePercentage }} of its DNS look-ups fail.",
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
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't resolve the name of Alertmanager.",
            description="{{ $value | humanizePercentage }} of its DNS look-ups fail.",
            threshold=_LOOKUPS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosRuleUploadsFailing",
            expr=f"increase(thanos_shipper_upload_failures_total{_ITSELF}[15m]) > 0",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to upload its blocks.",
            description=(
                "{{ $value | printf `%.0f` }} uploads failed in fifteen minutes. The blocks wait on its volume."
            ),
            jobs=(_JOB,),
        ),
    ),
)
