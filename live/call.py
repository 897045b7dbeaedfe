"""Requests about one object of a cluster, or all of them, of any kind."""

from http import HTTPStatus
from typing import Any, NamedTuple

from settings import Cluster

from .client import client_options

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""What makes an API server leave out all but the metadata of a list's objects."""


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


async def list_all(cluster: Cluster, resource: Resource, *, whole: bool = False) -> list[Any]:
    """Return every object of a kind in a cluster, none where there is no such kind; only metadata unless `whole`."""
    import kr8s.asyncio  # noqa: PLC0415 — as above

    api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))
    headers = {} if whole else {"Accept": METADATA_ONLY}
    async with api.call_api(
        "GET", version=resource.version, url=resource.plural, raise_for_status=False, headers=headers
    ) as response:
        if response.status_code == HTTPStatus.NOT_FOUND:
            return []
        response.raise_for_status()
        return response.json()["items"]
