"""HorizontalPodAutoscalers: whether they do what they were made for."""

from .model import Alert, Group
from .sources import STATE

KSM = ("kube-state-metrics",)
_HPA = "kube_horizontalpodautoscaler"
_EACH = "(cluster, namespace, horizontalpodautoscaler)"
_CURRENT, _DESIRED = (f"{_HPA}_status_{which}_replicas{{{STATE}}}" for which in ("current", "desired"))
_LEAST, _MOST = (f"{_HPA}_spec_{which}_replicas{{{STATE}}}" for which in ("min", "max"))

AUTOSCALING = Group(
    name="autoscaling",
    alerts=(
        Alert(
            name="KubeHpaMaxedOut",
            expr=(
                f"max by {_EACH} ({_CURRENT}) == on {_EACH} max by {_EACH} ({_MOST})\nand on {_EACH} {_MOST} > {_LEAST}"
            ),
            for_="15m",
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
                f'{_HPA}_status_condition{{{STATE}, condition="ScalingLimited", status="true"}} == 1\n'
                f"and on {_EACH} {_DESIRED} >= {_MOST}"
            ),
            for_="5m",
            severity="info",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} wants more pods.",
            description="In {{ $labels.namespace }} the load asks for more pods than its maximum.",
            jobs=KSM,
        ),
        Alert(
            name="KubeHpaReplicasMismatch",
            expr=(
                f"{_DESIRED} != {_CURRENT}\n"
                f"and {_CURRENT} > {_LEAST}\n"
                f"and {_CURRENT} < {_MOST}\n"
                f"and changes({_CURRENT}[15m]) == 0"
            ),
            for_="15m",
            severity="warning",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} does not reach its size.",
            description="In {{ $labels.namespace }} it wants {{ $value }} pods, and got none for a quarter of an hour.",
            jobs=KSM,
        ),
        Alert(
            name="KubeHpaBlind",
            # With zero pods it is switched off, and says so in the same way.
            expr=(
                f'{_HPA}_status_condition{{{STATE}, condition="ScalingActive", status="false"}} == 1\n'
                f"and on {_EACH} {_CURRENT} > 0"
            ),
            for_="30m",
            severity="warning",
            summary="HPA {{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} does not scale.",
            description="In {{ $labels.namespace }} it can't read what it scales by.",
            jobs=KSM,
        ),
    ),
)
