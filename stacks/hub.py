"""The hub, a Prometheus server that takes remote write."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi

from components import HubPrometheus
from components.hub_prometheus import HubPrometheusArgs
from render.prometheus.auth_proxies import READ, WRITE
from render.prometheus.flags import takes_samples
from settings import Fleet, Hub

from .clusters import ClusterContext
from .monitor import Monitor, QueryEndpoint
from .server import BucketAccesses, expose_server, proxy_url, server_args


class RemoteWriteEndpoint(NamedTuple):
    """A remote-write endpoint, as an agent needs it; `ca` and `ca_config_map` are empty with a public CA."""

    url: pulumi.Input[str]
    tokens: Mapping[str, pulumi.Input[str]]
    """Agent's cluster -> its bearer token."""
    ca: pulumi.Input[str]
    ca_config_map: pulumi.Input[str]
    protocol: pulumi.Input[str]
    """Version of remote write that it supports: Receive would take 2.0 for 1.0, store nothing and answer 200."""


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
    return monitor, RemoteWriteEndpoint(url, component.writer_tokens, tls.ca or "", tls.ca_config_map or "", "2.0")


def hub_args(fleet: Fleet, hub: Hub, context: ClusterContext, bucket_access: BucketAccesses) -> HubPrometheusArgs:
    """Return the arguments of the hub's component."""
    own = dict.fromkeys(fleet.local_agents, 0)
    return {
        **server_args(fleet, hub, context, bucket_access),
        "writers": own | {cluster: writer.rotation for cluster, writer in hub.agents.items()},
        "takes_samples": takes_samples(fleet),
    }


def export_hub(endpoint: RemoteWriteEndpoint) -> None:
    """Export the endpoint and the tokens for agents of other stacks."""
    pulumi.export(
        "hub",
        {
            "writeUrl": endpoint.url,
            "ca": endpoint.ca,
            "caConfigMap": endpoint.ca_config_map,
            "protocol": endpoint.protocol,
        },
    )
    pulumi.export("writerTokens", endpoint.tokens)
