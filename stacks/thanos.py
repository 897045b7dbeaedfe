"""Thanos, in the cluster of a Prometheus server."""

import pulumi

import render
from components import ThanosStack
from components.thanos.bucket_web import ThanosBucketWebArgs
from components.thanos.compactor import ThanosCompactorArgs
from components.thanos.memcached import ThanosMemcachedArgs
from components.thanos.query import ThanosQueryArgs
from components.thanos.receive import ThanosReceiveArgs
from components.thanos.role import BucketAccess, RoleArgs
from components.thanos.ruler import ThanosRulerArgs
from components.thanos.stack import ThanosStackArgs
from components.thanos.store import ThanosStoreArgs
from render.prometheus.agent import PROTOCOL_1
from render.prometheus.auth_proxies import READ, READER, VIEWER
from render.thanos import query, receive, ruler
from render.thanos.authenticated import WRITE
from render.thanos.bucket_roles import BucketRole, compactors, stores
from render.thanos.bucket_web import BROWSE, web_flags
from render.thanos.memcached import memcached_flags
from render.thanos.names import QUERY, RECEIVE, ROUTER, RULER, WEB
from render.tokens import writer_account
from settings import Memcached, Receive, Ruler, Thanos, memory, seconds
from settings.thanos import Compactor, Store
from settings.validation.capacity import ingested_series
from settings.validation.issuers import verifies_tokens

from .exposure import expose_endpoint
from .hub import RemoteWriteEndpoint, write_envoy
from .monitor import Monitor, QueryEndpoint
from .ownership import this_stack
from .server import BucketAccesses


def deploy_thanos(
    monitor: Monitor,
    thanos: Thanos,
    bucket_access: BucketAccesses,
    notify_role: pulumi.Output[str] | None,
    endpoint: RemoteWriteEndpoint | None,
) -> tuple[Monitor, RemoteWriteEndpoint | None]:
    """
    Make every component but the sidecars, which are containers of the server.

    Return the monitor with Query as its endpoint for queries, and the endpoint for remote write, which may be Receive.
    `notify_role` is the Role that permits sending alerts, if there is an Alertmanager; `endpoint` is the hub's.
    """
    pulumi.export("blocks", shared_blocks(thanos, monitor.cluster))
    args: ThanosStackArgs = {
        "query": query_args(monitor, thanos),
        "stores": [store_args(monitor, thanos, app, role, bucket_access[app]) for app, role in stores(thanos).items()],
        "compactors": [
            compactor_args(monitor, thanos, app, role, bucket_access[app]) for app, role in compactors(thanos).items()
        ],
    }
    if thanos.memcached:
        args["memcached"] = memcached_args(monitor, thanos, thanos.memcached)
    if thanos.bucket_web:
        args["bucket_web"] = web_args(monitor, thanos, bucket_access[WEB])
        expose_endpoint(monitor, thanos.bucket_web.expose, WEB, BROWSE)
    if thanos.receive and endpoint:
        safe = ingestors(thanos.receive)
        pulumi.export("ingestors", safe)
        args["receive"] = receive_args(monitor, thanos, thanos.receive, bucket_access[RECEIVE], endpoint, safe)
        endpoint = receive_endpoint(monitor, thanos.receive, endpoint)
    if thanos.ruler:
        access = BucketAccess() if ruler.is_stateless(thanos) else bucket_access[RULER]
        args["ruler"] = ruler_args(monitor, thanos, thanos.ruler, access, notify_role)
    stack = ThanosStack(monitor.cluster, args, monitor.options())
    if endpoint:
        endpoint = endpoint._replace(before=[*endpoint.before, stack])
    url = expose_endpoint(monitor, thanos.expose, QUERY, READ)
    return monitor._replace(query=QueryEndpoint(QUERY, stack.roles[READ.name], url or monitor.query.url)), endpoint


def shared_blocks(thanos: Thanos, cluster: str) -> pulumi.Output[dict[str, object]]:
    """
    Facts about this stack that the others with the same bucket check.

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


def ingestors(receive: Receive) -> pulumi.Output[int]:
    """
    Return the number of ingestors of Receive, to export as `ingestors`.

    Raises `pulumi.RunError` where an update would remove more of them than replication permits.
    """
    before = pulumi.StackReference(this_stack()).get_output("ingestors")
    spare = max(1, receive.replication - 1)

    def checked(had: float | None) -> int:
        least = int(had or 0) - spare
        if receive.replicas < least:
            raise pulumi.RunError(
                f"thanos.receive.replicas: {int(had or 0)} ingestors can't become {receive.replicas} at once: samples "
                f"that are not uploaded yet could be lost. Write {least}, deploy, wait two hours, then continue."
            )
        return receive.replicas

    return before.apply(checked)


def role_args(
    monitor: Monitor,
    settings: Store | Compactor | Receive | Ruler,
    access: BucketAccess,
    flags: list[str],
    needed: memory.Memory,
) -> RoleArgs:
    """Return the arguments of every component with a volume."""
    return {
        "namespace": monitor.context.namespace,
        "flags": flags,
        "memory": needed,
        "access": access,
        "scraper": monitor.server.app,
        "storage": settings.storage,
        "storage_class": settings.storage_class,
        "image": monitor.fleet.images.thanos,
        "rollout_timeout": seconds(monitor.fleet.rollout_timeout),
    }


def store_args(monitor: Monitor, thanos: Thanos, app: str, role: BucketRole, access: BucketAccess) -> ThanosStoreArgs:
    """Return the arguments of one Store."""
    needed = memory.store_memory(monitor.fleet.stored_series)
    return {
        **role_args(monitor, thanos.store, access, role.flags, needed),
        "app": app,
        "replicas": thanos.store.replicas,
    }


def compactor_args(
    monitor: Monitor, thanos: Thanos, app: str, role: BucketRole, access: BucketAccess
) -> ThanosCompactorArgs:
    """Return the arguments of one bucket's compactor."""
    needed = memory.compactor_memory(monitor.fleet.stored_series)
    return {**role_args(monitor, thanos.compactor, access, role.flags, needed), "app": app}


def receive_args(
    monitor: Monitor,
    thanos: Thanos,
    settings: Receive,
    access: BucketAccess,
    endpoint: RemoteWriteEndpoint,
    ingestors: pulumi.Output[int],
) -> ThanosReceiveArgs:
    """Return the arguments of Receive; its objects depend on `ingestors`, which fails where data would be lost."""
    fleet, flags = monitor.fleet, receive.ingestor_flags(monitor.server, thanos, settings)
    needed = memory.server_memory(ingested_series(fleet.partial, settings))
    args: ThanosReceiveArgs = {
        **role_args(monitor, settings, access, flags, needed),
        "namespace": pulumi.Output.all(monitor.context.namespace, ingestors).apply(lambda both: both[0]),
        "replicas": settings.replicas,
        "prefix": fleet.namespace,
        "router_flags": receive.router_flags(settings),
        "routers": settings.routers,
        "files": receive.router_files(monitor.server, fleet, settings),
        "writers": [
            *map(writer_account, endpoint.tokens),
            *([RULER] if ruler.is_stateless(thanos) else []),
        ],
        "tls_secret": monitor.tls_secret,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
    }
    if envoy := write_envoy(fleet, WRITE):
        args["envoy"] = envoy
    if settings.series_limits:
        args["series_limit_reader"] = monitor.component.roles[READ.name]
    return args


def receive_endpoint(monitor: Monitor, settings: Receive, endpoint: RemoteWriteEndpoint) -> RemoteWriteEndpoint:
    """Expose Receive, and return its endpoint for agents."""
    reached = expose_endpoint(monitor, settings.expose, ROUTER, WRITE)
    return endpoint._replace(url=f"{reached}{WRITE.paths[0]}", protocol=PROTOCOL_1)


def memcached_args(monitor: Monitor, thanos: Thanos, memcached: Memcached) -> ThanosMemcachedArgs:
    """Return the arguments of memcached."""
    return {
        "namespace": monitor.context.namespace,
        "flags": memcached_flags(memcached.memory),
        "replicas": memcached.replicas,
        "memory": memory.memcached_memory(memcached.memory),
        "users": [*stores(thanos), *([QUERY] if thanos.query_frontend else [])],
        "image": monitor.fleet.images.memcached,
        "rollout_timeout": seconds(monitor.fleet.rollout_timeout),
    }


def query_args(monitor: Monitor, thanos: Thanos) -> ThanosQueryArgs:
    """Return the arguments of Query."""
    fleet = monitor.fleet
    args: ThanosQueryArgs = {
        "namespace": monitor.context.namespace,
        "prefix": fleet.namespace,
        "flags": query.query_flags(thanos),
        "endpoints": query.endpoints(monitor.server, fleet, thanos),
        "certificates": sorted({remote.tls_secret for remote in thanos.query.endpoints}),
        "replicas": thanos.query.replicas,
        "memory": memory.query_memory(fleet.server_series),
        "readers": {READER: READER, **({RULER: RULER} if ruler.is_stateless(thanos) else {})},
        "viewer": VIEWER,
        "scraper": monitor.server.app,
        "tls_secret": monitor.tls_secret,
        "image": fleet.images.thanos,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if thanos.query_frontend:
        args["frontend"] = query.frontend_flags(thanos.query_frontend, thanos.memcached)
    return args


def ruler_args(
    monitor: Monitor,
    thanos: Thanos,
    settings: Ruler,
    access: BucketAccess,
    notify_role: pulumi.Output[str] | None,
) -> ThanosRulerArgs:
    """Return the arguments of the Rulers."""
    fleet, verified = monitor.fleet, verifies_tokens(monitor.fleet.partial)
    flags = ruler.ruler_flags(monitor.server, fleet, thanos, verified=verified)
    args: ThanosRulerArgs = {
        **role_args(monitor, settings, access, flags, memory.Memory("128Mi", "1Gi")),
        "replicas": settings.replicas,
        "rules": render.ruler_rules(fleet),
        "alertmanagers": ruler.ruler_alertmanagers(monitor.server, fleet),
        "tls_secret": monitor.tls_secret,
        "stateless": ruler.is_stateless(thanos),
        "verified": verified and ruler.is_stateless(thanos),
        "files": render.alerting_files(fleet),
    }
    if notify_role is not None:
        args["notify"] = notify_role
    return args


def web_args(monitor: Monitor, thanos: Thanos, access: BucketAccess) -> ThanosBucketWebArgs:
    """Return the arguments of the bucket web."""
    fleet = monitor.fleet
    return {
        "namespace": monitor.context.namespace,
        "prefix": fleet.namespace,
        "flags": web_flags(thanos),
        "access": access,
        "reader": READER,
        "tls_secret": monitor.tls_secret,
        "image": fleet.images.thanos,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
