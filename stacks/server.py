"""A Prometheus server, whichever section describes it."""

from collections.abc import Mapping, Sequence

import pulumi

import render
from components.prometheus_server import PrometheusServerArgs, Sidecar
from components.thanos.role import BucketAccess
from render.auth_proxy import AuthProxy
from render.prometheus.auth_proxies import READ, WRITE
from render.thanos.sidecar import sidecar_flags
from settings import Expose, ExposedHost, Fleet, Server, memory, seconds
from settings.expose import ROUTED
from settings.validation.exposure import hosts

from .clusters import ClusterContext
from .exposure import backend, expose_host, url
from .monitor import Monitor

BucketAccesses = Mapping[str, BucketAccess]
"""ServiceAccount -> access of its pods to the object store."""


def server_args(
    fleet: Fleet, server: Server, context: ClusterContext, bucket_access: BucketAccesses
) -> PrometheusServerArgs:
    """Return the arguments of the component that a section describes."""
    tls = server.expose.tls
    args: PrometheusServerArgs = {
        "app": server.app,
        "namespace": context.namespace,
        "prefix": fleet.namespace,
        "config": render.server_config(server, fleet),
        "rules": render.server_rules(fleet),
        "flags": render.server_flags(fleet),
        "hosts": [*hosts(fleet.partial).values()],
        "replicas": server.replicas,
        "storage": server.storage,
        "storage_class": server.storage_class,
        "memory": memory.server_memory(fleet.server_series),
        "job_files": [*dict.fromkeys([*render.mounted_files(fleet, server.cluster), *render.alerting_files(fleet)])],
        "discovered": render.discovered_resources(fleet, server.cluster),
        "namespaces": render.readable_namespaces(fleet, server.cluster),
        "image": fleet.images.prometheus,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if fleet.clusters[server.cluster].operator:
        args["operated"] = render.operated_server(server, fleet)
    if fleet.thanos:
        args["sidecar"] = Sidecar(sidecar_flags(fleet.thanos), bucket_access[server.app], fleet.images.thanos)
    if tls.secret:
        args["tls_secret"] = tls.secret
    if tls.issuer:
        args["tls_issuer"] = tls.issuer
    if fleet.scrape.tls.ca_config_map:
        args["targets_ca_config_map"] = fleet.scrape.tls.ca_config_map
    return args


def export_server(monitor: Monitor) -> None:
    """Export the outputs that queries and the command `fleet` need."""
    cluster = monitor.fleet.clusters[monitor.cluster]
    pulumi.export(
        "prometheus",
        {
            "cluster": monitor.cluster,
            "context": cluster.context,
            "kubeconfig": cluster.kubeconfig or "",
            "service": monitor.query.app,
            "namespace": monitor.context.namespace,
            "readUrl": monitor.query.url,
            "ca": monitor.server.expose.tls.ca or "",
            "caConfigMap": monitor.server.expose.tls.ca_config_map or "",
        },
    )
    pulumi.export("clusters", list(monitor.fleet.expected))


def expose_server(monitor: Monitor, proxies: Sequence[AuthProxy]) -> None:
    """Route the server's hosts to these auth proxies of it."""
    expose = monitor.server.expose
    names, ports = proxy_hosts(expose), proxy_node_ports(expose)
    # Behind one host, a proxy routes queries and remote write by path.
    paths = {WRITE.name: WRITE.paths[0]} if expose.via in ROUTED and not expose.passthrough else {}
    for host in dict.fromkeys(names[proxy.name] for proxy in proxies):
        found = [proxy for proxy in proxies if names[proxy.name] == host]
        backends = [backend(proxy, path=paths.get(proxy.name), node_port=ports.get(proxy.name)) for proxy in found]
        exposed = ExposedHost(host=host, annotations=expose.host_annotations)
        expose_host(monitor, monitor.server.app, exposed, backends)


def proxy_url(expose: Expose, proxy: AuthProxy) -> str:
    """Return the URL of an auth proxy of the server from outside the cluster."""
    port = proxy_node_ports(expose).get(proxy.name, proxy.port)
    return url(expose, proxy_hosts(expose)[proxy.name], port)


def proxy_hosts(expose: Expose) -> dict[str, str]:
    """Return the host of each auth proxy of a server."""
    return {WRITE.name: expose.host, READ.name: expose.read_host or expose.host}


def proxy_node_ports(expose: Expose) -> dict[str, int]:
    """Return the port of each auth proxy on the nodes, if they have any there."""
    return expose.node_ports.model_dump() if expose.via == "nodePort" else {}
