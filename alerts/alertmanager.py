"""Alertmanager: whether its replicas run, agree, and deliver notifications."""

from .model import Alert, Group, Threshold
from .sources import ALERTMANAGERS

_REPLICAS = f"count by (cluster) (up{{{ALERTMANAGERS}}})"
_EACH = "sum by (cluster, instance, integration)"
_FAILED = (
    f"{_EACH} (rate(alertmanager_notifications_failed_total{{{ALERTMANAGERS}}}[10m]))\n"
    f"/ {_EACH} (rate(alertmanager_notifications_total{{{ALERTMANAGERS}}}[10m]) > 0)"
)
"""The share of notifications that failed, where any were sent."""


ALERTMANAGER = Group(
    name="alertmanager",
    alerts=(
        Alert(
            name="AlertmanagerClusterDown",
            expr=f"avg by (cluster) (up{{{ALERTMANAGERS}}}) <= 0.5",
            for_="5m",
            severity="critical",
            summary="Half or more of the Alertmanagers in {{ $labels.cluster }} are down.",
            description=(
                "Only {{ $value | humanizePercentage }} of them can be scraped. When the last one is down, alerts "
                "notify nobody."
            ),
        ),
        Alert(
            name="AlertmanagerClusterCrashlooping",
            expr=(
                f"count by (cluster) (changes(process_start_time_seconds{{{ALERTMANAGERS}}}[10m]) > 4)\n"
                f"/ on (cluster) {_REPLICAS} >= 0.5"
            ),
            for_="5m",
            severity="critical",
            summary="Half or more of the Alertmanagers in {{ $labels.cluster }} keep restarting.",
            description=(
                "{{ $value | humanizePercentage }} of them started at least five times in ten minutes. Notifications "
                "come late or not at all."
            ),
        ),
        Alert(
            name="AlertmanagerMembersInconsistent",
            expr=(
                f"max_over_time(alertmanager_cluster_members{{{ALERTMANAGERS}}}[5m])\n"
                "< on (cluster) group_left ()\n"
                f"count by (cluster) (max_over_time(up{{{ALERTMANAGERS}}}[5m]))"
            ),
            for_="15m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} does not see all other Alertmanagers.",
            description="It sees {{ $value }} members. Replicas that don't see each other send notifications twice.",
        ),
        Alert(
            name="AlertmanagerClusterFailedPeers",
            expr=f"max_over_time(alertmanager_cluster_failed_peers{{{ALERTMANAGERS}}}[5m]) > 0",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} has lost contact with other Alertmanagers.",
            description=(
                "It can't reach {{ $value }} of its peers. Silences and notifications are not shared with them."
            ),
        ),
        Alert(
            name="AlertmanagerFailedReload",
            expr=f"max_over_time(alertmanager_config_last_reload_successful{{{ALERTMANAGERS}}}[5m]) == 0",
            for_="10m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't load its new configuration.",
            description="The configuration file is not valid. Alertmanager keeps running with the last valid one.",
        ),
        Alert(
            name="ConfigReloaderSidecarErrors",
            expr='max_over_time(reloader_last_reload_successful{job="config-reloader"}[5m]) == 0',
            for_="10m",
            severity="warning",
            summary="The config-reloader of {{ $labels.instance }} in {{ $labels.cluster }} fails.",
            description="Changes of the configuration are not loaded until it succeeds again.",
        ),
        Alert(
            name="AlertmanagerConfigInconsistent",
            expr=(
                'count by (cluster) (count_values by (cluster) ("hash", '
                f"alertmanager_config_hash{{{ALERTMANAGERS}}})) > 1"
            ),
            for_="20m",
            severity="critical",
            summary="The Alertmanagers in {{ $labels.cluster }} run with different configurations.",
            description="{{ $value }} configurations are in use. Who is notified depends on which replica sends.",
        ),
        Alert(
            name="AlertmanagerFailedToSendAlerts",
            expr=f"{_FAILED}\n> $threshold",
            for_="5m",
            severity="warning",
            summary=(
                "{{ $labels.instance }} in {{ $labels.cluster }} fails to send notifications by "
                "{{ $labels.integration }}."
            ),
            description=(
                "{{ $value | humanizePercentage }} of its notifications failed. A secret is wrong, or the service is "
                "down."
            ),
            threshold=Threshold(value=0.01, least=0, most=0.9, unit="ratio"),
        ),
        Alert(
            name="AlertmanagerClusterFailedToSendAlerts",
            expr=f"min by (cluster, integration) (\n{_FAILED}\n) > $threshold",
            for_="5m",
            severity="critical",
            summary="No Alertmanager in {{ $labels.cluster }} sends all notifications by {{ $labels.integration }}.",
            description=(
                "Even on the replica that works best {{ $value | humanizePercentage }} of the notifications failed: "
                "receivers are not notified. A secret is wrong, or the service is down."
            ),
            threshold=Threshold(value=0.01, least=0, most=0.9, unit="ratio"),
        ),
    ),
)
