"""Rules on alerts and routes: that they name known clusters and teams, and that there is a server."""

from collections.abc import Iterator
from difflib import get_close_matches

from ..errors import Path, Problem
from .partial import PartialFleet

NEED_A_SERVER = ("alerts", "alertmanager", "grafana", "pushgateway", "probes", "thanos")
"""Sections of what is deployed beside a Prometheus server."""


def sections_have_a_server(partial: PartialFleet) -> Iterator[Problem]:
    """Sections that need a Prometheus server have one."""
    for section in NEED_A_SERVER:
        if section in partial.present and not partial.server_section:
            instead = "Move it to the stack of the hub, or add a section hub or standalone to this stack."
            yield Problem((section,), "has no effect: this stack has no Prometheus server", instead)


def named_clusters_report(partial: PartialFleet) -> Iterator[Problem]:
    """Alerts, windows and routes name clusters whose samples reach this stack's server."""
    expected = partial.expected
    if not partial.server:
        return
    for path, cluster in _named_clusters(partial):
        broken = cluster in partial.agents and partial.agents[cluster] is None
        if cluster not in expected and not broken:
            near = get_close_matches(cluster, expected, n=1)
            instead = f'Did you mean "{near[0]}"?' if near else f"These clusters do: {', '.join(expected)}."
            yield Problem(path, f"does not report to this stack's {partial.server_noun}", instead, cluster)


def _named_clusters(partial: PartialFleet) -> Iterator[tuple[Path, str]]:
    if partial.alerts:
        for cluster in partial.alerts.clusters:
            yield ("alerts", "clusters", cluster), cluster
        for index, window in enumerate(partial.alerts.maintenance):
            yield ("alerts", "maintenance", index, "cluster"), window.cluster
    for index, route in enumerate(partial.alertmanager.routes if partial.alertmanager else ()):
        for place, cluster in enumerate(route.clusters):
            yield ("alertmanager", "routes", index, "clusters", place), cluster


def routed_teams_have_alerts(partial: PartialFleet) -> Iterator[Problem]:
    """The teams of a route are teams of alerts."""
    if not partial.alerts or not partial.alertmanager:
        return
    known = sorted(partial.alerts.teams)
    for index, route in enumerate(partial.alertmanager.routes):
        for place, team in enumerate(route.teams):
            if team not in known:
                near = get_close_matches(team, known, n=1)
                proposal = f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join(known)}."
                instead = f"{proposal} To add a team, set alerts.rules.<alert>.team."
                yield Problem(
                    ("alertmanager", "routes", index, "teams", place), "is not the team of any alert", instead, team
                )
