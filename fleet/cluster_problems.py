"""Problems of pods and volumes in the clusters of a stack, which need no Prometheus server to be found."""

import asyncio
from collections.abc import Collection, Mapping
from typing import NamedTuple

from live import Object, UnreachableError, look, troubles
from settings import Cluster, FleetError, from_file

from .stack import stack_file


class Place(NamedTuple):
    """The namespaces of a stack in one cluster."""

    cluster: Cluster
    namespaces: tuple[str, ...]


def places(stack: str) -> dict[str, Place]:
    """
    Return the clusters of a stack by its file, which exists before the first update; none without a valid file.

    Problems of the file are reported by `fleet check`.
    """
    try:
        fleet = from_file(stack_file(stack))
    except FleetError:
        return {}
    namespaces = (fleet.namespace, fleet.node_exporter_namespace)
    return {name: Place(cluster, namespaces) for name, cluster in fleet.clusters.items()}


def cluster_problems(found: Mapping[str, Place], healthy: Collection[str]) -> list[str]:
    """Return a sentence per problem in each cluster, one of which is that it can't be reached, unless it is healthy."""

    async def ask() -> list[list[Object] | UnreachableError]:
        return await asyncio.gather(*(_ask(place) for place in found.values()))

    problems = []
    for name, answer in zip(found, asyncio.run(ask()), strict=True):
        if not isinstance(answer, UnreachableError):
            problems += [f"{name}: {trouble}" for trouble in troubles(answer)]
        elif name not in healthy:
            problems.append(f"{name}: can't be reached with context {found[name].cluster.context}: {answer}")
    return problems


async def _ask(place: Place) -> list[Object] | UnreachableError:
    try:
        return await look(place.cluster, place.namespaces)
    except UnreachableError as error:
        return error
