"""The rules between sections: each looks at what could be read and names what breaks it."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from ..errors import Problem
from ..loading.kubeconfig import files_of
from ..types import duration, seconds
from .alerting import named_clusters_report, routed_teams_have_alerts, what_stands_beside_a_hub_has_one
from .capacity import retention_fits
from .exposure import (
    hosts_are_distinct,
    ingresses_have_a_class,
    node_ports_are_distinct,
    node_ports_are_written,
    proxies_know_hosts_by_name,
)
from .partial import Draft
from .replication import (
    agents_write_once,
    limited_clusters_write,
    pods_have_identities,
    pools_have_a_bucket,
    releases_know_delayed_compaction,
    replicas_are_folded,
    rulers_bucket_is_made,
)
from .trust import authorities_sign_hosts, proxies_verify_the_hub

Rule = Callable[[Draft], Iterable[Problem]]

_INTERVALS_PER_OUTAGE = 10


def broken_rules(draft: Draft) -> Iterator[Problem]:
    """Every problem that a rule finds."""
    for rule in RULES:
        yield from rule(draft)


def something_runs(draft: Draft) -> Iterator[Problem]:
    """A stack has a hub or agents."""
    if not draft.has_hub and not draft.has_agents:
        yield Problem((), "has neither a hub nor agents", "Write a section hub, a section agents, or both.")


def hub_has_a_cluster(draft: Draft) -> Iterator[Problem]:
    """The hub's cluster is one of the clusters."""
    if draft.clusters and draft.hub_cluster is not None and draft.hub_cluster not in draft.clusters:
        yield Problem(("hub", "cluster"), "is not in clusters", _nearest(draft, draft.hub_cluster), draft.hub_cluster)


def agents_have_clusters(draft: Draft) -> Iterator[Problem]:
    """Every agent's cluster is one of the clusters."""
    for name in draft.agents if draft.clusters else ():
        if name not in draft.clusters:
            yield Problem(("agents", name), "names a cluster that is not in clusters", _nearest(draft, name))


def hub_watches_its_cluster(draft: Draft) -> Iterator[Problem]:
    """No agent stands in the hub's own cluster."""
    if draft.hub_cluster is not None and draft.hub_cluster in draft.agents:
        instead = "Remove it: the hub scrapes its own cluster itself."
        yield Problem(("agents", draft.hub_cluster), "is an agent in the hub's own cluster", instead)


def agents_have_a_hub(draft: Draft) -> Iterator[Problem]:
    """An agent writes to this stack's hub or names another; never one where the other is meant."""
    for name, agent in draft.agents.items():
        if agent and not agent.hub and not draft.has_hub:
            instead = "Write hub: {stack: organization/promfleet/hub}, or add a section hub to this stack."
            yield Problem(("agents", name), "has nowhere to write: this stack has no hub", instead)
        if agent and agent.hub and agent.hub.stack and draft.has_hub:
            instead = "Remove it to write to this stack's hub, or move the agent to a stack without one."
            yield Problem(
                ("agents", name, "hub", "stack"), "is a second hub beside this stack's", instead, agent.hub.stack
            )


def clusters_are_used(draft: Draft) -> Iterator[Problem]:
    """Every cluster runs the hub or an agent."""
    hub_is_unreadable = draft.has_hub and draft.hub_cluster is None
    if hub_is_unreadable or not (draft.has_hub or draft.has_agents):
        return
    for name in draft.clusters:
        if name != draft.hub_cluster and name not in draft.agents:
            instead = f"Add {name}: {{}} to agents, or remove the cluster."
            yield Problem(("clusters", name), "is used by neither the hub nor an agent", instead)


def clusters_are_distinct(draft: Draft) -> Iterator[Problem]:
    """Two names never lead to one cluster; whether two contexts do is seen once there are kubeconfigs."""
    seen: dict[tuple[str, tuple[Path, ...]], str] = {}
    for name, cluster in draft.clusters.items():
        if not cluster:
            continue
        first = seen.setdefault((cluster.context, files_of(cluster)), name)
        if first != name:
            instead = "Give each cluster its own context, or remove one of the two."
            yield Problem(("clusters", name, "context"), f"is the context of {first} too", instead, cluster.context)


def writers_are_known_once(draft: Draft) -> Iterator[Problem]:
    """The hub's section says of an agent elsewhere what this stack says of its own clusters."""
    for name, writer in draft.hub.agents.items() if draft.hub else ():
        agent = draft.agents.get(name)
        if agent and agent.hub and agent.hub.url:
            instead = f"Remove it here, or agents.{name}.hub."
            yield Problem(("hub", "agents", name), "writes to another system", instead)
            continue
        known = {"series": writer.series, "labels": writer.labels}
        for key in known if name in draft.clusters else ():
            if key in writer.model_fields_set:
                rule = f"has no effect: {name} is a cluster of this stack"
                instead = f"Write it at clusters.{name}.{key}."
                yield Problem(("hub", "agents", name, key), rule, instead, known[key])


def labels_are_joined(draft: Draft) -> Iterator[Problem]:
    """Labels of a cluster are told by the hub that its samples go to."""
    for name, cluster in draft.clusters.items():
        agent = draft.agents.get(name)
        if not cluster or not cluster.labels:
            continue
        if agent and agent.hub and agent.hub.url:
            rule = "has no effect: its agent writes to another system"
            yield Problem(("clusters", name, "labels"), rule, "Remove it.")
        elif not draft.has_hub:
            instead = f"Write them in the stack of the hub, at hub.agents.{name}.labels."
            yield Problem(("clusters", name, "labels"), "has no effect: this stack has no hub", instead)


def outages_span_intervals(draft: Draft) -> Iterator[Problem]:
    """An outage is long compared with the time between two scrapes."""
    if not draft.scrape:
        return
    least = _INTERVALS_PER_OUTAGE * seconds(draft.scrape.interval)
    for name, agent in draft.agents.items():
        if agent and seconds(agent.outage) < least:
            rule = f"is shorter than {_INTERVALS_PER_OUTAGE} scrapes at an interval of {draft.scrape.interval}"
            yield Problem(("agents", name, "outage"), rule, f"Write {duration(least)} or more.", agent.outage)


RULES: tuple[Rule, ...] = (
    something_runs,
    hub_has_a_cluster,
    agents_have_clusters,
    hub_watches_its_cluster,
    agents_have_a_hub,
    clusters_are_used,
    clusters_are_distinct,
    writers_are_known_once,
    labels_are_joined,
    outages_span_intervals,
    retention_fits,
    what_stands_beside_a_hub_has_one,
    named_clusters_report,
    routed_teams_have_alerts,
    hosts_are_distinct,
    proxies_know_hosts_by_name,
    ingresses_have_a_class,
    authorities_sign_hosts,
    proxies_verify_the_hub,
    node_ports_are_written,
    node_ports_are_distinct,
    replicas_are_folded,
    agents_write_once,
    limited_clusters_write,
    rulers_bucket_is_made,
    pods_have_identities,
    pools_have_a_bucket,
    releases_know_delayed_compaction,
)


def _nearest(draft: Draft, name: str) -> str:
    near = get_close_matches(name, draft.clusters, n=1)
    return f'Did you mean "{near[0]}"?' if near else f"Add {name}: {{context: …}} to clusters."
