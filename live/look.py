"""Asks a cluster for what runs in some of its namespaces, and for its events."""

import asyncio
from collections.abc import Collection

from settings import Cluster

from .client import client_options
from .troubles import Object

LIMIT = 15
"""Seconds; whoever asks has waited already."""


class AwayError(Exception):
    """A cluster that can't be asked; says why."""


async def look(cluster: Cluster, namespaces: Collection[str]) -> list[Object]:
    """Give what can fail to come up, and the events that say why; AwayError where the cluster does not show them."""
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and is needed where something is wrong
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
    except TimeoutError as error:
        raise AwayError(f"no answer within {LIMIT} s") from error
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        raise AwayError(" ".join(str(error).split()) or type(error).__name__) from error
