"""Recording rules and alerts: the catalogue with the overrides of the stack file, and people's own."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from alerts import GROUPS, MAINTENANCE, THANOS_REPLICAS, WATCHDOG, Alert, Group, tuning_key
from alerts.writers import JOB as ENVOY
from settings import Fleet, seconds
from settings.agent import shard_name
from settings.alerts import Maintenance, Tuning
from settings.cluster import ON_REQUEST
from settings.rule_files import RuleFile
from settings.validation.issuers import verifies_tokens

from .scrape.platforms import unreachable
from .thanos.jobs import undeployed
from .yaml import to_yaml

EXPECTED = "promfleet_cluster_expected"
"""The clusters of the fleet, with their labels."""
WATCHED = "promfleet_cluster_watched"
"""The clusters that a watcher scrapes from outside."""
APPLICATION = "promfleet_application_expected"
"""The applications of the stack file, by cluster, job and namespace."""
OUTAGE = "promfleet_agent_outage_seconds"
"""The outage that each agent's WAL is planned for, by cluster."""
SHARD = "promfleet_agent_shard_expected"
"""The shards of agents that have several, by cluster and instance."""
REPLICAS = "promfleet_thanos_replicas_expected"
"""The replicas of the server, each with a sidecar, by cluster."""
RUNBOOKS = "docs/runbooks"
_PARTIAL_RESPONSE = "partial_response_strategy"
WATCHES_ITSELF = frozenset(group.name for group in GROUPS if group.name.startswith("thanos-")) - {THANOS_REPLICAS.name}
"""Groups about Thanos, which Prometheus evaluates: a Ruler could not alert on a Thanos that it can't reach."""

Rule = dict[str, Any]


def rules(fleet: Fleet) -> dict[str, str]:
    """Every rule file of a fleet, by name, for Prometheus and for Rulers."""
    return {f"{name}.yml": to_yaml(groups) for name, groups in _files(fleet, GROUPS, with_inventory=True).items()}


def server_rules(fleet: Fleet) -> dict[str, str]:
    """
    Rule files of the Prometheus server.

    With a Ruler, leaves out rules that need all replicas. With Receive, keeps only the rules about Thanos.
    """
    return {f"{name}.yml": to_yaml(groups) for name, groups in server_rule_groups(fleet).items()}


def server_rule_groups(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Return the same as data, by name without extension."""
    chosen = [group for group in GROUPS if not _is_rulers(group, fleet)]
    return _files(fleet, chosen, with_inventory=not _is_received(fleet))


def ruler_rules(fleet: Fleet) -> dict[str, str]:
    """
    Rule files of Rulers: those that the Prometheus server does not evaluate.

    With `partial_response_strategy: warn` they are evaluated without endpoints that can't be reached, such as a Store:
    the newest samples are in the others, and Thanos' default would stop every alert.
    """
    chosen = [group for group in GROUPS if _is_rulers(group, fleet)]
    files = _files(fleet, chosen, with_inventory=_is_received(fleet))
    written = {file.name: file.groups for file in fleet.alerts.rule_files}
    for name, groups in files.items():
        own = written.get(name, ({},) * len(groups["groups"]))
        for group, of_user in zip(groups["groups"], own, strict=True):
            group[_PARTIAL_RESPONSE] = of_user.get(_PARTIAL_RESPONSE, "warn")
    return {f"{name}.yml": to_yaml(groups) for name, groups in files.items()}


def _is_received(fleet: Fleet) -> bool:
    return bool(fleet.thanos and fleet.thanos.receive)


def _is_rulers(group: Group, fleet: Fleet) -> bool:
    if not fleet.thanos or not fleet.thanos.ruler:
        return False
    return group is THANOS_REPLICAS or (_is_received(fleet) and group.name not in WATCHES_ITSELF)


def _files(fleet: Fleet, groups: Collection[Group], *, with_inventory: bool) -> dict[str, dict[str, Any]]:
    """Groups of rule files by name without extension; a file without rules is left out."""
    files = {"inventory": _inventory(fleet)} if with_inventory else {}
    absent = {cluster: unreachable(fleet, cluster) for cluster in fleet.expected}
    files |= {group.name: _general(group, fleet, absent) for group in groups}
    files |= {f"overrides-{cluster}": _own(fleet, cluster, groups) for cluster in sorted(fleet.alerts.clusters)}
    made = {name: {"groups": [{"name": name, "rules": entries}]} for name, entries in files.items() if entries}
    return made | (user_groups(fleet) if with_inventory else {})


def prometheus_groups(file: RuleFile) -> list[dict[str, Any]]:
    """Return the groups of a file as they were written, without the field that only Thanos knows."""
    return [{key: value for key, value in group.items() if key != _PARTIAL_RESPONSE} for group in file.groups]


def user_groups(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Return people's own rules likewise, as Prometheus knows them."""
    return {
        file.name: {
            "groups": [
                {**group, "rules": [_user_rule(rule, file, fleet) for rule in group["rules"]]}
                for group in prometheus_groups(file)
            ]
        }
        for file in fleet.alerts.rule_files
    }


def _user_rule(rule: Mapping[str, Any], file: RuleFile, fleet: Fleet) -> Rule:
    """
    A rule for the clusters that it is for; an alert without a team is of the stack's.

    Where there is one cluster only, whatever a rule answers is of that one.
    """
    team = {"team": fleet.alerts.team} if "alert" in rule else {}
    if fleet.only_cluster:
        return {**rule, "labels": {"cluster": fleet.only_cluster, **team, **rule.get("labels", {})}}
    made = {**rule, "labels": {**team, **rule.get("labels", {})}} if team else {**rule}
    # The line break ends a comment.
    return _narrowed({**made, "expr": f"{made['expr'].rstrip()}\n"}, "and", file.clusters) if file.clusters else made


def _inventory(fleet: Fleet) -> list[Rule]:
    """Recording rules with facts about the fleet, to join with, and alerts of its maintenance windows."""
    return [
        *(_expected(fleet, cluster) for cluster in fleet.expected),
        *(_application(fleet, name) for name in fleet.applications),
        *(_outage(fleet, cluster) for cluster in fleet.local_agents),
        *(_shard(cluster, number) for cluster, shards in _sharded(fleet).items() for number in range(shards)),
        *(_maintenance(window, fleet) for window in fleet.alerts.maintenance),
        *(
            {"record": WATCHED, "expr": "vector(1)", "labels": {"cluster": cluster}}
            for cluster in (sorted(fleet.watcher.clusters) if fleet.watcher else ())
        ),
        *([_watchdog(fleet, fleet.evaluator)] if fleet.evaluator else []),
    ]


def _expected(fleet: Fleet, cluster: str) -> Rule:
    elsewhere = fleet.hub.agents if fleet.hub else {}
    known = fleet.clusters.get(cluster) or elsewhere.get(cluster)
    labels = dict(known.labels) if known else {}
    return {"record": EXPECTED, "expr": "vector(1)", "labels": {"cluster": cluster, **labels}}


def _application(fleet: Fleet, name: str) -> Rule:
    one = fleet.applications[name]
    labels = {"cluster": one.cluster, "job": one.job or name, "namespace": one.namespace}
    return {"record": APPLICATION, "expr": "vector(1)", "labels": labels}


def _outage(fleet: Fleet, cluster: str) -> Rule:
    length = seconds(fleet.agents[cluster].outage)
    return {"record": OUTAGE, "expr": f"vector({length})", "labels": {"cluster": cluster}}


def _sharded(fleet: Fleet) -> dict[str, int]:
    """Cluster -> shards of its agent, where there are several."""
    return {cluster: shards for cluster, shards in sorted(fleet.partial.shards.items()) if shards > 1}


def _shard(cluster: str, number: int) -> Rule:
    return {"record": SHARD, "expr": "vector(1)", "labels": {"cluster": cluster, "instance": shard_name(number)}}


def _maintenance(window: Maintenance, fleet: Fleet) -> Rule:
    """An alert that fires during the window, and inhibits the cluster's other alerts in Alertmanager."""
    start, until = (datetime.fromisoformat(moment).timestamp() for moment in (window.start, window.until))
    return {
        "alert": MAINTENANCE,
        "expr": f'{EXPECTED}{{cluster="{window.cluster}"}} and on () (vector(time()) >= {start:.0f} < {until:.0f})',
        "labels": {
            "cluster": window.cluster,
            "until": window.until,  # distinguishes the windows of one cluster
            "severity": "none",
            "team": fleet.alerts.team,
        },
        "annotations": {
            "summary": f"{window.cluster} is in maintenance until {window.until}.",
            "description": f"{window.reason} Its alerts notify nobody.",
            "runbook_url": _runbook(fleet, "fleet", MAINTENANCE),
        },
    }


def _watchdog(fleet: Fleet, cluster: str) -> Rule:
    """An alert that always fires, for the heartbeat (dead man's switch)."""
    return {
        "alert": WATCHDOG,
        "expr": "vector(1)",
        "labels": {"cluster": cluster, "severity": "none", "team": fleet.alerts.team},
        "annotations": {
            "summary": f"Prometheus in {cluster} evaluates its rules and reaches Alertmanager.",
            "description": "This alert always fires. If its notifications stop, alerting is broken.",
            "runbook_url": _runbook(fleet, "fleet", WATCHDOG),
        },
    }


def _general(group: Group, fleet: Fleet, absent: Mapping[str, frozenset[str]]) -> list[Rule]:
    """
    The group's recording rules, and its alerts for every cluster without overrides of them.

    `absent` are the jobs that each expected cluster can't have.
    """
    records: list[Rule] = [{"record": record.name, "expr": record.expr} for record in group.records]
    if group is THANOS_REPLICAS and fleet.server and fleet.thanos:
        labels = {"cluster": fleet.server.cluster}
        records.append({"record": REPLICAS, "expr": f"vector({fleet.server.replicas})", "labels": labels})
    without = _undeployed(fleet)
    alerts = (_for_the_fleet(alert, group, fleet, absent) for alert in group.alerts if not without & {*alert.jobs})
    return [*records, *filter(None, alerts)]


def _for_the_fleet(alert: Alert, group: Group, fleet: Fleet, absent: Mapping[str, frozenset[str]]) -> Rule | None:
    tuning = fleet.alerts.rules.get(tuning_key(alert))
    excepted = [name for name, jobs in absent.items() if _is_tuned(alert, fleet, name) or jobs & {*alert.jobs}]
    if (tuning and not tuning.enabled) or (absent and excepted == [*absent]):
        return None
    rule = _rule(alert, group, fleet, [tuning])
    # Clusters that did not ask for a job have no series of it, and would be most of the names in the query.
    optional = ON_REQUEST & {*alert.jobs}
    named = [name for name in excepted if _is_tuned(alert, fleet, name) or not unreachable(fleet, name) & optional]
    return _narrowed(rule, "unless", named) if named else rule


def _undeployed(fleet: Fleet) -> frozenset[str]:
    """Jobs of what this stack does not have."""
    return undeployed(fleet) | frozenset(() if verifies_tokens(fleet.partial) else (ENVOY,))


def _is_tuned(alert: Alert, fleet: Fleet, cluster: str) -> bool:
    return tuning_key(alert) in fleet.alerts.clusters.get(cluster, {})


def _own(fleet: Fleet, cluster: str, groups: Iterable[Group]) -> list[Rule]:
    """The alerts of these groups with overrides for one cluster, for that cluster only."""
    tunings = fleet.alerts.clusters[cluster]
    absent = unreachable(fleet, cluster) | _undeployed(fleet)
    return [
        _narrowed(_rule(alert, group, fleet, [tunings[key], fleet.alerts.rules.get(key)]), "and", [cluster])
        for group in groups
        for alert in group.alerts
        if (key := tuning_key(alert)) in tunings and tunings[key].enabled and not absent & {*alert.jobs}
    ]


def _narrowed(rule: Rule, operator: str, clusters: Iterable[str]) -> Rule:
    chosen = "\nor ".join(f'label_replace(vector(1), "cluster", "{name}", "", "")' for name in clusters)
    return {**rule, "expr": f"({rule['expr']})\n{operator} on (cluster) ({chosen})"}


def _rule(alert: Alert, group: Group, fleet: Fleet, tunings: Iterable[Tuning | None]) -> Rule:
    """An alert with the first override that sets a field, else the catalogue's value."""
    applied = [tuning for tuning in tunings if tuning]
    threshold = next(
        (t.threshold for t in applied if t.threshold is not None), alert.threshold and alert.threshold.value
    )
    severity = next((t.severity for t in applied if t.severity), alert.severity)

    def text(template: str) -> str:
        return template if threshold is None else template.replace("$threshold", f"{threshold:.15g}")

    return {
        "alert": alert.name,
        "expr": text(alert.expr),
        "for": next((t.for_ for t in applied if t.for_), alert.for_),
        "labels": {
            **alert.labels,
            "severity": severity,
            "team": next((t.team for t in applied if t.team), fleet.alerts.team),
        },
        "annotations": {
            "summary": text(alert.summary),
            "description": text(alert.description),
            "runbook_url": _runbook(fleet, group.name, alert.name),
        },
    }


def _runbook(fleet: Fleet, page: str, alert: str) -> str:
    return f"{fleet.alerts.runbooks or RUNBOOKS}/{page}.md#{alert.lower()}"
