"""Requests about one object of a cluster, of any kind."""

from http import HTTPStatus
from typing import Any, NamedTuple

from settings import Cluster

from .client import client_options


class Resource(NamedTuple):
    """Where the objects of a kind are in the API."""

    version: str
    """Group and version."""
    plural: str


async def call(
    cluster: Cluster, method: str, resource: Resource, name: str, namespace: str | None = None, **options: Any
) -> Any:
    """Send a request about an object, and return it; None where there is no such object, or no such kind."""
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and is needed before changes only

    api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))
    async with api.call_api(
        method,
        version=resource.version,
        base="/apis",
        namespace=namespace,
        url=f"{resource.plural}/{name}",
        raise_for_status=False,
        **options,
    ) as response:
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        response.raise_for_status()
        return response.json()
