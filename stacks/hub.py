"""The hub, a Prometheus server that takes remote write."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pulumi

from components import HubPrometheus
from components.hub_prometheus import HubPrometheusArgs
from components.k8s.write_proxy import Envoy
from render.auth_proxy import AuthProxy
from render.prometheus.agent import PROTOCOL_2
from render.prometheus.auth_proxies import READ, WRITE
from render.prometheus.flags import takes_samples
from render.write_proxy import bootstrap, write_proxy_files
from render.writers import audience, keyless, token_writers, write_proxy
from settings import Fleet, Hub

from .clusters import ClusterContext
from .monitor import Monitor, QueryEndpoint
from .server import BucketAccesses, expose_server, proxy_url, server_args


class RemoteWriteEndpoint(NamedTuple):
    """A remote-write endpoint, as an agent needs it; `ca` and `ca_config_map` are empty with a public CA."""

    url: pulumi.Input[str]
    tokens: Mapping[str, pulumi.Input[str]]
    """Writer -> its bearer token, if it has one."""
    audiences: Mapping[str, pulumi.Input[str]]
    """Agent's cluster -> audience of the token of its own cluster that it shows instead."""
    ca: pulumi.Input[str]
    ca_config_map: pulumi.Input[str]
    protocol: pulumi.Input[str]
    """Version of remote write that it supports: Receive would take 2.0 for 1.0, store nothing and answer 200."""
    before: Sequence[pulumi.Resource] = ()
    """What knows the issuers of agents: one that shows its token earlier would be refused for good."""


def deploy_hub(
    fleet: Fleet, hub: Hub, context: ClusterContext, bucket_access: BucketAccesses
) -> tuple[Monitor, RemoteWriteEndpoint]:
    """Make the hub, and return its remote-write endpoint."""
    component = HubPrometheus(hub.cluster, hub_args(fleet, hub, context, bucket_access), context.prometheus_options())
    query = QueryEndpoint(hub.app, component.roles[READ.name], proxy_url(hub.expose, READ))
    monitor = Monitor(fleet, hub, context, component, query)
    expose_server(monitor, [WRITE, READ] if takes_samples(fleet) else [READ])
    tls = hub.expose.tls
    url = f"{proxy_url(hub.expose, WRITE)}{WRITE.paths[0]}"
    audiences = dict.fromkeys(keyless(fleet), audience(fleet))
    return monitor, RemoteWriteEndpoint(
        url, component.writer_tokens, audiences, tls.ca or "", tls.ca_config_map or "", PROTOCOL_2, [component]
    )


def hub_args(fleet: Fleet, hub: Hub, context: ClusterContext, bucket_access: BucketAccesses) -> HubPrometheusArgs:
    """Return the arguments of the hub's component."""
    args: HubPrometheusArgs = {
        **server_args(fleet, hub, context, bucket_access),
        "writers": token_writers(fleet),
        "takes_samples": takes_samples(fleet),
    }
    if takes_samples(fleet) and (envoy := write_envoy(fleet, WRITE)):
        args["envoy"] = envoy
    return args


def write_envoy(fleet: Fleet, proxy: AuthProxy) -> Envoy | None:
    """Return the Envoy that listens in place of an auth proxy, if an issuer of tokens is known."""
    described = write_proxy(fleet, proxy)
    if described is None:
        return None
    return Envoy(proxy, bootstrap(proxy), write_proxy_files(described), fleet.images.envoy)


def export_hub(endpoint: RemoteWriteEndpoint) -> None:
    """Export the endpoint and the tokens for agents of other stacks."""
    pulumi.export(
        "hub",
        {
            "writeUrl": endpoint.url,
            "ca": endpoint.ca,
            "caConfigMap": endpoint.ca_config_map,
            "protocol": endpoint.protocol,
            "audiences": endpoint.audiences,
        },
    )
    pulumi.export("writerTokens", endpoint.tokens)
