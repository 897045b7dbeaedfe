"""Persistent volumes: whether they have room, and whether they can be had."""

from .model import Alert, Group, Threshold
from .sources import KUBELETS, STATE

_SHARE = f"kubelet_volume_stats_available_bytes{{{KUBELETS}}} / (kubelet_volume_stats_capacity_bytes{{{KUBELETS}}} > 0)"

_CLAIM = "on (cluster, namespace, persistentvolumeclaim)"

VOLUMES = Group(
    name="volumes",
    alerts=(
        Alert(
            name="KubePersistentVolumeAlmostFull",
            expr=f"{_SHARE} < $threshold",
            for_="1m",
            severity="critical",
            summary=(
                "Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }} is full."
            ),
            description="Only {{ $value | humanizePercentage }} of it is free.",
            threshold=Threshold(value=0.03, least=0.005, most=0.5, unit="ratio"),
            jobs=("kubelet",),
        ),
        Alert(
            name="KubePersistentVolumeFillingUp",
            expr=(
                f"predict_linear(kubelet_volume_stats_available_bytes{{{KUBELETS}}}[6h], $threshold) < 0\n"
                f"and {_CLAIM} {_SHARE} < 0.15"
            ),
            for_="1h",
            severity="warning",
            summary=(
                "Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }} fills up."
            ),
            description="At the rate of the last six hours it will be full within {{ $threshold | humanizeDuration }}.",
            threshold=Threshold(value=345600, least=3600, most=2592000, unit="seconds"),
            jobs=("kubelet",),
        ),
        Alert(
            name="KubePersistentVolumeInodesFillingUp",
            expr=(
                f"kubelet_volume_stats_inodes_free{{{KUBELETS}}}\n"
                f"/ (kubelet_volume_stats_inodes{{{KUBELETS}}} > 0) < $threshold"
            ),
            for_="5m",
            severity="warning",
            summary=(
                "Volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }}"
                " runs out of inodes."
            ),
            description="{{ $value | humanizePercentage }} are free: no new files, whatever room there is.",
            threshold=Threshold(value=0.05, least=0.005, most=0.5, unit="ratio"),
            jobs=("kubelet",),
        ),
        Alert(
            name="KubePersistentVolumeErrors",
            expr=f'kube_persistentvolume_status_phase{{{STATE}, phase="Failed"}} == 1',
            for_="5m",
            severity="warning",
            summary="Volume {{ $labels.persistentvolume }} in {{ $labels.cluster }} has failed.",
            description="It could not be reclaimed; what is on it is still there.",
            jobs=("kube-state-metrics",),
        ),
        Alert(
            name="KubePersistentVolumeClaimPending",
            expr=(f'kube_persistentvolumeclaim_status_phase{{{STATE}, phase="Pending"}} == 1'),
            for_="30m",
            severity="warning",
            summary=(
                "Claim {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }} has "
                "no volume."
            ),
            description="For half an hour nothing provides one: a wrong class, a full zone, or no pod that uses it.",
            jobs=("kube-state-metrics",),
        ),
    ),
)
