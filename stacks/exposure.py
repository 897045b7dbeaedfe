"""The ways in from outside, all by the road that the hub's section names, under one certificate."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi

from components import Exposure
from components.exposure import Backend, ExposureArgs
from components.k8s.auth_proxy import Door
from settings import Expose, Fleet, Way, authority, seconds
from settings.expose import ROUTED

from .clusters import Watched


class Port(NamedTuple):
    """A port of a Service that asks who comes by itself."""

    name: str
    port: int


def backend(door: Door | Port, *, path: str | None = None, node_port: int | None = None) -> Backend:
    """A door as what a host, or one path of it, leads to."""
    made: Backend = {"name": door.name, "port": door.port}
    if path:
        made["path"] = path
    if node_port:
        made["node_port"] = node_port
    return made


def hosts(fleet: Fleet) -> list[str]:
    """Every host of the stack, which its one certificate covers; the hub's first."""
    if not fleet.hub:
        return []
    beside = [one.expose for one in (fleet.alertmanager, fleet.grafana, fleet.pushgateway) if one]
    ways = [*beside, *(fleet.thanos.ways.values() if fleet.thanos else ())]
    names = [fleet.hub.expose.host, fleet.hub.expose.read_host, *(way.host for way in ways if way)]
    return [name for name in names if name]


def url(expose: Expose, host: str, port: int) -> str:
    """Where a client finds a port of a host: proxies listen on one for all."""
    return f"https://{authority(host, None if expose.via in ROUTED else port)}"


def expose_way(
    fleet: Fleet, watched: Watched, tls_secret: pulumi.Input[str], way: Way | None, app: str, door: Door | Port
) -> str | None:
    """Lead a way's host to a door of what stands beside the hub, and give its URL; nothing where no way is written."""
    if not fleet.hub or not way:
        return None
    lead(fleet, watched, tls_secret, app, way.host, [backend(door, node_port=way.node_port)])
    return url(fleet.hub.expose, way.host, way.node_port or door.port)


def lead(
    fleet: Fleet,
    watched: Watched,
    tls_secret: pulumi.Input[str],
    app: str,
    host: str,
    backends: Sequence[Backend],
) -> None:
    """Make one host lead to ports of one of our Services; a Service that is inside only needs nothing more."""
    if not fleet.hub or fleet.hub.expose.via == "clusterIP":
        return
    expose = fleet.hub.expose
    args: ExposureArgs = {
        "namespace": watched.namespace,
        "app": app,
        "via": expose.via,
        "host": host,
        "backends": backends,
        "server_name": expose.host,
        "tls_secret": tls_secret,
        "passthrough": expose.passthrough,
        "annotations": dict(expose.annotations),
        "source_ranges": expose.source_ranges,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if expose.tls.ca:
        args["ca"] = expose.tls.ca
    if expose.tls.ca_config_map:
        args["ca_config_map"] = expose.tls.ca_config_map
    if expose.ingress_class:
        args["ingress_class"] = expose.ingress_class
    if expose.gateway:
        gateway = {"name": expose.gateway.name, "namespace": expose.gateway.namespace}
        args["gateway"] = gateway | ({"sectionName": expose.gateway.listener} if expose.gateway.listener else {})
    Exposure(f"{fleet.hub.cluster}.{host.replace(':', '-')}", args, watched.options())
