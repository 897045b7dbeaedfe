"""Which alert mutes others that it explains; always within one cluster."""

from .model import Inhibition
from .sources import KUBELETS, NODE, STATE

MAINTENANCE = "PromfleetClusterInMaintenance"
_RECORDED = 'job=""'
"""What the hub records or sums up has no job; whatever was scraped or pushed has one."""


def _critical_mutes_warning(names: str, job: str, *equal: str) -> Inhibition:
    """Where an alert has rules of both severities, people hear of one thing once."""
    return Inhibition(
        source=f'alertname=~"{names}", severity="critical", {job}',
        target=f'alertname=~"{names}", severity="warning"',
        equal=("alertname", *equal),
    )


INHIBITIONS = (
    Inhibition(source=f'alertname="{MAINTENANCE}", {_RECORDED}', target='severity!="none"'),
    Inhibition(
        source=f'alertname=~"PromfleetClusterSilent|PromfleetClusterNeverReported", {_RECORDED}',
        target='severity=~"warning|info"',
    ),
    Inhibition(
        source=f'alertname="KubeNodeNotReady", node!="", {STATE}',
        target='severity=~"warning|info"',
        equal=("node",),
    ),
    Inhibition(
        source=f'alertname="KubeDeploymentUnavailable", {STATE}',
        target='alertname=~"KubeDeploymentReplicasMismatch|KubeDeploymentRolloutStuck"',
        equal=("namespace", "deployment"),
    ),
    _critical_mutes_warning(
        "KubePersistentVolumeFillingUp|KubePersistentVolumeInodesFillingUp",
        KUBELETS,
        "namespace",
        "persistentvolumeclaim",
    ),
    _critical_mutes_warning("KubeletClientCertificateExpiration|KubeletServerCertificateExpiration", KUBELETS, "node"),
    _critical_mutes_warning(
        "NodeFileDescriptorLimit|NodeFilesystemAlmostOutOfFiles|NodeFilesystemAlmostOutOfSpace"
        "|NodeFilesystemFilesFillingUp|NodeFilesystemSpaceFillingUp",
        NODE,
        "node",
        "instance",
        "device",
        "mountpoint",
    ),
    _critical_mutes_warning("KubeAPIErrorBudgetBurn|KubeClientCertificateExpiration", _RECORDED),
)
"""
Sources are matched by alert name.

Alertmanager treats a label that both alerts lack as equal, so that a source matched by severity alone would mute
warnings about something else.
"""
