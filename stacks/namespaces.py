"""Namespaces that exist already: they are there, and no update deletes another one in their place."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi

from settings import Fleet

from .ownership import OWNER, Owner, namespaces, owner_of


def require_namespaces(fleet: Fleet) -> None:
    """
    Check with `createNamespace: false` the namespaces of each cluster before anything is read or made.

    The engine would replace a namespace of its state by another one that is only read, whether it is protected or not.
    Raises `pulumi.RunError` where the namespace is not there, or where this stack has made another one.
    """
    if fleet.create_namespace:
        return
    with ThreadPoolExecutor(1) as pool:  # Pulumi's event loop runs in this thread
        found = pool.submit(lambda: asyncio.run(_listed(fleet))).result()
    if problems := [text for name, listed in found.items() for text in unfit(fleet, owner_of(fleet, name), listed)]:
        raise pulumi.RunError("\n".join(problems))


async def _listed(fleet: Fleet) -> dict[str, list[dict[str, Any]]]:
    """Metadata of the namespaces of each cluster that answers; of another one, the provider reports the error."""
    answers = await asyncio.gather(*map(namespaces, fleet.clusters.values()), return_exceptions=True)
    return {name: one for name, one in zip(fleet.clusters, answers, strict=True) if isinstance(one, list)}


def unfit(fleet: Fleet, owner: Owner, listed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say why the namespaces of a cluster are not what `createNamespace: false` needs, given their metadata."""
    place = f"clusters.{owner.cluster}"
    if all(one["name"] != fleet.namespace for one in listed):
        yield f'{place}: there is no namespace "{fleet.namespace}". Create it, or remove createNamespace: false.'
    kept = {fleet.namespace, fleet.node_exporter_namespace}
    for one in listed:
        if one["name"] not in kept and one.get("annotations", {}).get(OWNER) == str(owner):
            name = one["name"]
            yield (
                f'{place}: this stack has made namespace "{name}", and would delete it with its volumes. Write '
                f"namespace: {name} to keep it. If it is not in the state of this stack any more, remove its "
                f"annotation {OWNER}."
            )
