"""What the clusters of a stack say of their pods and volumes; the hub knows of samples, and may be what is missing."""

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from live import AwayError, Object, look, troubles
from settings import Cluster, FleetError, from_file


class Place(NamedTuple):
    """Where a stack has something."""

    cluster: Cluster
    namespaces: tuple[str, ...]


def places(stack: str) -> dict[str, Place]:
    """
    Find the clusters of a stack in its file, which is there before the first update; none where it lies elsewhere.

    What is wrong with the file is `fleet check`'s to say.
    """
    try:
        fleet = from_file(Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml"))
    except FleetError:
        return {}
    namespaces = (fleet.namespace, fleet.node_exporter_namespace)
    return {name: Place(cluster, namespaces) for name, cluster in fleet.clusters.items()}


def sentences(found: Mapping[str, Place], healthy: Collection[str]) -> list[str]:
    """Say what is wrong in each cluster; one that can't be asked is named unless its hub calls it healthy."""

    async def ask() -> list[list[Object] | AwayError]:
        return await asyncio.gather(*(_ask(place) for place in found.values()))

    said = []
    for name, answer in zip(found, asyncio.run(ask()), strict=True):
        if not isinstance(answer, AwayError):
            said += [f"{name}: {trouble}" for trouble in troubles(answer)]
        elif name not in healthy:
            said.append(f"{name}: can't be asked by context {found[name].cluster.context}: {answer}")
    return said


async def _ask(place: Place) -> list[Object] | AwayError:
    try:
        return await look(place.cluster, place.namespaces)
    except AwayError as error:
        return error
