"""HorizontalPodAutoscalers: whether they do what they were made for."""

from .model import Alert, Group

KSM = ("kube-state-metrics",)

AUTOSCALING = Group(
    name="autoscaling",
    alerts=(
        Alert(
            name="KubeHpaMaxedOut",
            expr=(
                "kube_horizontalpodautoscaler_status_current_replicas\n"
                "== on (cluster, namespace, horizontalpodautoscaler) kube_horizontalpodautoscaler_spec_max_replicas\n"
                "and on (cluster, namespace, horizontalpodautoscaler)\n"
                "  kube_horizontalpodautoscaler_spec_max_replicas > kube_horizontalpodautoscaler_spec_min_replicas"
            ),
            wait="15m",
            severity="warning",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} is at its maximum.",
            description=(
                "In {{ $labels.namespace }} it runs all {{ $value }} pods that it may; the load may still rise."
            ),
            jobs=KSM,
        ),
        Alert(
            name="KubeHpaScalingLimited",
            expr=(
                "kube_horizontalpodautoscaler_status_condition"
                '{condition="ScalingLimited", status="true"} == 1\n'
                "and on (cluster, namespace, horizontalpodautoscaler)\n"
                "  kube_horizontalpodautoscaler_status_desired_replicas"
                " >= kube_horizontalpodautoscaler_spec_max_replicas"
            ),
            wait="5m",
            severity="info",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} wants more pods.",
            description="In {{ $labels.namespace }} the load asks for more pods than its maximum.",
            jobs=KSM,
        ),
        Alert(
            name="KubeHpaReplicasMismatch",
            expr=(
                "kube_horizontalpodautoscaler_status_desired_replicas"
                " != kube_horizontalpodautoscaler_status_current_replicas\n"
                "and kube_horizontalpodautoscaler_status_current_replicas"
                " > kube_horizontalpodautoscaler_spec_min_replicas\n"
                "and kube_horizontalpodautoscaler_status_current_replicas"
                " < kube_horizontalpodautoscaler_spec_max_replicas\n"
                "and changes(kube_horizontalpodautoscaler_status_current_replicas[15m]) == 0"
            ),
            wait="15m",
            severity="warning",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} does not reach its size.",
            description="In {{ $labels.namespace }} it wants {{ $value }} pods, and got none for a quarter of an hour.",
            jobs=KSM,
        ),
        Alert(
            name="KubeHpaBlind",
            # With zero pods it is switched off, and says so in the same way.
            expr=(
                'kube_horizontalpodautoscaler_status_condition{condition="ScalingActive", status="false"} == 1\n'
                "and on (cluster, namespace, horizontalpodautoscaler)"
                " kube_horizontalpodautoscaler_status_current_replicas > 0"
            ),
            wait="30m",
            severity="warning",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} does not scale.",
            description="In {{ $labels.namespace }} it can't read what it scales by.",
            jobs=KSM,
        ),
    ),
)
