"""The agents of the fleet, one per cluster, and the receiver of each."""

from collections.abc import Callable
from typing import Any

import pulumi
from pulumi import Output

import render
from components import AgentPrometheus
from components.agent_prometheus import CA_FILE, TOKEN_FILE, AgentPrometheusArgs, AgentShard
from render.prometheus.agent import PROTOCOL_1, PROTOCOL_2
from settings import Fleet, Receiver, memory, seconds, secret_key
from settings.agent import series_of_shard, shard_name
from settings.errors import some

from .clusters import ClusterContext
from .hub import RemoteWriteEndpoint

PLANNED_INTERVAL = 15
"""Scrape interval in seconds that a WAL is planned for, so that a longer one neither rolls an agent nor resizes it."""


def deploy_agent(fleet: Fleet, cluster: str, context: ClusterContext, hub: RemoteWriteEndpoint | None) -> None:
    """
    Make the agent of one cluster, which writes to the receiver of its section or else to this stack's hub.

    Where there is neither, it has only destinations.
    """
    agent = fleet.agents[cluster]
    receiver = endpoint(cluster, agent.hub, token=agent.token) if agent.hub else hub
    if receiver is None and not agent.destinations:
        raise pulumi.RunError(f"agents.{cluster}: this stack has no hub. Write hub: {{stack: …}} or destinations.")
    waits = receiver.before if receiver and cluster in receiver.audiences else ()
    AgentPrometheus(
        cluster,
        agent_args(fleet, cluster, context, receiver),
        context.options([*context.before_prometheus, *waits]),
    )


def endpoint(cluster: str, receiver: Receiver, *, token: bool) -> RemoteWriteEndpoint:
    """
    Find a receiver outside this stack: another stack's hub, a hub by its public facts, or any remote-write URL.

    With `token`, the hub's stack gives the writer a token of the hub's cluster.
    """
    if receiver.url:
        shown = {} if receiver.audience else {cluster: pulumi.Config().require_secret(secret_key(cluster, "token"))}
        audiences = {cluster: receiver.audience} if receiver.audience else {}
        # The hub behind a URL may have Receive, which does not support 2.0, and nothing says so.
        return RemoteWriteEndpoint(receiver.url, shown, audiences, receiver.ca or "", "", PROTOCOL_1)
    reference = pulumi.StackReference(f"{cluster}-hub", receiver.stack)
    hub = reference.require_output("hub")
    tokens, audiences = dict[str, pulumi.Input[str]](), dict[str, pulumi.Input[str]]()
    if token:
        given = reference.require_output("writerTokens")
        tokens[cluster] = given.apply(lambda known: _token(known, cluster, receiver.stack))
    else:
        audiences[cluster] = hub.apply(lambda known: _audience(known, cluster, receiver.stack))
    return RemoteWriteEndpoint(hub["writeUrl"], tokens, audiences, hub["ca"], hub["caConfigMap"], hub["protocol"])


def _audience(hub: dict[str, Any], cluster: str, stack: str | None) -> str:
    audiences = hub.get("audiences", {})  # a hub that was deployed earlier has none
    if cluster not in audiences:
        raise pulumi.RunError(
            f"agents.{cluster}: the hub of stack {stack} knows no issuer of this cluster. Write hub.agents.{cluster}."
            f"issuer there, which `fleet issuer` prints, and run `pulumi up` on it first; or write agents.{cluster}."
            "token: true here."
        )
    return audiences[cluster]


def _token(tokens: dict[str, str], cluster: str, stack: str | None) -> str:
    if cluster not in tokens:
        raise pulumi.RunError(
            f"{cluster}: the hub of stack {stack} has no token of this writer, only of: {some(sorted(tokens))}. "
            f"Add {cluster} to hub.agents there, with token: true if it has an issuer, and run `pulumi up` on it first."
        )
    return tokens[cluster]


def agent_args(
    fleet: Fleet, cluster: str, context: ClusterContext, receiver: RemoteWriteEndpoint | None
) -> AgentPrometheusArgs:
    """Return the arguments of the agent's component."""
    agent = fleet.agents[cluster]
    series = series_of_shard(fleet.clusters[cluster].series, agent.shards)
    plan = wal_plan(fleet, cluster, series)

    def written(rendered: Callable[..., Any], *shard: int) -> Any:
        """What is rendered of the receiver, once it is known."""
        if receiver is None:
            return rendered(fleet, cluster, None, *shard, own=False, ca_file=None, token_file=TOKEN_FILE)
        return Output.all(receiver.url, receiver.ca, receiver.ca_config_map, receiver.protocol).apply(
            lambda found: rendered(
                fleet,
                cluster,
                found[0],
                *shard,
                own=found[3] == PROTOCOL_2,
                ca_file=CA_FILE if any(found[1:3]) else None,
                token_file=TOKEN_FILE,
            )
        )

    def shard(number: int) -> AgentShard:
        made: AgentShard = {
            "name": shard_name(number),
            "config": written(render.agent_config, number),
            "storage": agent.storage or volume(fleet, cluster, number),
        }
        if fleet.clusters[cluster].operator:
            described = render.operated_agent(fleet, cluster, plan, number)
            write = written(render.operated_remote_write)
            made["operated"] = described._replace(spec={**described.spec, "remoteWrite": write})
        return made

    args: AgentPrometheusArgs = {
        "namespace": context.namespace,
        "prefix": fleet.namespace,
        "shards": [shard(number) for number in range(agent.shards)],
        "flags": render.agent_flags(plan),
        "storage_class": agent.storage_class,
        "memory": memory.agent_memory(series, len(agent.destinations)),
        "grace": render.AGENT_GRACE,
        "job_files": render.mounted_files(fleet, cluster),
        "discovered": render.discovered_resources(fleet, cluster),
        "namespaces": render.readable_namespaces(fleet, cluster),
        "image": fleet.images.prometheus,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if receiver:
        if cluster in receiver.audiences:
            args["audience"] = receiver.audiences[cluster]
        else:
            args["token"] = receiver.tokens[cluster]
        args["ca"], args["ca_config_map"] = receiver.ca, receiver.ca_config_map
    if fleet.scrape.tls.ca_config_map:
        args["targets_ca_config_map"] = fleet.scrape.tls.ca_config_map
    return args


def wal_plan(fleet: Fleet, cluster: str, series: int) -> render.WalPlan:
    """Plan the write-ahead log of an agent with this many series."""
    interval = min(PLANNED_INTERVAL, seconds(fleet.scrape.interval))
    return render.wal_plan(seconds(fleet.agents[cluster].outage), series, interval)


def volume(fleet: Fleet, cluster: str, number: int) -> str:
    """
    Return the size of a shard's volume, which does not depend on the number of shards: no volume can shrink.

    The first has room for the whole cluster, of which it may be the only agent again; each other one for its part of
    two shards.
    """
    series = fleet.clusters[cluster].series
    return wal_plan(fleet, cluster, series_of_shard(series, 2) if number else series).volume
