"""The hub's Prometheus as a pair: what only its twin, or a Ruler, can say."""

from .model import Alert, Group

_EXPECTED = "max by (cluster) (last_over_time(promfleet_thanos_replicas_expected[1d]))"
"""When the last replica goes, so does who records it; the bucket still has it."""

THANOS_REPLICAS = Group(
    name="thanos-replicas",
    alerts=(
        Alert(
            name="PrometheusReplicaMissing",
            expr=(
                f"(count by (cluster) (thanos_sidecar_prometheus_up == 1) or 0 * {_EXPECTED})\n"
                f"< on (cluster) {_EXPECTED}"
            ),
            wait="10m",
            severity="critical",
            summary="A replica of the hub in {{ $labels.cluster }} is missing.",
            description="{{ $value }} are up; the next failure is a gap in everybody's samples.",
            jobs=("thanos-sidecar",),
        ),
    ),
)
