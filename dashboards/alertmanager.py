"""Alertmanager: is it whole, and do its messages arrive."""

from alerts.sources import ALERTMANAGERS

from .expressions import ANY_IS_BAD, DOWN_IS_BAD, ONE, rate_by
from .model import Column, Dashboard, Query, Row, Stat, Table, TimeSeries, Variable

_HERE = f"{ONE}, {ALERTMANAGERS}"
_CLUSTER = Variable("cluster", f"label_values(alertmanager_build_info{{{ALERTMANAGERS}}}, cluster)")
_NONE = "Nothing came from Alertmanager: this hub has none, or it is down."


def _rate(metric: str, by: str) -> str:
    return rate_by(metric, _HERE, by)


_NOW = Row(
    "Now",
    (
        Stat(
            title="Alerts",
            description="Those that are active: neither silenced nor inhibited. Each member holds all of them.",
            empty=_NONE,
            expr=f'max(alertmanager_alerts{{{_HERE}, state="active"}})',
            unit="none",
        ),
        Stat(
            title="Suppressed",
            description="Alerts that a silence, a maintenance window or a greater alert mutes.",
            empty=_NONE,
            expr=f'max(alertmanager_alerts{{{_HERE}, state="suppressed"}})',
            unit="none",
        ),
        Stat(
            title="Silences",
            description="Those that are active.",
            empty=_NONE,
            expr=f'max(alertmanager_silences{{{_HERE}, state="active"}})',
            unit="none",
        ),
        Stat(
            title="Messages failed, 1 h",
            description="Notifications that were given up after every attempt. Any was not read by anybody.",
            empty=_NONE,
            expr=f"sum(increase(alertmanager_notifications_failed_total{{{_HERE}}}[1h]))",
            unit="none",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Members",
            description="The fewest that a member sees. Fewer than there are: messages come twice.",
            empty="It has one replica, or there are no samples of it.",
            expr=f"min(alertmanager_cluster_members{{{_HERE}}})",
            unit="none",
        ),
        Stat(
            title="Configurations",
            description="Different ones in use among the members. More than one: a member did not take the newest.",
            empty=_NONE,
            expr=f'count(count_values by (cluster) ("hash", alertmanager_config_hash{{{_HERE}}}))',
            unit="none",
        ),
    ),
)

_MEMBERS = Table(
    title="Members",
    description="Each must have taken the newest configuration.",
    empty=_NONE,
    columns=(
        Column(
            "configuration",
            f"max by (cluster, instance) (alertmanager_config_last_reload_successful{{{_HERE}}})",
            "bool_yes_no",
            DOWN_IS_BAD,
        ),
        Column("sees members", f"max by (cluster, instance) (alertmanager_cluster_members{{{_HERE}}})", "none"),
        Column("alerts", f'sum by (cluster, instance) (alertmanager_alerts{{{_HERE}, state="active"}})', "none"),
        Column("silences", f'sum by (cluster, instance) (alertmanager_silences{{{_HERE}, state="active"}})', "none"),
        Column(
            "memory",
            f"sum by (cluster, instance) (process_resident_memory_bytes{{{_HERE}}})",
            "bytes",
        ),
    ),
    height=6,
)

_FLOW = Row(
    "From alerts to messages",
    (
        TimeSeries(
            title="Alerts received",
            description="From the hub, firing and resolved. None at all: the hub can't reach it.",
            empty=_NONE,
            queries=(Query(_rate("alertmanager_alerts_received_total", "status"), "{{status}}"),),
            unit="cps",
        ),
        TimeSeries(
            title="Messages sent",
            description="By receiver's kind; each message speaks of a whole group of alerts.",
            empty=_NONE,
            queries=(Query(f"{_rate('alertmanager_notifications_total', 'integration')} > 0", "{{integration}}"),),
            unit="cps",
        ),
        TimeSeries(
            title="Messages failed",
            description="By receiver's kind and reason: clientError is a wrong key or channel.",
            empty="No message has failed.",
            queries=(
                Query(
                    f"{_rate('alertmanager_notifications_failed_total', 'integration, reason')} > 0",
                    "{{integration}} {{reason}}",
                ),
            ),
            unit="cps",
        ),
        TimeSeries(
            title="Time to send",
            description="Mean time of a message. Above ten seconds, a receiver is about to fail.",
            empty="No message was sent.",
            queries=(
                Query(
                    f"{_rate('alertmanager_notification_latency_seconds_sum', 'integration')}"
                    f" / ({_rate('alertmanager_notification_latency_seconds_count', 'integration')} > 0)",
                    "{{integration}}",
                ),
            ),
            unit="s",
        ),
        TimeSeries(
            title="Alerts refused",
            description="What is not valid is a rule with labels that Alertmanager does not take.",
            empty=_NONE,
            queries=(Query(_rate("alertmanager_alerts_invalid_total", "instance"), "{{instance}}"),),
            unit="cps",
        ),
        TimeSeries(
            title="Health of the members",
            description="0 is well; above it, members can't reach each other in time.",
            empty="It has one replica, or there are no samples of it.",
            queries=(Query(f"max by (instance) (alertmanager_cluster_health_score{{{_HERE}}})", "{{instance}}"),),
            unit="none",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-alertmanager",
    title="Alertmanager",
    description="Is Alertmanager whole, and do its messages arrive.",
    variables=(_CLUSTER,),
    rows=(_NOW, Row("Members", (_MEMBERS,)), _FLOW),
)
