"""Alertmanager: whether everyone is told."""

from .model import Alert, Group, Threshold

_ITSELF = 'job="alertmanager"'

ALERTMANAGER = Group(
    name="alertmanager",
    alerts=(
        Alert(
            name="AlertmanagerClusterDown",
            expr='avg by (cluster) (up{job="alertmanager"}) < 0.5',
            for_="5m",
            severity="critical",
            summary="Most Alertmanagers in {{ $labels.cluster }} are down.",
            description=(
                "Only {{ $value | humanizePercentage }} of them answer; the last one decides whether anyone is told."
            ),
        ),
        Alert(
            name="AlertmanagerMembersInconsistent",
            expr=(
                f"max_over_time(alertmanager_cluster_members{{{_ITSELF}}}[5m])\n"
                "< on (cluster) group_left ()\n"
                'count by (cluster) (max_over_time(up{job="alertmanager"}[5m]))'
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} has lost sight of other Alertmanagers.",
            description="It sees {{ $value }} members. Those that do not see each other tell everyone twice.",
        ),
        Alert(
            name="AlertmanagerConfigReloadFailed",
            expr=f"max_over_time(alertmanager_config_last_reload_successful{{{_ITSELF}}}[5m]) == 0",
            for_="10m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs on an old configuration.",
            description="The file it was given is not valid; the last good one stays in use.",
        ),
        Alert(
            name="AlertmanagerConfigInconsistent",
            expr=(
                f'count by (cluster) (count_values by (cluster) ("hash", alertmanager_config_hash{{{_ITSELF}}})) > 1'
            ),
            for_="20m",
            severity="warning",
            summary="The Alertmanagers in {{ $labels.cluster }} have different configurations.",
            description="{{ $value }} configurations are in use; who is told depends on who answers.",
        ),
        Alert(
            name="AlertmanagerNotificationsFailing",
            expr=(
                f"sum by (cluster, integration) (rate(alertmanager_notifications_failed_total{{{_ITSELF}}}[10m]))\n"
                f"/ sum by (cluster, integration) (rate(alertmanager_notifications_total{{{_ITSELF}}}[10m]) > 0)\n"
                "> $threshold"
            ),
            for_="5m",
            severity="critical",
            summary="Alertmanager in {{ $labels.cluster }} can't notify by {{ $labels.integration }}.",
            description=(
                "{{ $value | humanizePercentage }} of the notifications failed: a wrong secret, or a service "
                "that is down."
            ),
            threshold=Threshold(value=0.1, least=0, most=0.9, unit="ratio"),
        ),
    ),
)
