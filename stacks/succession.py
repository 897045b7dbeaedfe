"""Stops the Prometheus that a cluster had before it got an operator, or had of its operator: both use one volume."""

import asyncio
import time
from http import HTTPStatus
from typing import Any, NamedTuple

import pulumi

from components.agent_prometheus import APP as AGENT
from live import client_options
from settings import Cluster, Hub, Standalone

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
GRACE = 330
"""Seconds that a pod may take to end: the longest termination grace period, and what the API server takes."""


class Resource(NamedTuple):
    """Where objects of a kind are in the API."""

    version: str
    plural: str


PLAIN = Resource("apps/v1", "statefulsets")
OF_OPERATORS = {
    "kubernetes:monitoring.coreos.com/v1:Prometheus": Resource("monitoring.coreos.com/v1", "prometheuses"),
    "kubernetes:monitoring.coreos.com/v1alpha1:PrometheusAgent": Resource(
        "monitoring.coreos.com/v1alpha1", "prometheusagents"
    ),
}
"""Types that the Prometheus Operator makes pods of."""
_SERVER, _AGENT = OF_OPERATORS.values()
_OTHERS = {AGENT: _AGENT, **{f"prometheus-{section.section}": _SERVER for section in (Hub, Standalone)}}
"""Name of a StatefulSet -> what an operator would run instead of it."""


def predecessor(kind: str, name: str) -> Resource | None:
    """Return what may have run as another kind of object with the same name, if there is such a kind."""
    if kind in OF_OPERATORS:
        return PLAIN
    return _OTHERS.get(name) if kind == STATEFUL_SET else None


async def stop_predecessor(owner: str, annotation: str, cluster: Cluster, args: pulumi.ResourceHookArgs) -> None:
    """
    Delete it and wait until its pod has ended, before an object that replaces it is created.

    What does not have this owner in its annotation is left alone. Raises `pulumi.RunError` if the pod does not end.
    """
    metadata = (args.new_inputs or {})["metadata"]
    found = predecessor(args.type, metadata["name"])
    if found is None:
        return
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second

    api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))

    async def call(method: str, **options: Any) -> Any:
        """Return the object, or None where there is none."""
        async with api.call_api(
            method,
            version=found.version,
            base="/apis",
            namespace=metadata["namespace"],
            url=f"{found.plural}/{metadata['name']}",
            raise_for_status=False,
            **options,
        ) as response:
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            response.raise_for_status()
            return response.json()

    live = await call("GET")
    if live is None or live["metadata"].get("annotations", {}).get(annotation) != owner:
        return
    pulumi.log.info(f"stopping {found.plural}/{metadata['name']}, whose volume the next Prometheus uses")
    await call("DELETE", json={"propagationPolicy": "Foreground"})
    deadline = time.monotonic() + GRACE
    while await call("GET") is not None:
        if time.monotonic() > deadline:
            raise pulumi.RunError(f"{found.plural}/{metadata['name']} did not end within {GRACE} s. Look at its pod.")
        await asyncio.sleep(1)
