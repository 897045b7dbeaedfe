"""Thanos Receive: takes agents' samples by remote write, one tenant per agent, and replicates them to ingestors."""

from collections.abc import Mapping, Sequence
from posixpath import dirname
from typing import NotRequired

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.authenticated import WRITE
from render.thanos.names import HTTP, OWN_CERTIFICATE, QUERY, RECEIVE, ROUTER, ROUTER_PODS
from render.thanos.receive import HASHRING_FILE, ROUTER_DATA
from render.writers import HEALTH_PORT

from ..k8s import auth_proxy, tokens
from ..k8s.labels import metadata_of
from ..k8s.network_policy import allow_ingress
from ..k8s.security import POD_RESTRICTED
from ..k8s.service import headless
from ..k8s.service_account import bind_role, service_account
from ..k8s.timeouts import timeouts
from ..k8s.volume import public_certificate
from ..k8s.workload import budget, deployment, pod_defaults, spread
from ..k8s.write_proxy import Envoy
from . import role as thanos
from .role import PORTS, BucketAccess, RoleArgs, role


class ThanosReceiveArgs(RoleArgs):
    """Arguments of the ingestors, and of the routers in front of them."""

    prefix: str
    """Begins the names of its cluster-wide objects."""
    router_flags: Sequence[str]
    """Command line of a router."""
    routers: int
    """Number of routers."""
    files: Mapping[str, str]
    """The routers' configuration: file name -> text."""
    writers: Sequence[str]
    """ServiceAccounts, in this namespace, with access to remote write through a kube-rbac-proxy."""
    envoy: NotRequired[Envoy]
    """Judges remote write in its place, and lets in whom its own files name."""
    series_limit_reader: NotRequired[pulumi.Input[str]]
    """Role that permits queries to the hub, from which routers with limits query the series of each tenant."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with the certificate of this auth proxy and the hub's."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""


class ThanosReceive(pulumi.ComponentResource):
    """Routers behind an auth proxy that sets the tenant header, and ingestors that only routers may connect to."""

    service: pulumi.Output[str]
    """Name of the Service with the auth proxy's port."""

    def __init__(self, name: str, args: ThanosReceiveArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosReceive", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        role(f"{name}-{RECEIVE}", RECEIVE, args, [QUERY, ROUTER], self)
        own = f"{name}-{ROUTER}"
        metadata = metadata_of(ROUTER, args["namespace"], args["image"])
        account = service_account(f"{own}-account", metadata, child_opts)
        envoy = args.get("envoy")
        proxies = auth_proxy.auth_proxies(
            own,
            [] if envoy else [WRITE],
            image=args["auth_proxy_image"],
            metadata=metadata,
            account=account,
            tls_secret=args["tls_secret"],
            prefix=args["prefix"],
            await_opts=await_opts,
            envoy=envoy,
        )
        self.service = proxies.service
        if "series_limit_reader" in args:
            bind_role(
                f"{own}-asker",
                {**metadata, "name": f"{ROUTER}-asker"},
                args["series_limit_reader"],
                account.metadata.name,
                child_opts,
            )
        for writer in () if envoy else args["writers"]:
            role_metadata: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{ROUTER}-{writer}"}
            bind_role(f"{own}-{writer}", role_metadata, proxies.roles[WRITE.name], writer, child_opts)
        pods: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": ROUTER_PODS}
        health_port = {HEALTH_PORT: envoy.proxy.health} if envoy else {}
        headless(f"{own}-pods", pods, ROUTER, {**PORTS, **health_port}, await_opts)
        scraped = {port: [args["scraper"]] for port in (HTTP, *health_port.values())}
        allow_ingress(f"{own}-pods", pods, ROUTER, scraped, child_opts)
        self._route(own, args, metadata, account.metadata.name, proxies, child_opts)
        self.register_outputs({"service": self.service})

    def _route(
        self,
        own: str,
        args: ThanosReceiveArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        account: pulumi.Input[str],
        proxies: auth_proxy.AuthProxies,
        child_opts: ResourceOptions,
    ) -> None:
        """Make the routers, which are stateless."""
        config = k8s.core.v1.ConfigMap(f"{own}-config", metadata=metadata, data=args["files"], opts=child_opts)
        folder = dirname(HASHRING_FILE)
        mounts: list[k8s.core.v1.VolumeMountArgsDict] = [
            {"name": "config", "mount_path": folder, "read_only": True},
            {"name": "scratch", "mount_path": ROUTER_DATA},
            {"name": "certificate", "mount_path": OWN_CERTIFICATE, "read_only": True},
            *([tokens.API.mount] if "series_limit_reader" in args else []),
        ]
        router = thanos.container(args["image"], args["router_flags"], ("128Mi", "1Gi"), BucketAccess(), mounts, ROUTER)
        budget(own, metadata, ROUTER, child_opts)
        pod: k8s.core.v1.PodSpecArgsDict = {
            **pod_defaults(account, POD_RESTRICTED),
            "topology_spread_constraints": spread(ROUTER),
            "containers": [router, *proxies.containers],
            "volumes": [
                {"name": "config", "config_map": {"name": config.metadata.name}},
                {"name": "scratch", "empty_dir": {"size_limit": "64Mi"}},
                public_certificate(args["tls_secret"]),
                *proxies.volumes,
            ],
        }
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        deployment(own, ROUTER, metadata, pod, await_opts, args["routers"])
