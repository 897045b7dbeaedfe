"""Which alert makes others needless; always within one cluster."""

from .model import Inhibition

MAINTENANCE = "PromfleetClusterInMaintenance"

INHIBITIONS = (
    Inhibition(source=f'alertname="{MAINTENANCE}"', target='severity!="none"'),
    Inhibition(
        source='alertname=~"PromfleetClusterSilent|PromfleetClusterNeverReported"',
        target='severity=~"warning|info"',
    ),
    Inhibition(
        source='alertname="KubeNodeNotReady"',
        target='severity=~"warning|info"',
        equal=("node",),
    ),
    Inhibition(
        source='alertname="KubeDeploymentUnavailable"',
        target='alertname=~"KubeDeploymentReplicasMismatch|KubeDeploymentRolloutStuck"',
        equal=("namespace", "deployment"),
    ),
)
"""Sources by name: a label that both lack counts as equal, so that what is critical would mute what is none of its."""
