"""The catalogue of recording and alerting rules: facts, one file per subject, that know nothing of a fleet."""

from .alertmanager import ALERTMANAGER
from .apiserver import APISERVER
from .autoscaling import AUTOSCALING
from .containers import CONTAINERS
from .coredns import COREDNS
from .disks import DISKS
from .exporters import EXPORTERS
from .fleet import FLEET
from .inhibitions import INHIBITIONS, MAINTENANCE
from .jobs import JOBS
from .kubelet import KUBELET
from .model import Alert, Group, Inhibition, Record, Severity, Threshold
from .nodes import NODES
from .prometheus import PROMETHEUS
from .volumes import VOLUMES
from .workloads import WORKLOADS

GROUPS: tuple[Group, ...] = (
    FLEET,
    PROMETHEUS,
    ALERTMANAGER,
    EXPORTERS,
    APISERVER,
    KUBELET,
    COREDNS,
    WORKLOADS,
    AUTOSCALING,
    JOBS,
    CONTAINERS,
    VOLUMES,
    NODES,
    DISKS,
)
"""Every group of rules, in the order of their files."""
ALERTS: dict[str, Alert] = {alert.name: alert for group in GROUPS for alert in group.alerts}
"""Every alert by its name."""

WATCHDOG = "Watchdog"
"""The alert that always fires, so that its absence can be noticed."""

__all__ = [
    "ALERTS",
    "GROUPS",
    "INHIBITIONS",
    "MAINTENANCE",
    "WATCHDOG",
    "Alert",
    "Group",
    "Inhibition",
    "Record",
    "Severity",
    "Threshold",
]
