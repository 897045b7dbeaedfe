"""Replicas of the hub's Prometheus: alerts for a Ruler, or else for the other replica."""

from .model import Alert, Group

_SIDECAR = 'job="thanos-sidecar"'
_EXPECTED = "max by (cluster) (promfleet_thanos_replicas_expected)"
"""Recorded where the alert is evaluated, so that a Ruler has it after the last replica is gone."""

THANOS_REPLICAS = Group(
    name="thanos-replicas",
    alerts=(
        Alert(
            name="PrometheusReplicaMissing",
            expr=(
                f"(count by (cluster) (thanos_sidecar_prometheus_up{{{_SIDECAR}}} == 1) or 0 * {_EXPECTED})\n"
                f"< on (cluster) {_EXPECTED}"
            ),
            for_="10m",
            severity="critical",
            summary="A replica of Prometheus in {{ $labels.cluster }} is missing.",
            description="{{ $value }} replicas are up. If the last one fails, samples of all clusters are missing.",
            jobs=("thanos-sidecar",),
        ),
    ),
)
