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
from .thanos_compactor import THANOS_COMPACTOR
from .thanos_query import THANOS_QUERY
from .thanos_receive import THANOS_RECEIVE
from .thanos_replicas import THANOS_REPLICAS
from .thanos_ruler import THANOS_RULER
from .thanos_sidecar import THANOS_SIDECAR
from .thanos_store import THANOS_STORE
from .volumes import VOLUMES
from .workloads import WORKLOADS

GROUPS: tuple[Group, ...] = (
    FLEET,
    PROMETHEUS,
    ALERTMANAGER,
    THANOS_REPLICAS,
    THANOS_SIDECAR,
    THANOS_QUERY,
    THANOS_STORE,
    THANOS_COMPACTOR,
    THANOS_RULER,
    THANOS_RECEIVE,
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
    "THANOS_REPLICAS",
    "WATCHDOG",
    "Alert",
    "Group",
    "Inhibition",
    "Record",
    "Severity",
    "Threshold",
]
