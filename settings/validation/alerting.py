"""The rules on alerts and routes: whom and what they name, and that there is a hub to raise them."""

from collections.abc import Iterator
from difflib import get_close_matches

from ..errors import Path, Problem
from .partial import Draft

OF_THE_HUB = ("alerts", "alertmanager", "grafana", "pushgateway", "probes", "thanos")
"""Sections about what stands in the hub's cluster."""


def what_stands_beside_a_hub_has_one(draft: Draft) -> Iterator[Problem]:
    """Nothing is written that this stack would not make."""
    for section in OF_THE_HUB:
        if section in draft.written and not draft.has_hub:
            instead = "Move it to the stack of the hub, or add a section hub to this stack."
            yield Problem((section,), "has no effect: this stack has no hub", instead)


def named_clusters_report(draft: Draft) -> Iterator[Problem]:
    """Alerts, windows and routes are of clusters whose samples come to this hub."""
    expected = draft.expected
    if not draft.hub:
        return
    for path, cluster in _named_clusters(draft):
        broken = cluster in draft.agents and draft.agents[cluster] is None
        if cluster not in expected and not broken:
            near = get_close_matches(cluster, expected, n=1)
            instead = f'Did you mean "{near[0]}"?' if near else f"These do: {', '.join(expected)}."
            yield Problem(path, "does not report to this hub", instead, cluster)


def _named_clusters(draft: Draft) -> Iterator[tuple[Path, str]]:
    if draft.alerts:
        for cluster in draft.alerts.clusters:
            yield ("alerts", "clusters", cluster), cluster
        for index, window in enumerate(draft.alerts.maintenance):
            yield ("alerts", "maintenance", index, "cluster"), window.cluster
    for index, route in enumerate(draft.alertmanager.routes if draft.alertmanager else ()):
        for place, cluster in enumerate(route.clusters):
            yield ("alertmanager", "routes", index, "clusters", place), cluster


def routed_teams_have_alerts(draft: Draft) -> Iterator[Problem]:
    """A route waits only for teams that some alert carries."""
    if not draft.alerts or not draft.alertmanager:
        return
    known = sorted(draft.alerts.teams)
    for index, route in enumerate(draft.alertmanager.routes):
        for place, team in enumerate(route.teams):
            if team not in known:
                near = get_close_matches(team, known, n=1)
                proposal = f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join(known)}."
                instead = f"{proposal} A new team is written at an alert: alerts.rules.<alert>.team."
                yield Problem(("alertmanager", "routes", index, "teams", place), "is of no alert", instead, team)
