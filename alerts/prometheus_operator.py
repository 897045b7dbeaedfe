"""The Prometheus Operator: whether it acts on the resources of its cluster, by the alerts of its own mixin."""

from .model import Alert, Group, Threshold

_ITSELF = 'job="prometheus-operator"'
_BY = "(cluster, controller)"


def _share(failed: str, all_of: str, window: str) -> str:
    """The operations of a controller that failed; of none there is no share."""
    count = f"sum by {_BY} (rate(prometheus_operator_{{}}{{{{{_ITSELF}}}}}[{window}]))"
    return f"{count.format(failed)}\n/ {count.format(all_of)} > $threshold"


PROMETHEUS_OPERATOR = Group(
    name="prometheus-operator",
    alerts=(
        Alert(
            name="PrometheusOperatorListErrors",
            expr=_share("list_operations_failed_total", "list_operations_total", "10m"),
            for_="15m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} can't list resources.",
            description="{{ $value | humanizePercentage }} of the lists of controller {{ $labels.controller }} fail.",
            threshold=Threshold(value=0.4, least=0.01, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusOperatorWatchErrors",
            expr=_share("watch_operations_failed_total", "watch_operations_total", "5m"),
            for_="15m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} can't watch resources.",
            description="{{ $value | humanizePercentage }} of the watches of controller {{ $labels.controller }} fail.",
            threshold=Threshold(value=0.4, least=0.01, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusOperatorSyncFailed",
            expr=f'min_over_time(prometheus_operator_syncs{{{_ITSELF}, status="failed"}}[5m]) > 0',
            for_="10m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} can't bring Prometheus to what is described.",
            description="{{ $value }} resources of controller {{ $labels.controller }} are not reconciled.",
        ),
        Alert(
            name="PrometheusOperatorReconcileErrors",
            expr=_share("reconcile_errors_total", "reconcile_operations_total", "5m"),
            for_="10m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} fails to reconcile resources.",
            description=(
                "{{ $value | humanizePercentage }} of the reconciliations of controller {{ $labels.controller }} fail."
            ),
            threshold=Threshold(value=0.1, least=0.01, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusOperatorStatusUpdateErrors",
            expr=_share("status_update_errors_total", "status_update_operations_total", "5m"),
            for_="10m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} can't write the status of resources.",
            description=(
                "{{ $value | humanizePercentage }} of the updates of controller {{ $labels.controller }} fail, "
                "and what the resources say of themselves is old."
            ),
            threshold=Threshold(value=0.1, least=0.01, most=1, unit="ratio"),
        ),
        Alert(
            name="PrometheusOperatorNotReady",
            expr=f"min by {_BY} (max_over_time(prometheus_operator_ready{{{_ITSELF}}}[5m])) == 0",
            for_="5m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} is not ready.",
            description="Its controller {{ $labels.controller }} does not act on changes.",
        ),
        Alert(
            name="PrometheusOperatorRejectedResources",
            expr=f'min_over_time(prometheus_operator_managed_resources{{{_ITSELF}, state="rejected"}}[5m]) > 0',
            for_="5m",
            severity="warning",
            summary="The Prometheus Operator of {{ $labels.cluster }} leaves out monitors or rules that are not valid.",
            description="It rejects {{ $value }} resources of kind {{ $labels.resource }}; events of them say why.",
        ),
    ),
)
