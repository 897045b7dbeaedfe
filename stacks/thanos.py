"""Thanos, beside the hub: one component per role."""

from collections.abc import Sequence

import pulumi

import render
from components import (
    ThanosBucketWeb,
    ThanosCompactor,
    ThanosMemcached,
    ThanosQuery,
    ThanosReceive,
    ThanosRuler,
    ThanosStore,
)
from components.hub_prometheus import APP as HUB
from components.hub_prometheus import READ, READER, WRITER
from components.thanos.bucket_web import BROWSE, ThanosBucketWebArgs
from components.thanos.compactor import ThanosCompactorArgs
from components.thanos.memcached import ThanosMemcachedArgs
from components.thanos.query import ThanosQueryArgs
from components.thanos.receive import WRITE, ThanosReceiveArgs
from components.thanos.role import Access, RoleArgs
from components.thanos.ruler import ThanosRulerArgs
from components.thanos.store import ThanosStoreArgs
from render import Memory
from render.thanos import roles as rendered
from render.thanos.memcached import server_flags
from render.thanos.roles import HASHRING_FILE, LIMITS_FILE, QUERY, RECEIVE, ROUTER, RULER, WEB
from settings import Fleet, Memcached, Quantity, Receive, Ruler, Thanos, seconds

from .clusters import Watched
from .exposure import expose_way
from .hub import DeployedHub, HubEndpoint, HubReading, Ways


def deploy_thanos(
    fleet: Fleet,
    thanos: Thanos,
    watched: Watched,
    hub: DeployedHub,
    ways: Ways,
    notify: pulumi.Output[str] | None,
) -> DeployedHub:
    """
    Make every role but the sidecars, which are the hub's own; give the hub as it is reached from now on.

    `notify` is the Role of who may alert, if there is an Alertmanager.
    """
    opts = watched.options()
    pulumi.export("blocks", shared_blocks(thanos, hub.cluster))
    caches = deploy_caches(fleet, thanos, watched, hub)
    deploy_bucket_workers(fleet, thanos, watched, hub, ways, caches)
    if thanos.bucket_web:
        ThanosBucketWeb(hub.cluster, web_args(fleet, thanos, watched, hub, ways[WEB]), opts)
        expose_way(fleet, watched, hub.made.tls_secret, thanos.bucket_web.expose, WEB, BROWSE)
    received: list[pulumi.Resource] = []
    if thanos.receive:
        received = [ThanosReceive(hub.cluster, receive_args(fleet, thanos, thanos.receive, watched, hub, ways), opts)]
        hub = hub._replace(endpoint=receive_endpoint(fleet, thanos.receive, watched, hub))
    if thanos.ruler:
        deploy_ruler(fleet, thanos, thanos.ruler, watched, hub, ways, notify, received)
    return hub._replace(reading=deploy_query(fleet, thanos, watched, hub))


def shared_blocks(thanos: Thanos, cluster: str) -> pulumi.Output[dict[str, object]]:
    """
    What stacks that share the bucket must know of each other.

    Raises `pulumi.RunError` where two would upload blocks of equal labels, or not exactly one has the Compactor.
    """
    own: dict[str, object] = {"cluster": cluster, "compacts": thanos.compacts}
    others = [pulumi.StackReference(stack).require_output("blocks") for stack in thanos.shared_with]

    def checked(found: list[dict[str, object]]) -> dict[str, object]:
        for stack, other in zip(thanos.shared_with, found, strict=True):
            if other["cluster"] == cluster:
                raise pulumi.RunError(
                    f"thanos.sharedWith: {stack} uploads blocks of cluster {cluster} too. Give one of the two hubs' "
                    "clusters another name, or each stack a bucket of its own."
                )
        if sum(bool(one["compacts"]) for one in (own, *found)) != 1:
            raise pulumi.RunError(
                "thanos.compacts: exactly one of the stacks that share a bucket has its Compactor. "
                "Write compacts: false in all others."
            )
        return own

    return pulumi.Output.all(*others).apply(checked)


def deploy_caches(fleet: Fleet, thanos: Thanos, watched: Watched, hub: DeployedHub) -> list[pulumi.Resource]:
    """Make memcached, if it is asked for; a Store that finds no address of it does not start."""
    if not thanos.memcached:
        return []
    args = memcached_args(fleet, thanos, thanos.memcached, watched)
    return [ThanosMemcached(hub.cluster, args, watched.options())]


def deploy_bucket_workers(
    fleet: Fleet, thanos: Thanos, watched: Watched, hub: DeployedHub, ways: Ways, caches: Sequence[pulumi.Resource]
) -> None:
    """Make the Stores, after what they need, and the compactors."""
    opts = watched.options()
    after_caches = watched.options(caches)
    store, compactor = thanos.store, thanos.compactor
    for app, work in rendered.stores(thanos).items():
        shard: ThanosStoreArgs = {
            **role_args(fleet, watched, ways[app], work.flags, store.storage, store.storage_class),
            "app": app,
            "replicas": store.replicas,
            "memory": render.store_memory(fleet.hub_series + fleet.written_series),
        }
        ThanosStore(f"{hub.cluster}-{app}", shard, after_caches)
    for app, work in rendered.compactors(thanos).items():
        args: ThanosCompactorArgs = {
            **role_args(fleet, watched, ways[app], work.flags, compactor.storage, compactor.storage_class),
            "app": app,
            "memory": render.compactor_memory(fleet.hub_series + fleet.written_series),
        }
        ThanosCompactor(f"{hub.cluster}-{app}", args, opts)


def deploy_query(fleet: Fleet, thanos: Thanos, watched: Watched, hub: DeployedHub) -> HubReading:
    """Make what answers for all, and give where it is asked."""
    made = ThanosQuery(hub.cluster, query_args(fleet, thanos, watched, hub), watched.options())
    reached = expose_way(fleet, watched, hub.made.tls_secret, thanos.expose, QUERY, READ)
    return HubReading(QUERY, made.roles[READ.name], reached or hub.reading.url)


def ingestors(receive: Receive) -> pulumi.Output[int]:
    """
    How many ingestors of Receive there will be, once that is known to be safe; export it as `ingestors`.

    Raises `pulumi.RunError` where more would go at once than others have the samples of.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    before = pulumi.StackReference(stack).get_output("ingestors")
    spare = max(1, receive.replication - 1)

    def checked(had: float | None) -> int:
        least = int(had or 0) - spare
        if receive.replicas < least:
            raise pulumi.RunError(
                f"thanos.receive.replicas: {int(had or 0)} ingestors can't become {receive.replicas} at once: of some "
                f"samples none would be left before they are uploaded. Write {least}, and go on when that was deployed "
                "for two hours."
            )
        return receive.replicas

    return before.apply(checked)


def deploy_ruler(
    fleet: Fleet,
    thanos: Thanos,
    ruler: Ruler,
    watched: Watched,
    hub: DeployedHub,
    ways: Ways,
    notify: pulumi.Output[str] | None,
    received: Sequence[pulumi.Resource],
) -> None:
    """Make the Rulers; stateless ones come after Receive, which would refuse for ever what it may not take yet."""
    stateless = rendered.is_stateless(thanos)
    args = ruler_args(fleet, thanos, ruler, watched, hub, Access() if stateless else ways[RULER], notify)
    opts = watched.options(received if stateless else ())
    ThanosRuler(hub.cluster, args, opts)


def receive_args(
    fleet: Fleet, thanos: Thanos, receive: Receive, watched: Watched, hub: DeployedHub, ways: Ways
) -> ThanosReceiveArgs:
    """Turn the stack file's words into the component's."""
    safe = ingestors(receive)
    pulumi.export("ingestors", safe)
    args: ThanosReceiveArgs = {
        **role_args(
            fleet,
            watched,
            ways[RECEIVE],
            rendered.ingestor_flags(fleet, thanos),
            receive.storage,
            receive.storage_class,
        ),
        "namespace": pulumi.Output.all(watched.namespace, safe).apply(lambda both: both[0]),  # nothing is made before
        "replicas": receive.replicas,
        "memory": render.hub_memory(fleet.written_series * receive.replication // receive.replicas),
        "prefix": fleet.namespace,
        "router_flags": rendered.router_flags(thanos),
        "routers": receive.routers,
        "files": router_files(fleet, thanos, receive),
        "writers": [
            *(f"{WRITER}-{cluster}" for cluster in hub.endpoint.tokens),
            *([RULER] if rendered.is_stateless(thanos) else []),
        ],
        "tls_secret": hub.made.tls_secret,
        "door_image": fleet.images.kube_rbac_proxy,
    }
    if receive.series_limits:
        args["asks"] = hub.made.roles[READ.name]
    return args


def receive_endpoint(fleet: Fleet, receive: Receive, watched: Watched, hub: DeployedHub) -> HubEndpoint:
    """Open the way to Receive, and give what an agent must know of it."""
    reached = expose_way(fleet, watched, hub.made.tls_secret, receive.expose, ROUTER, WRITE)
    tls = fleet.hub.expose.tls if fleet.hub else None
    return HubEndpoint(
        f"{reached}{WRITE.paths[0]}",
        hub.endpoint.tokens,
        (tls.ca if tls else None) or "",
        (tls.ca_config_map if tls else None) or "",
        "1.0",
    )


def router_files(fleet: Fleet, thanos: Thanos, receive: Receive) -> dict[str, str]:
    """The routers' configuration: name of a file -> text."""
    files = {HASHRING_FILE.rpartition("/")[2]: rendered.hashring(fleet, receive.replicas)}
    if receive.series_limits:
        files[LIMITS_FILE.rpartition("/")[2]] = rendered.limits(fleet, thanos)
    return files


def role_args(
    fleet: Fleet,
    watched: Watched,
    access: Access,
    flags: list[str],
    storage: Quantity,
    storage_class: str | None,
) -> RoleArgs:
    """What every role with a volume needs."""
    args: RoleArgs = {
        "namespace": watched.namespace,
        "flags": flags,
        "memory": Memory("128Mi", "1Gi"),
        "access": access,
        "scraper": HUB,
        "storage": storage,
        "image": fleet.images.thanos,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if storage_class:
        args["storage_class"] = storage_class
    return args


def memcached_args(fleet: Fleet, thanos: Thanos, memcached: Memcached, watched: Watched) -> ThanosMemcachedArgs:
    """Turn the stack file's words into the component's."""
    return {
        "namespace": watched.namespace,
        "flags": server_flags(memcached.memory),
        "replicas": memcached.replicas,
        "memory": render.memcached_memory(memcached.memory),
        "users": [*rendered.stores(thanos), *([QUERY] if thanos.query_frontend else [])],
        "image": fleet.images.memcached,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }


def query_args(fleet: Fleet, thanos: Thanos, watched: Watched, hub: DeployedHub) -> ThanosQueryArgs:
    """Turn the stack file's words into the component's."""
    args: ThanosQueryArgs = {
        "namespace": watched.namespace,
        "prefix": fleet.namespace,
        "flags": rendered.query_flags(thanos),
        "endpoints": rendered.endpoints(fleet, thanos),
        "certificates": sorted({remote.tls_secret for remote in thanos.query.endpoints}),
        "replicas": thanos.query.replicas,
        "memory": render.query_memory(fleet.hub_series),
        "readers": {READER: READER, **({RULER: RULER} if rendered.is_stateless(thanos) else {})},
        "scraper": hub.made.account,
        "tls_secret": hub.made.tls_secret,
        "image": fleet.images.thanos,
        "door_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if thanos.query_frontend:
        args["frontend"] = rendered.frontend_flags(thanos.query_frontend, thanos.memcached)
    return args


def ruler_args(
    fleet: Fleet,
    thanos: Thanos,
    ruler: Ruler,
    watched: Watched,
    hub: DeployedHub,
    access: Access,
    notify: pulumi.Output[str] | None,
) -> ThanosRulerArgs:
    """Turn the stack file's words into the component's."""
    args: ThanosRulerArgs = {
        **role_args(fleet, watched, access, rendered.ruler_flags(fleet, thanos), ruler.storage, ruler.storage_class),
        "replicas": ruler.replicas,
        "rules": render.ruler_rules(fleet),
        "alertmanagers": rendered.ruler_alertmanagers(fleet),
        "tls_secret": hub.made.tls_secret,
        "stateless": rendered.is_stateless(thanos),
    }
    if notify is not None:
        args["notify"] = notify
    return args


def web_args(fleet: Fleet, thanos: Thanos, watched: Watched, hub: DeployedHub, access: Access) -> ThanosBucketWebArgs:
    """Turn the stack file's words into the component's."""
    return {
        "namespace": watched.namespace,
        "prefix": fleet.namespace,
        "flags": rendered.web_flags(thanos),
        "access": access,
        "reader": READER,
        "tls_secret": hub.made.tls_secret,
        "image": fleet.images.thanos,
        "door_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
