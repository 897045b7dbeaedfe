"""Rules on alerts and routes: that they name known clusters and teams, and that there is a server."""

from collections.abc import Iterator

import promql_parser
from pydantic.alias_generators import to_camel

from ..errors import Path, Problem, nearest
from ..promql import losses
from ..rules import name_of
from .partial import PartialFleet

NEED_A_SERVER = ("alerts", "alertmanager", "grafana", "pushgateway", "probes", "thanos")
"""Sections of what is deployed beside a Prometheus server."""
_NOT_ON_A_MACHINE = ("grafana", "pushgateway", "thanos")
_PODS_OF_ALERTMANAGER = {
    "replicas": "one Alertmanager runs",
    "storage": "its files are",
    "storage_class": "its files are",
}
"""Field -> what is so on the watcher's machine, where the field has no effect."""


def sections_have_a_server(partial: PartialFleet) -> Iterator[Problem]:
    """Sections that need a Prometheus server have one."""
    for section in NEED_A_SERVER:
        if section not in partial.present or partial.server_section:
            continue
        if "watcher" not in partial.present:
            instead = "Move it to the stack of the hub, or add a section hub or standalone to this stack."
            yield Problem((section,), "has no effect: this stack has no Prometheus server", instead)
        elif section in _NOT_ON_A_MACHINE:
            instead = "Remove it, or move it to the stack of a hub or standalone server."
            yield Problem((section,), "needs a Prometheus server in a cluster, and this stack has a watcher", instead)


def alertmanager_fits_a_machine(partial: PartialFleet) -> Iterator[Problem]:
    """Beside a watcher Alertmanager is a process of its machine."""
    if "watcher" not in partial.present or not partial.alertmanager:
        return
    for name, what in _PODS_OF_ALERTMANAGER.items():
        if name in partial.alertmanager.model_fields_set:
            rule = f"has no effect: {what} on the watcher's machine"
            yield Problem(("alertmanager", to_camel(name)), rule, "Remove it.")
    if partial.alertmanager.expose:
        rule = "has no effect: Alertmanager listens on the loopback interface of the watcher's machine"
        yield Problem(("alertmanager", "expose"), rule, "Remove it, and reach it with `ssh -L 9093:127.0.0.1:9093`.")


def named_clusters_report(partial: PartialFleet) -> Iterator[Problem]:
    """Alerts, windows and routes name clusters whose samples reach this stack's server."""
    expected = partial.expected
    if not expected:
        return
    for path, cluster in _named_clusters(partial):
        broken = cluster in partial.agents and partial.agents[cluster] is None
        if cluster not in expected and not broken:
            instead = nearest(cluster, expected, f"These clusters do: {', '.join(expected)}.")
            yield Problem(path, f"does not report to this stack's {partial.server_noun}", instead, cluster)


def _named_clusters(partial: PartialFleet) -> Iterator[tuple[Path, str]]:
    if partial.alerts:
        for cluster in partial.alerts.clusters:
            yield ("alerts", "clusters", cluster), cluster
        for file in partial.alerts.rule_files:
            for index, cluster in enumerate(file.clusters or ()):
                yield ("alerts", "ruleFiles", file.path[0], "clusters", index), cluster
        for index, window in enumerate(partial.alerts.maintenance):
            yield ("alerts", "maintenance", index, "cluster"), window.cluster
    for route_path, route in partial.alertmanager.every_route if partial.alertmanager else ():
        for place, cluster in enumerate(route.clusters):
            yield ("alertmanager", *route_path, "clusters", place), cluster


def routed_teams_have_alerts(partial: PartialFleet) -> Iterator[Problem]:
    """The teams of a route are teams of alerts."""
    if not partial.alerts or not partial.alertmanager:
        return
    known = sorted(partial.alerts.teams)
    if any("{{" in team for team in known):
        return  # a series says whose alert it is
    for path, route in partial.alertmanager.every_route:
        for place, team in enumerate(route.teams):
            if team not in known:
                proposal = nearest(team, known, f"Known: {', '.join(known)}.")
                instead = f"{proposal} To add a team, set alerts.rules.<alert>.team."
                yield Problem(("alertmanager", *path, "teams", place), "is not the team of any alert", instead, team)


def rules_keep_clusters(partial: PartialFleet) -> Iterator[Problem]:
    """People's own rules answer for each cluster by itself; a standalone server has series of one cluster only."""
    if not partial.alerts or "standalone" in partial.present:
        return
    files = partial.alerts.rule_files
    without = {
        name for file in files for _, rule in file.rules if "record" in rule and (name := name_of(rule)) in file.across
    }
    for file in files:
        for path, rule in file.rules:
            if name_of(rule) in file.across:
                continue
            for loss in losses(promql_parser.parse(rule["expr"]), without):
                instead = f"{loss.instead} If it is meant, name the rule in acrossClusters."
                yield Problem(("alerts", "ruleFiles", *path, "expr"), loss.rule, instead)
