"""Warnings of a preview about monitors, rules and AlertmanagerConfigs that nobody reads."""

from collections.abc import Mapping

import pulumi

from live.monitors import KINDS, Reader, unread
from render.operator import selectors
from settings import Fleet
from settings.errors import some

from .ownership import OWNER


def warn_of_unread_monitors(fleet: Fleet) -> None:
    """
    Have a preview warn of what no Prometheus and no Alertmanager of each cluster reads once the stack is deployed.

    Only a preview asks, with which `pulumi up` begins. It does so in parallel, and no answer fails the update.
    """
    if pulumi.runtime.is_dry_run():
        for cluster in fleet.clusters:
            pulumi.Output.from_input(_warn(fleet, cluster))


async def _warn(fleet: Fleet, name: str) -> None:
    cluster = fleet.clusters[name]
    planned = [Reader(fleet.namespace, selectors(fleet, name))] if cluster.operator else []
    try:
        found = await unread(cluster, planned, OWNER)
    except Exception as error:  # noqa: BLE001 — who may not list them, or has no such cluster yet, needs no warning
        pulumi.log.debug(f"{name}: its monitors can't be listed: {error}")
        return
    for text in warnings(fleet, name, found):
        pulumi.log.warn(text)


def warnings(fleet: Fleet, cluster: str, found: Mapping[str, list[str]]) -> list[str]:
    """Say what nobody reads in a cluster, by its kind, and what would change that."""
    return [
        f"{cluster}: no {_reader(kind)} reads {len(names)} {KINDS[kind]} of this cluster: {some(names)}. "
        f"{_instead(fleet, cluster, kind)}"
        for kind, names in found.items()
    ]


def _reader(kind: str) -> str:
    return "Alertmanager" if kind == "alertmanagerConfig" else "Prometheus"


def _instead(fleet: Fleet, cluster: str, kind: str) -> str:
    if kind == "alertmanagerConfig":
        whose = "" if fleet.server or fleet.watcher else ", in the stack of the hub"
        what = "with the namespaces of each route, or delete them"
        return f"Write them as alertmanager.receivers and alertmanager.routes{whose}, {what}."
    operator = fleet.clusters[cluster].operator
    if operator is None:
        if fleet.watcher and cluster in fleet.watcher.clusters:
            return "A watcher reads none; write their targets into applications or scrape.jobs."
        return f"Write clusters.{cluster}.operator to have them read, or delete them."
    if kind == "rule" and cluster in fleet.agents:
        return "An agent evaluates no rules; move them to the cluster of the hub, which has the series of all."
    return f"clusters.{cluster}.operator.select leaves them out."
