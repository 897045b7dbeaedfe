"""Exposes hosts outside the cluster, as `expose` of the server's section says, under one certificate."""

from collections.abc import Sequence
from typing import NamedTuple

from pulumi import Alias, ResourceOptions

from components import Exposure
from components.exposure import Backend, ExposureArgs, exposed_name
from render.auth_proxy import AuthProxy
from settings import Expose, ExposedHost, authority, seconds
from settings.expose import ROUTED

from .monitor import Monitor

SERVER = "prometheus"
"""Part of the Pulumi names of what exposes the server, whichever section describes it."""


class Port(NamedTuple):
    """A port of a Service that authenticates clients itself."""

    name: str
    port: int
    health_path: str
    """Path that answers 200 without a login."""


def backend(proxy: AuthProxy | Port, *, path: str | None = None, node_port: int | None = None) -> Backend:
    """Return the backend of a host, or of one path of it."""
    health = (proxy.health, "/healthz") if isinstance(proxy, AuthProxy) else (proxy.port, proxy.health_path)
    found: Backend = {"name": proxy.name, "port": proxy.port, "health": health}
    if path:
        found["path"] = path
    if node_port:
        found["node_port"] = node_port
    return found


def url(expose: Expose, host: str, port: int) -> str:
    """Return the URL of a port of a host; through an Ingress, Gateway or HTTPProxy it is port 443."""
    return f"https://{authority(host, None if expose.via in ROUTED else port)}"


def expose_endpoint(monitor: Monitor, exposed: ExposedHost | None, app: str, proxy: AuthProxy | Port) -> str | None:
    """Route a host to one port of an app, and return its URL; None if it is not exposed."""
    if not exposed:
        return None
    expose_host(monitor, app, exposed, [backend(proxy, node_port=exposed.node_port)])
    return url(monitor.server.expose, exposed.host, exposed.node_port or proxy.port)


def expose_host(monitor: Monitor, app: str, exposed: ExposedHost, backends: Sequence[Backend]) -> None:
    """Route a host to ports of an app's Service; with `via: clusterIP` nothing is made."""
    expose, fleet = monitor.server.expose, monitor.fleet
    if expose.via == "clusterIP":
        return
    args: ExposureArgs = {
        "namespace": monitor.context.namespace,
        "app": app,
        "via": expose.via,
        "host": exposed.host,
        "backends": backends,
        "server_name": expose.host,
        "tls_secret": monitor.tls_secret,
        "passthrough": expose.passthrough,
        "annotations": {**expose.annotations, **exposed.annotations},
        "service_annotations": {**expose.service_annotations, **exposed.service_annotations},
        "external_dns": expose.external_dns,
        "source_ranges": expose.source_ranges,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if expose.tls.ca:
        args["ca"] = expose.tls.ca
    if expose.tls.ca_config_map:
        args["ca_config_map"] = expose.tls.ca_config_map
    if expose.ingress_class:
        args["ingress_class"] = expose.ingress_class
    if expose.load_balancer_class:
        args["load_balancer_class"] = expose.load_balancer_class
    if expose.gateway:
        gateway = {"name": expose.gateway.name, "namespace": expose.gateway.namespace}
        args["gateway"] = gateway | ({"sectionName": expose.gateway.listener} if expose.gateway.listener else {})
        args["gateway_of_gke"] = expose.gateway.is_of_gke
    # Not after the host, which may be edited: Pulumi would make the same objects under another URN, then delete them.
    # Nor after the kind of server: a Service with the same ports of the nodes is made after the one before is deleted.
    named: ExposureArgs = {**args, "app": SERVER} if app == monitor.server.app else args
    before = Alias(name=f"{monitor.cluster}.{exposed.host.replace(':', '-')}")
    opts = ResourceOptions.merge(monitor.options(), ResourceOptions(aliases=[before]))
    Exposure(f"{monitor.cluster}.{exposed_name(named)}", args, opts)
