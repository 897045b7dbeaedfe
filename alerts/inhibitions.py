"""Which alert makes others needless; always within one cluster."""

from .model import Inhibition
from .sources import STATE

MAINTENANCE = "PromfleetClusterInMaintenance"
_OF_INVENTORY = 'job=""'
"""What the hub itself records has no job; whatever was scraped or pushed has one."""

INHIBITIONS = (
    Inhibition(source=f'alertname="{MAINTENANCE}", {_OF_INVENTORY}', target='severity!="none"'),
    Inhibition(
        source=f'alertname=~"PromfleetClusterSilent|PromfleetClusterNeverReported", {_OF_INVENTORY}',
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
)
"""Sources by name: a label that both lack counts as equal, so that what is critical would mute what is none of its."""
