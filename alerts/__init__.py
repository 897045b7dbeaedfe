"""The catalogue of recording and alerting rules: facts, one file per subject, that know nothing of a fleet."""

from collections import Counter

from .alertmanager import ALERTMANAGER
from .apiserver import APISERVER
from .autoscaling import AUTOSCALING
from .containers import CONTAINERS
from .control_plane import CONTROL_PLANE
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
from .prometheus_operator import PROMETHEUS_OPERATOR
from .thanos_compactor import THANOS_COMPACTOR
from .thanos_query import THANOS_QUERY
from .thanos_receive import THANOS_RECEIVE
from .thanos_replicas import THANOS_REPLICAS
from .thanos_ruler import THANOS_RULER
from .thanos_sidecar import THANOS_SIDECAR
from .thanos_store import THANOS_STORE
from .volumes import VOLUMES
from .windows import WINDOWS_NODES
from .workloads import WORKLOADS
from .writers import WRITERS

GROUPS: tuple[Group, ...] = (
    FLEET,
    PROMETHEUS,
    PROMETHEUS_OPERATOR,
    ALERTMANAGER,
    THANOS_REPLICAS,
    THANOS_SIDECAR,
    THANOS_QUERY,
    THANOS_STORE,
    THANOS_COMPACTOR,
    THANOS_RULER,
    THANOS_RECEIVE,
    WRITERS,
    EXPORTERS,
    APISERVER,
    CONTROL_PLANE,
    KUBELET,
    COREDNS,
    WORKLOADS,
    AUTOSCALING,
    JOBS,
    CONTAINERS,
    VOLUMES,
    NODES,
    DISKS,
    WINDOWS_NODES,
)
"""Every group of rules, in the order of their files."""
_RULES = [alert for group in GROUPS for alert in group.alerts]
_SEVERITIES = Counter(name for name, _ in {(alert.name, alert.severity) for alert in _RULES})


def tuning_key(alert: Alert) -> str:
    """How a stack file names an alert: `NAME`, or `NAME/SEVERITY` where its rules have several severities."""
    return alert.name if _SEVERITIES[alert.name] == 1 else f"{alert.name}/{alert.severity}"


def _by_key() -> dict[str, tuple[Alert, ...]]:
    found: dict[str, list[Alert]] = {}
    for alert in _RULES:
        found.setdefault(tuning_key(alert), []).append(alert)
    return {key: tuple(rules) for key, rules in found.items()}


ALERTS = _by_key()
"""The rules by the key under which a stack file tunes them; those of one key have the same threshold."""

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
    "tuning_key",
]
