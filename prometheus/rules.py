"""What a hub records and which alerts it raises about the fleet itself."""

from typing import Any

from alerts import GROUPS, Alert, Group
from settings import Fleet

from . import render

EXPECTED = "promfleet_cluster_expected"


def rules(fleet: Fleet) -> dict[str, str]:
    """The hub's rule files, by name."""
    return {
        "inventory.yml": _file("promfleet-inventory", [_expected(fleet, cluster) for cluster in expected(fleet)]),
        **{
            f"{group.name}.yml": _file(group.name, [_alert(alert, fleet) for alert in group.alerts]) for group in GROUPS
        },
    }


def expected(fleet: Fleet) -> list[str]:
    """Every cluster that is to report to this stack's hub."""
    if fleet.hub is None:
        return []
    return sorted({fleet.hub.cluster, *fleet.local_agents, *fleet.hub.agents})


def _expected(fleet: Fleet, cluster: str) -> dict[str, Any]:
    known = fleet.clusters.get(cluster)
    labels = dict(known.labels) if known else {}
    return {"record": EXPECTED, "expr": "vector(1)", "labels": {"cluster": cluster, **labels}}


def _group(group: Group, fleet: Fleet) -> str:
    return _file(group.name, [_alert(alert, fleet) for alert in group.alerts])


def _alert(alert: Alert, fleet: Fleet) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.wait,
        "labels": {"severity": alert.severity, "team": fleet.alerts.team},
        "annotations": {"summary": alert.summary, "description": alert.description},
    }


def _file(group: str, entries: list[dict[str, Any]]) -> str:
    return render.text({"groups": [{"name": group, "rules": entries}]})
