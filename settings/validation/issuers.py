"""Rules on issuers of tokens: that each belongs to one cluster, and that every client can be verified."""

from collections.abc import Collection, Iterator, Mapping

from ..cluster import Cluster
from ..errors import Path, Problem
from ..issuer import Issuer
from .partial import PartialFleet


def issuers_are_distinct(partial: PartialFleet) -> Iterator[Problem]:
    """No key is that of two clusters, of which either could write as the other."""
    seen: dict[str, str] = {}
    for path, name, issuer in _issuers(partial):
        [first, *_] = [*(seen[mark] for mark in sorted(issuer.marks) if mark in seen), ""]
        if first and first != name:
            rule = f"has keys of {first}: each of the two could write as the other"
            yield Problem(path, rule, "Give each cluster keys of its own, or let one of them write with a token.")
        seen |= dict.fromkeys(issuer.marks, name)


def keys_are_comparable(partial: PartialFleet) -> Iterator[Problem]:
    """Clusters with the same `url` have their keys written: at a URL, one could publish those of another."""
    alike: dict[str, list[tuple[str, Issuer]]] = {}
    for path, name, issuer in _issuers(partial):
        others = alike.setdefault(issuer.url, [])
        hidden = [other for other, its in others if issuer.jwks_uri != its.jwks_uri]
        if hidden:
            rule = f"is that of {hidden[0]} too, and keys at a jwksUri can't be compared with its keys"
            yield Problem((*path, "url"), rule, "Write jwks in both.", issuer.url)
        others.append((name, issuer))


def issuers_are_used(partial: PartialFleet) -> Iterator[Problem]:
    """An issuer is in the stack of the hub that its cluster writes to."""
    if not partial.clusters or (partial.has_hub and not partial.hub):
        return
    for name, cluster in partial.clusters.items():
        path = ("clusters", name, "issuer")
        agent = partial.agents.get(name)
        if not cluster or not cluster.issuer:
            continue
        if cluster.issuer.namespace:
            rule = "is not for a cluster of this stack: its agent is in the namespace of the stack"
            yield Problem((*path, "namespace"), rule, "Remove it.", cluster.issuer.namespace)
        if agent and agent.token and name != partial.server_cluster:
            yield Problem(path, f"has no effect: agents.{name}.token is true", "Remove one of the two.")
        elif agent and agent.hub and agent.hub.is_foreign:
            yield Problem(path, "has no effect: its agent writes to another system", "Remove it.")
        elif not partial.has_hub:
            instead = f"Write it in the stack of the hub, in hub.agents.{name}.issuer."
            yield Problem(path, "has no effect: this stack has no hub", instead)
        elif not partial.writers and None not in partial.agents.values():
            yield Problem(path, "has no effect: no agent writes to this hub", "Remove it, or add agents.")


def tokens_are_verified(partial: PartialFleet) -> Iterator[Problem]:
    """
    Where one agent has an issuer, so has the hub's own cluster if tokens of it are shown: Envoy asks no API server.

    No rule of a stack file: `pulumi up` finds the issuer if it is left out.
    """
    known = partial.clusters[partial.hub.cluster] if partial.hub else None
    if not partial.hub or not known or known.issuer or not verifies_tokens(partial):
        return
    if shown := _shown(partial):
        rule = f"is missing: tokens of this cluster are shown by {', '.join(shown)}"
        instead = f"Write what `fleet issuer --context {known.context}` prints."
        yield Problem(("clusters", partial.hub.cluster, "issuer"), rule, instead)


def unknown_issuers(partial: PartialFleet) -> list[str]:
    """Return the clusters of this stack whose issuer the hub needs and the stack file does not have."""
    if not partial.hub:
        return []
    agents = {name for name, agent in partial.agents.items() if agent and not agent.token}
    names = {name for name in partial.local_agents if name in agents and not issuer_of(partial, name)}
    known = partial.clusters[partial.hub.cluster]
    if known and not known.issuer and (names or verifies_tokens(partial)) and _shown(partial, names):
        names.add(partial.hub.cluster)
    return sorted(names)


def _shown(partial: PartialFleet, found: Collection[str] = ()) -> list[str]:
    """Name who shows the hub tokens of the hub's own cluster, when the issuers of these clusters have been found."""
    told = partial.hub.agents if partial.hub else {}
    both = {name for name, writer in told.items() if writer.token}
    shown = sorted(name for name in partial.writers if has_token(partial, name) and (name in both or name not in found))
    ruler = partial.thanos.ruler if partial.thanos else None
    return [*shown, "the Ruler"] if ruler and ruler.results == "receive" else shown


def tokens_are_needed(partial: PartialFleet) -> Iterator[Problem]:
    """A token beside an issuer is one that the agent has; without an issuer it is there anyway."""
    for name, agent in partial.agents.items():
        if agent and agent.token and not (agent.hub and agent.hub.stack) and not partial.has_hub:
            yield Problem(("agents", name, "token"), "has no effect: the agent writes to no hub", "Remove it.")
    for name, writer in partial.hub.agents.items() if partial.hub else ():
        path = ("hub", "agents", name)
        local = partial.agents.get(name) if name in partial.local_agents else None
        if writer.token and (local.token if local else not writer.issuer):
            yield Problem((*path, "token"), "has no effect: without an issuer the agent has one", "Remove it.")
        if writer.rotation and not writer.token and (writer.issuer or (local and not local.token)):
            rule = "has no effect: the agent writes with tokens of its own cluster, which expire within an hour"
            instead = f"Remove it, or write agents.{name}.token: true." if local else "Remove it."
            yield Problem((*path, "rotation"), rule, instead, writer.rotation)


def verifies_tokens(partial: PartialFleet) -> bool:
    """Whether Envoy is in front of remote write: an issuer of tokens is known."""
    names = {partial.hub.cluster, *partial.writers} if partial.hub else ()
    return any(issuer_of(partial, name) for name in names)


def issuer_of(partial: PartialFleet, name: str) -> Issuer | None:
    """Return the issuer of one of the hub's writers."""
    cluster, agent = partial.clusters.get(name), partial.agents.get(name)
    if agent and agent.token:
        return None
    if cluster:
        return cluster.issuer
    writer = partial.hub.agents.get(name) if partial.hub else None
    return writer.issuer if writer else None


def has_token(partial: PartialFleet, name: str) -> bool:
    """Whether one of the hub's writers has a token that does not expire."""
    writer = partial.hub.agents.get(name) if partial.hub else None
    return bool(writer and writer.token) or issuer_of(partial, name) is None


def _issuers(partial: PartialFleet) -> Iterator[tuple[Path, str, Issuer]]:
    clusters: Mapping[str, Cluster | None] = partial.clusters
    for name, cluster in clusters.items():
        if cluster and cluster.issuer:
            yield ("clusters", name, "issuer"), name, cluster.issuer
    for name, writer in partial.hub.agents.items() if partial.hub else ():
        if writer.issuer and name not in clusters:
            yield ("hub", "agents", name, "issuer"), name, writer.issuer
