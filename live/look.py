"""Lists the pods, workloads and events in some namespaces of a cluster."""

import asyncio
from collections.abc import Collection

from settings import Cluster

from .client import LIMIT, client_options, reason
from .troubles import Object


class UnreachableError(Exception):
    """A cluster that can't be reached; the message has the reason."""


async def look(cluster: Cluster, namespaces: Collection[str]) -> list[Object]:
    """Return workloads, pods, volumes, Services and events; raises UnreachableError where that fails."""
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and is needed after a failure only
    from kr8s.asyncio import objects  # noqa: PLC0415

    kinds = (
        objects.Pod,
        objects.PersistentVolumeClaim,
        objects.StatefulSet,
        objects.DaemonSet,
        objects.ReplicaSet,
        objects.Service,
        objects.Event,
    )
    try:
        async with asyncio.timeout(LIMIT):
            api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))
            return [
                {"kind": kind.kind, **item}
                for namespace in namespaces
                for kind in kinds
                async for item in api.get(kind, namespace=namespace, raw=True)
            ]
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        raise UnreachableError(reason(error)) from error
