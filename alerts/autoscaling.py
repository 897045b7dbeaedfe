"""HorizontalPodAutoscalers: whether they do what they were made for."""

from .model import Alert, Group
from .sources import KSM, STATE

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
            summary=(
                "HPA {{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} runs at "
                "its maximum."
            ),
            description="It runs all {{ $value }} pods that it may, and can't add more if the load rises.",
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
            summary=(
                "HPA {{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} needs more "
                "pods than it may run."
            ),
            description="The load needs more pods than maxReplicas allows.",
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
            summary=(
                "HPA {{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} does not "
                "reach the number of pods that it wants."
            ),
            description="It wants {{ $value }} pods, and their number has not changed for fifteen minutes.",
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
            summary=(
                "HPA {{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} in {{ $labels.cluster }} can't read "
                "its metrics."
            ),
            description="It does not scale until it can read them again.",
            jobs=KSM,
        ),
    ),
)
