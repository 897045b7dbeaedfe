"""Persistent volumes: whether they have room, and whether claims get one."""

from .model import Alert, Group, Threshold
from .sources import KSM, KUBELETS, STATE

_STATS = "kubelet_volume_stats"
_FREE_SPACE = f"{_STATS}_available_bytes{{{KUBELETS}}} / ({_STATS}_capacity_bytes{{{KUBELETS}}} > 0)"
_FREE_INODES = f"{_STATS}_inodes_free{{{KUBELETS}}} / ({_STATS}_inodes{{{KUBELETS}}} > 0)"
_CLAIM = "on (cluster, namespace, persistentvolumeclaim)"
_MODES = f"kube_persistentvolumeclaim_access_mode{{{STATE}, access_mode"
_WRITABLE = f'unless {_CLAIM} ({_MODES}="ReadOnlyMany"}} unless {_CLAIM} {_MODES}=~"ReadWrite.+"}})'
"""A volume that nobody writes to is as full as it was made."""
_WHICH = "{{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }}"


def _nearly_full(name: str, resource: str, free: str) -> Alert:
    return Alert(
        name=name,
        expr=f"{free} < $threshold\n{_WRITABLE}",
        for_="1m",
        severity="critical",
        summary=f"Volume {_WHICH} has nearly no {resource} left.",
        description=f"Free {resource}: {{{{ $value | humanizePercentage }}}}. Writes fail when nothing is left.",
        threshold=Threshold(value=0.03, least=0.005, most=0.5, unit="ratio"),
        jobs=("kubelet",),
    )


def _filling_up(name: str, resource: str, free: str, metric: str) -> Alert:
    return Alert(
        name=name,
        expr=f"predict_linear({metric}{{{KUBELETS}}}[6h], $threshold) < 0\nand {_CLAIM} {free} < 0.15\n{_WRITABLE}",
        for_="1h",
        severity="warning",
        summary=f"Volume {_WHICH} will run out of {resource}.",
        description=(
            f"At the rate of the last six hours it has no {resource} left within "
            "{{ $threshold | humanizeDuration }}."
        ),
        threshold=Threshold(value=345600, least=3600, most=2592000, unit="seconds"),
        jobs=("kubelet",),
    )


_SPACE = ("KubePersistentVolumeFillingUp", "space", _FREE_SPACE)
_INODES = ("KubePersistentVolumeInodesFillingUp", "inodes", _FREE_INODES)

VOLUMES = Group(
    name="volumes",
    alerts=(
        _nearly_full(*_SPACE),
        _filling_up(*_SPACE, f"{_STATS}_available_bytes"),
        _nearly_full(*_INODES),
        _filling_up(*_INODES, f"{_STATS}_inodes_free"),
        Alert(
            name="KubePersistentVolumeErrors",
            expr=f'kube_persistentvolume_status_phase{{{STATE}, phase="Failed"}} == 1',
            for_="5m",
            severity="warning",
            summary="Volume {{ $labels.persistentvolume }} in {{ $labels.cluster }} has failed.",
            description="It could not be reclaimed after its claim was deleted. The data on it still exists.",
            jobs=KSM,
        ),
        Alert(
            name="KubePersistentVolumeClaimPending",
            expr=(f'kube_persistentvolumeclaim_status_phase{{{STATE}, phase="Pending"}} == 1'),
            for_="30m",
            severity="warning",
            summary=f"Claim {_WHICH} has no volume.",
            description=(
                "Nothing has provided a volume for half an hour: the storage class is wrong, the zone is full, or no "
                "pod uses the claim."
            ),
            jobs=KSM,
        ),
    ),
)
