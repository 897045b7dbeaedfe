"""The hub of the fleet, in its own cluster."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi

import render
from components import HubPrometheus
from components.hub_prometheus import APP, DOORS, READ, WRITE, HubPrometheusArgs, Sidecar
from components.thanos.role import Access
from render.prometheus.flags import takes_samples
from render.thanos.roles import sidecar_flags
from settings import Expose, Fleet, Hub, seconds
from settings.expose import ROUTED

from .clusters import Watched
from .exposure import backend, hosts, lead, url

Ways = Mapping[str, Access]
"""ServiceAccount -> how its pods reach the object store."""


class HubEndpoint(NamedTuple):
    """What an agent must know of the hub. Texts may be empty: no private authority, no ConfigMap."""

    write_url: pulumi.Input[str]
    tokens: Mapping[str, pulumi.Input[str]]
    """Agent's cluster -> its bearer token."""
    ca: pulumi.Input[str]
    ca_config_map: pulumi.Input[str]
    protocol: pulumi.Input[str]
    """Version of remote write that it speaks: a Receive takes 2.0 for 1.0, stores nothing and says 200."""


class HubReading(NamedTuple):
    """Where the fleet's samples are asked for: at the hub, or at the Query before it."""

    app: str
    """Name of the Service whose port `read` leads to the door."""
    role: pulumi.Output[str]
    """Name of the Role that opens the door."""
    url: str
    """Where the door is reached from outside the cluster."""


class DeployedHub(NamedTuple):
    """The hub of this stack, for its agents and for what stands beside it."""

    cluster: str
    made: HubPrometheus
    endpoint: HubEndpoint
    reading: HubReading


def deploy_hub(fleet: Fleet, hub: Hub, watched: Watched, ways: Ways) -> DeployedHub:
    """Make the hub; `ways` are those to the object store, where it has one."""
    made = HubPrometheus(hub.cluster, hub_args(fleet, hub, watched, ways), watched.options())
    lead_to_doors(fleet, hub, watched, made)
    urls = door_urls(hub)
    tls = hub.expose.tls
    url = f"{urls['write']}{WRITE.paths[0]}"
    endpoint = HubEndpoint(url, made.writer_tokens, tls.ca or "", tls.ca_config_map or "", "2.0")
    return DeployedHub(hub.cluster, made, endpoint, HubReading(APP, made.roles[READ.name], urls["read"]))


def export_hub(fleet: Fleet, hub: DeployedHub, watched: Watched) -> None:
    """Export what people, agents of other stacks and `fleet status` need to reach it."""
    cluster = fleet.clusters[hub.cluster]
    pulumi.export(
        "hub",
        {
            "cluster": hub.cluster,
            "context": cluster.context,
            "kubeconfig": cluster.kubeconfig or "",
            "service": hub.reading.app,
            "namespace": watched.namespace,
            "readUrl": hub.reading.url,
            "writeUrl": hub.endpoint.write_url,
            "ca": hub.endpoint.ca,
            "caConfigMap": hub.endpoint.ca_config_map,
            "protocol": hub.endpoint.protocol,
        },
    )
    pulumi.export("clusters", render.expected(fleet))
    pulumi.export("identities", hub.endpoint.tokens)
    pulumi.export("reader", hub.made.reader_token)


def lead_to_doors(fleet: Fleet, hub: Hub, watched: Watched, made: HubPrometheus) -> None:
    """Lead the hub's hosts to those of its doors that there are."""
    expose = hub.expose
    names, ports = door_hosts(expose), door_node_ports(expose)
    # Behind one host a proxy tells the doors apart by the path.
    paths = {WRITE.name: WRITE.paths[0]} if expose.via in ROUTED and not expose.passthrough else {}
    there = DOORS if takes_samples(fleet) else (READ,)
    for host in dict.fromkeys(names[door.name] for door in there):
        doors = [door for door in there if names[door.name] == host]
        backends = [backend(door, path=paths.get(door.name), node_port=ports.get(door.name)) for door in doors]
        lead(fleet, watched, made.tls_secret, APP, host, backends)


def door_urls(hub: Hub) -> dict[str, str]:
    """Where each door is reached."""
    names, ports = door_hosts(hub.expose), door_node_ports(hub.expose)
    return {door.name: url(hub.expose, names[door.name], ports.get(door.name, door.port)) for door in DOORS}


def door_hosts(expose: Expose) -> dict[str, str]:
    """The host of each door."""
    return {WRITE.name: expose.host, READ.name: expose.read_host or expose.host}


def door_node_ports(expose: Expose) -> dict[str, int]:
    """The port of each door on the nodes, if they have any."""
    return expose.node_ports.model_dump() if expose.via == "nodePort" else {}


def writers(fleet: Fleet, hub: Hub) -> Mapping[str, int]:
    """Who may write samples: name of an agent's cluster -> how often its token was renewed."""
    own = dict.fromkeys(fleet.local_agents, 0)
    return own | {cluster: writer.rotation for cluster, writer in hub.agents.items()}


def hub_args(fleet: Fleet, hub: Hub, watched: Watched, ways: Ways) -> HubPrometheusArgs:
    """Turn the stack file's words into the component's."""
    expose, thanos = hub.expose, fleet.thanos
    args: HubPrometheusArgs = {
        "namespace": watched.namespace,
        "prefix": fleet.namespace,
        "config": render.hub_config(fleet),
        "rules": render.hub_rules(fleet),
        "flags": render.hub_flags(fleet),
        "writers": writers(fleet, hub),
        "takes_samples": takes_samples(fleet),
        "hosts": hosts(fleet),
        "replicas": hub.replicas,
        "storage": hub.storage,
        "memory": render.hub_memory(fleet.hub_series),
        "image": fleet.images.prometheus,
        "door_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if thanos:
        args["sidecar"] = Sidecar(sidecar_flags(thanos), ways[APP], fleet.images.thanos)
    if expose.tls.secret:
        args["tls_secret"] = expose.tls.secret
    if expose.tls.issuer:
        args["tls_issuer"] = expose.tls.issuer
    if hub.storage_class:
        args["storage_class"] = hub.storage_class
    if fleet.scrape.tls.ca_config_map:
        args["targets_ca_config_map"] = fleet.scrape.tls.ca_config_map
    return args
