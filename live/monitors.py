"""Finds custom resources of the Prometheus Operator in a cluster that no Prometheus and no Alertmanager reads."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from settings import Cluster
from settings.operator import GROUP

from .call import Resource, list_all
from .client import LIMIT

READ = {
    "serviceMonitor": Resource(f"{GROUP}/v1", "servicemonitors"),
    "podMonitor": Resource(f"{GROUP}/v1", "podmonitors"),
    "probe": Resource(f"{GROUP}/v1", "probes"),
    "scrapeConfig": Resource(f"{GROUP}/v1alpha1", "scrapeconfigs"),
    "rule": Resource(f"{GROUP}/v1", "prometheusrules"),
    "alertmanagerConfig": Resource(f"{GROUP}/v1alpha1", "alertmanagerconfigs"),
}
"""What a reader's selectors are named by -> what they choose."""
KINDS = {
    "serviceMonitor": "ServiceMonitors",
    "podMonitor": "PodMonitors",
    "probe": "Probes",
    "scrapeConfig": "ScrapeConfigs",
    "rule": "PrometheusRules",
    "alertmanagerConfig": "AlertmanagerConfigs",
}
_READERS = (
    Resource(f"{GROUP}/v1", "prometheuses"),
    Resource(f"{GROUP}/v1alpha1", "prometheusagents"),
    Resource(f"{GROUP}/v1", "thanosrulers"),
    Resource(f"{GROUP}/v1", "alertmanagers"),
)
_NAMESPACES = Resource("v1", "namespaces")


class Reader(NamedTuple):
    """A Prometheus, an agent, a ThanosRuler or an Alertmanager that an operator runs."""

    namespace: str
    spec: Mapping[str, Any]
    """With `<kind>Selector` and `<kind>NamespaceSelector` of what it reads."""


async def unread(cluster: Cluster, planned: Sequence[Reader], mine: str) -> dict[str, list[str]]:
    """
    Return what nobody reads in a cluster: kind, a key of `READ` -> `<namespace>/<name>`, sorted.

    Readers are those of the cluster without the annotation `mine`, and the `planned` ones in the place of these. Raises
    `TimeoutError` or an error of kr8s or httpx where the cluster does not answer.
    """
    async with asyncio.timeout(LIMIT):
        found = {kind: objects for kind, one in READ.items() if (objects := await list_all(cluster, one))}
        if not found:
            return {}
        existing = [one for kind in _READERS for one in await list_all(cluster, kind, whole=True)]
        namespaces = await list_all(cluster, _NAMESPACES)
    others = [
        Reader(one["metadata"]["namespace"], one["spec"])
        for one in existing
        if mine not in one["metadata"].get("annotations", {})
    ]
    labels = {one["metadata"]["name"]: one["metadata"].get("labels", {}) for one in namespaces}
    left = {kind: unselected(kind, objects, [*planned, *others], labels) for kind, objects in found.items()}
    return {kind: names for kind, names in left.items() if names}


def unselected(
    kind: str, objects: Iterable[Mapping[str, Any]], readers: Iterable[Reader], namespaces: Mapping[str, Any]
) -> list[str]:
    """Name the objects of a kind that no reader selects; `namespaces` has the labels of each."""
    readers = list(readers)
    return sorted(
        f"{metadata['namespace']}/{metadata['name']}"
        for metadata in (one["metadata"] for one in objects)
        if not any(_is_read(kind, metadata, reader, namespaces) for reader in readers)
    )


def _is_read(kind: str, metadata: Mapping[str, Any], reader: Reader, namespaces: Mapping[str, Any]) -> bool:
    """
    Whether a reader selects an object; without a selector it takes none, and looks in its own namespace only.

    An Alertmanager takes one AlertmanagerConfig of its own namespace by name, as its global configuration.
    """
    whole = (reader.namespace, reader.spec.get("alertmanagerConfiguration", {}).get("name"))
    if kind == "alertmanagerConfig" and whole == (metadata["namespace"], metadata["name"]):
        return True
    objects, within = reader.spec.get(f"{kind}Selector"), reader.spec.get(f"{kind}NamespaceSelector")
    if objects is None or not matches(objects, metadata.get("labels", {})):
        return False
    namespace = metadata["namespace"]
    return namespace == reader.namespace if within is None else matches(within, namespaces.get(namespace, {}))


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector of Kubernetes chooses what has these labels; an empty one chooses everything."""
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions", [])
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
