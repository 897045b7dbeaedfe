"""Issuers of tokens that a stack file does not name: each preview and update asks the clusters."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pulumi

from live import reason
from live.issuer import issuer_of
from settings import Fleet, FleetError
from settings.issuer import Issuer
from settings.validation.issuers import (
    issuers_are_distinct,
    keys_are_comparable,
    tokens_are_verified,
    unknown_issuers,
)

from .providers import require_contexts


def with_issuers(fleet: Fleet) -> Fleet:
    """
    Return the fleet with the issuer of every cluster of this stack whose tokens its hub verifies, and say what it is.

    Raises `pulumi.RunError` where a cluster does not tell, or where two have a key in common.
    """
    names = unknown_issuers(fleet.partial)
    if not names:
        return fleet
    require_contexts(fleet.clusters)
    with ThreadPoolExecutor(1) as pool:  # Pulumi's event loop runs in this thread
        found = pool.submit(lambda: asyncio.run(_ask_all(fleet, names))).result()
    clusters = {name: fleet.clusters[name].model_copy(update={"issuer": issuer}) for name, issuer in found.items()}
    known = fleet.model_copy(update={"clusters": {**fleet.clusters, **clusters}})
    if problems := [*issuers_are_distinct(known.partial), *keys_are_comparable(known.partial)]:
        raise pulumi.RunError(FleetError(f"the clusters of stack {pulumi.get_stack()}", problems).report())
    pulumi.log.info(f"Issuers of tokens that were found: {', '.join(map(_told, found.items()))}")
    return known


def require_issuers(fleet: Fleet) -> None:
    """Raise `pulumi.RunError` where tokens are to be verified whose issuer is not known."""
    for problem in tokens_are_verified(fleet.partial):
        raise pulumi.RunError(str(problem))


async def _ask_all(fleet: Fleet, names: Sequence[str]) -> Mapping[str, Issuer]:
    answers = await asyncio.gather(*(_ask(fleet, name) for name in names), return_exceptions=True)
    found = {name: answer for name, answer in zip(names, answers, strict=True) if isinstance(answer, Issuer)}
    if failures := [str(answer) for answer in answers if isinstance(answer, BaseException)]:
        raise pulumi.RunError("\n".join(failures))
    return found


async def _ask(fleet: Fleet, name: str) -> Issuer:
    cluster = fleet.clusters[name]
    # Envoy uses no HTTP proxy: where there is one, it has the keys in its configuration.
    by_url = not (fleet.hub and fleet.has_proxy(fleet.hub.cluster))
    try:
        return await issuer_of(cluster.context, cluster.kubeconfig, by_url=by_url)
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        fallback = f", or agents.{name}.token: true" if name in fleet.agents else ""
        instead = f"write clusters.{name}.issuer, which `fleet issuer --context {cluster.context}` prints{fallback}"
        raise pulumi.RunError(
            f"clusters.{name}: its API server did not say who signs the tokens of its pods: {reason(error)}. "
            f"Run this again when it does, or {instead}."
        ) from error


def _told(found: tuple[str, Issuer]) -> str:
    name, issuer = found
    return f"{name} {issuer.url} (keys at {issuer.jwks_uri})" if issuer.jwks_uri else f"{name} {issuer.url}"
