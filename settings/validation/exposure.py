"""The rules on ways in: what stands beside the hub is reached as the hub is, under names and ports of its own."""

import re
from collections.abc import Iterator, Mapping

from ..errors import Path, Problem, spelt
from ..expose import ROUTED, Way
from ..ingress import OF_PLATFORM
from ..types import ADDRESS
from .partial import Draft


def hosts_are_distinct(draft: Draft) -> Iterator[Problem]:
    """No two ways in have one host."""
    yield from _doubles(hosts(draft), "host", "Give each a name of its own.")


def proxies_know_hosts_by_name(draft: Draft) -> Iterator[Problem]:
    """A proxy routes by names; the hub's own section says so of its own host."""
    if draft.hub and draft.hub.expose.via in ROUTED:
        for name, way in _ways(draft).items():
            if re.fullmatch(ADDRESS, way.host):
                rule = f"is an address, and via: {draft.hub.expose.via} routes by name"
                yield Problem((*name, "expose", "host"), rule, "Write a DNS name.", way.host)


def node_ports_are_written(draft: Draft) -> Iterator[Problem]:
    """With `via: nodePort` each way has its own port, and otherwise none."""
    if not draft.hub:
        return
    via = draft.hub.expose.via
    for name, way in _ways(draft).items():
        path = (*name, "expose", "nodePort")
        if via == "nodePort" and way.node_port is None:
            yield Problem(path, "is missing", "Write a port from 30000 to 32767: hub.expose.via is nodePort.")
        if via != "nodePort" and way.node_port is not None:
            instead = "Remove it, or write hub.expose.via: nodePort."
            yield Problem(path, f"has no effect with hub.expose.via: {via}", instead, way.node_port)


def node_ports_are_distinct(draft: Draft) -> Iterator[Problem]:
    """No two ways in have one port; the hub's own section says so of its two doors."""
    if draft.hub and draft.hub.expose.via == "nodePort":
        ports = draft.hub.expose.node_ports
        doors = {("hub", "expose", "nodePorts", door): port for door, port in ports.model_dump().items()}
        ways = {(*name, "expose", "nodePort"): way.node_port for name, way in _ways(draft).items() if way.node_port}
        yield from _doubles({**doors, **ways}, "port", "Give each a port of its own.")


def hosts(draft: Draft) -> Mapping[Path, str]:
    """Every host of the stack, by where it is written; the hub's first."""
    beside = {(*name, "expose", "host"): way.host for name, way in _ways(draft).items()}
    return {**_hub_hosts(draft), **beside}


def ingresses_have_a_class(draft: Draft) -> Iterator[Problem]:
    """Where a platform brings a controller of its own, an Ingress without a class is that one's."""
    cluster = draft.clusters.get(draft.hub_cluster) if draft.hub_cluster else None
    if not draft.hub or not cluster or draft.hub.expose.via != "ingress" or draft.hub.expose.ingress_class:
        return
    platform = "gke" if cluster.is_of_gke else cluster.platform
    if platform in OF_PLATFORM:
        rule = f"is missing: without it {OF_PLATFORM[platform]} takes the Ingress, and does not speak TLS to the hub"
        instead = "Write the class of ingress-nginx, or via: gateway or loadBalancer."
        yield Problem(("hub", "expose", "ingressClass"), rule, instead)


def _ways(draft: Draft) -> Mapping[Path, Way]:
    beside = {"alertmanager": draft.alertmanager, "grafana": draft.grafana, "pushgateway": draft.pushgateway}
    ways: dict[Path, Way] = {(name,): one.expose for name, one in beside.items() if one and one.expose}
    for name, way in draft.thanos.ways.items() if draft.thanos else ():
        ways[("thanos", name) if name else ("thanos",)] = way
    return ways


def _hub_hosts(draft: Draft) -> Mapping[Path, str]:
    if not draft.hub:
        return {}
    hosts = {"host": draft.hub.expose.host, "readHost": draft.hub.expose.read_host}
    return {("hub", "expose", key): host for key, host in hosts.items() if host}


def _doubles(values: Mapping[Path, object], noun: str, instead: str) -> Iterator[Problem]:
    seen: dict[object, Path] = {}
    for path, value in values.items():
        first = seen.setdefault(value, path)
        if first != path:
            yield Problem(path, f"is the {noun} of {spelt(first)} too", instead, value)
