"""Checks of a cluster before its Prometheus Operator gets custom resources, and the end of the Prometheus before it."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pulumi

from live import Resource, call
from settings import Cluster, Server
from settings.agent import AGENTS
from settings.operator import GROUP, RELEASE
from settings.validation.partial import SECTIONS

DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
GRACE = 330
"""Seconds that a pod may take to end: the longest termination grace period, and what the API server takes."""
OF_OPERATORS = {
    f"kubernetes:{GROUP}/v1:Prometheus": Resource(f"{GROUP}/v1", "prometheuses"),
    f"kubernetes:{GROUP}/v1alpha1:PrometheusAgent": Resource(f"{GROUP}/v1alpha1", "prometheusagents"),
}
"""Types that the Prometheus Operator makes pods of."""
_PLAIN = Resource("apps/v1", "statefulsets")
_SERVER, _AGENT = OF_OPERATORS.values()
_SERVERS = [section for section in SECTIONS.values() if issubclass(section, Server)]
_OTHERS = {**dict.fromkeys(AGENTS, _AGENT), **{f"prometheus-{server.section}": _SERVER for server in _SERVERS}}
"""Name of a StatefulSet -> what an operator would run instead of it."""
_DEFINITIONS = Resource("apiextensions.k8s.io/v1", "customresourcedefinitions")
_UNKNOWN = "of an unknown release"


async def refuse_definition(name: str, annotation: str, cluster: Cluster, args: pulumi.ResourceHookArgs) -> None:
    """
    Check a cluster before a custom resource definition is created in it.

    Raises `pulumi.RunError` where it is there without the annotation of this program: another operator uses it.
    """
    wanted = (args.new_inputs or {})["metadata"]["name"]
    live = await call(cluster, "GET", _DEFINITIONS, wanted)
    if live is not None and annotation not in live["metadata"].get("annotations", {}):
        raise pulumi.RunError(
            f"clusters.{name}.operator.install: this cluster has {wanted} already, {_release(live)}, and this program "
            "did not install it. Write operator: {} to use the operator that it belongs to."
        )


async def refuse_lacking_operator(name: str, cluster: Cluster, args: pulumi.ResourceHookArgs) -> None:
    """
    Check that the operator of a cluster knows what this program writes: the API server would drop the rest silently.

    Raises `pulumi.RunError` where there is none, or with the fields that it does not know.
    """
    resource = OF_OPERATORS[args.type]
    live = await call(cluster, "GET", _DEFINITIONS, f"{resource.plural}.{GROUP}")
    if live is None:
        raise pulumi.RunError(
            f"clusters.{name}.operator: this cluster has no Prometheus Operator, since nothing defines "
            f"{resource.plural}. Write operator: {{install: true}}."
        )
    served = {f"{GROUP}/{one['name']}": one["schema"] for one in live["spec"]["versions"]}
    schema = served.get(resource.version, {}).get("openAPIV3Schema", {"properties": {}})["properties"].get("spec", {})
    if lacking := sorted(set(unknown_fields(schema, (args.new_inputs or {})["spec"], "spec"))):
        raise pulumi.RunError(
            f"clusters.{name}.operator: the operator of this cluster, {_release(live)}, does not know "
            f"{', '.join(lacking)} of {resource.plural}. Upgrade it to {RELEASE} or later."
        )


def unknown_fields(schema: Any, value: Any, path: str) -> Iterator[str]:
    """Name the fields of a value, by their path, that a structural schema does not have."""
    if isinstance(value, list):
        for item in value:
            yield from unknown_fields(schema.get("items", {}), item, f"{path}[]")
    elif isinstance(value, dict) and "properties" in schema:
        for key, one in value.items():
            if key in schema["properties"]:
                yield from unknown_fields(schema["properties"][key], one, f"{path}.{key}")
            else:
                yield f"{path}.{key}"


def _release(definition: Any) -> str:
    known = definition["metadata"].get("annotations", {}).get("operator.prometheus.io/version")
    return f"of release {known}" if known else _UNKNOWN


def predecessor(kind: str, name: str) -> Resource | None:
    """Return what may have run as another kind of object with the same name, if there is such a kind."""
    if kind in OF_OPERATORS:
        return _PLAIN
    return _OTHERS.get(name) if kind == STATEFUL_SET else None


async def stop_predecessor(owner: str, annotation: str, cluster: Cluster, args: pulumi.ResourceHookArgs) -> None:
    """
    Stop the Prometheus that a cluster had before it got an operator, or had of its operator: both use one volume.

    Deletes it and waits until its pod has ended, unless its annotation has another owner. Raises `pulumi.RunError` if
    the pod does not end.
    """
    metadata = (args.new_inputs or {})["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    found = predecessor(args.type, name)
    live = await call(cluster, "GET", found, name, namespace) if found else None
    if found is None or live is None or live["metadata"].get("annotations", {}).get(annotation) != owner:
        return
    pulumi.log.info(f"stopping {found.plural}/{name}, whose volume the next Prometheus uses")
    await call(cluster, "DELETE", found, name, namespace, json={"propagationPolicy": "Foreground"})
    deadline = time.monotonic() + GRACE
    while await call(cluster, "GET", found, name, namespace) is not None:
        if time.monotonic() > deadline:
            raise pulumi.RunError(f"{found.plural}/{name} did not end within {GRACE} s. Look at its pod.")
        await asyncio.sleep(1)
