"""Which alert makes others needless; always within one cluster."""

from .model import Inhibition

MAINTENANCE = "PromfleetClusterInMaintenance"
_ONE_THING = ("alertname", "namespace", "pod", "container", "node", "instance", "job", "device", "mountpoint")

INHIBITIONS = (
    Inhibition(source=f'alertname="{MAINTENANCE}"', target='severity!="none"'),
    Inhibition(
        source='alertname=~"PromfleetClusterSilent|PromfleetClusterNeverReported"',
        target='severity=~"warning|info"',
    ),
    Inhibition(source='severity="critical"', target='severity=~"warning|info"', equal=_ONE_THING),
)
"""A label that both alerts lack counts as equal."""
