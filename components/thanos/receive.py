"""The Receive of Thanos: takes every agent's samples under a tenant of its own, each sample several times."""

from collections.abc import Mapping, Sequence
from typing import NotRequired

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.roles import (
    CERTIFICATES,
    HASHRING_FILE,
    HTTP,
    QUERY,
    RECEIVE,
    REMOTE_WRITE_LISTEN,
    ROUTER,
    TENANT_HEADER,
)
from settings.images import KUBE_RBAC_PROXY, THANOS

from ..k8s import auth_proxy as doors
from ..k8s import tokens
from ..k8s.auth_proxy import Door
from ..k8s.labels import selector
from ..k8s.pods import POD_RESTRICTED
from ..k8s.replicas import budget, spread
from ..k8s.service_account import grant
from ..k8s.timeouts import timeouts
from . import role as thanos
from .role import Access, RoleArgs, certificate_alone, headless, let_in, metadata_of, role

WRITE = Door(
    "receivers", "write", REMOTE_WRITE_LISTEN, 8443, 8643, ("create",), ("/api/v1/receive",), user_header=TENANT_HEADER
)


class ThanosReceiveArgs(RoleArgs):
    """Those of the ingestors, and what the routers before them need."""

    prefix: str
    """Begins the names of its cluster-wide objects."""
    router_flags: Sequence[str]
    """Command line of a router."""
    routers: int
    files: Mapping[str, str]
    """The routers' configuration: name of a file -> text."""
    writers: Sequence[str]
    """ServiceAccounts, in this namespace, that may write."""
    asks: NotRequired[pulumi.Input[str]]
    """Role that opens the hub's read door; routers with limits ask there how many series a tenant has."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls that this door and the hub's show."""
    door_image: NotRequired[str]
    """kube-rbac-proxy; the release that this package is tested with, if left out."""


class ThanosReceive(pulumi.ComponentResource):
    """Routers behind a door that tells them who writes, and ingestors that only they reach."""

    service: pulumi.Output[str]
    """Name of the Service with the door's port."""

    def __init__(self, name: str, args: ThanosReceiveArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosReceive", name, {}, opts)
        child = ResourceOptions(parent=self)
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        role(f"{name}-{RECEIVE}", RECEIVE, args, [QUERY, ROUTER], self)
        own = f"{name}-{ROUTER}"
        metadata = metadata_of(ROUTER, args["namespace"], args.get("image", THANOS))
        account = k8s.core.v1.ServiceAccount(
            f"{own}-account", metadata=metadata, automount_service_account_token=False, opts=child
        )
        entrance = doors.entrance(
            own,
            [WRITE],
            args.get("door_image", KUBE_RBAC_PROXY),
            metadata,
            account,
            args["tls_secret"],
            args["prefix"],
            bounded,
        )
        self.service = entrance.service
        if "asks" in args:
            grant(f"{own}-asker", {**metadata, "name": f"{ROUTER}-asker"}, args["asks"], account.metadata.name, child)
        for writer in args["writers"]:
            writes: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{ROUTER}-{writer}"}
            grant(f"{own}-{writer}", writes, entrance.roles[WRITE.name], writer, child)
        pods: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{ROUTER}-pods"}
        headless(own, pods, ROUTER, bounded)
        let_in(f"{own}-pods", pods, ROUTER, {HTTP: [args["scraper"]]}, child)
        self._route(own, args, metadata, account.metadata.name, entrance, child)
        self.register_outputs({"service": self.service})

    def _route(
        self,
        own: str,
        args: ThanosReceiveArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        account: pulumi.Input[str],
        entrance: doors.Entrance,
        child: ResourceOptions,
    ) -> None:
        """Make the routers, which keep nothing."""
        config = k8s.core.v1.ConfigMap(f"{own}-config", metadata=metadata, data=args["files"], opts=child)
        folder = HASHRING_FILE.rpartition("/")[0]
        mounts: list[k8s.core.v1.VolumeMountArgsDict] = [
            {"name": "config", "mount_path": folder, "read_only": True},
            {"name": "scratch", "mount_path": "/data"},
            {"name": "certificate", "mount_path": f"{CERTIFICATES}/own", "read_only": True},
            *([tokens.API.mount] if "asks" in args else []),
        ]
        router = thanos.container(
            args.get("image", THANOS), args["router_flags"], ("128Mi", "1Gi"), Access(), mounts, ROUTER
        )
        budget(own, metadata, ROUTER, child)
        k8s.apps.v1.Deployment(
            f"{own}-deployment",
            metadata=metadata,
            spec={
                "replicas": args["routers"],
                "selector": {"match_labels": selector(ROUTER, ROUTER)},
                "template": {
                    "metadata": {"labels": metadata["labels"]},
                    "spec": {
                        "service_account_name": account,
                        "automount_service_account_token": False,
                        "node_selector": {"kubernetes.io/os": "linux"},
                        "enable_service_links": False,
                        "security_context": POD_RESTRICTED,
                        "topology_spread_constraints": spread(ROUTER),
                        "containers": [router, *entrance.containers],
                        "volumes": [
                            {"name": "config", "config_map": {"name": config.metadata.name}},
                            {"name": "scratch", "empty_dir": {"size_limit": "64Mi"}},
                            certificate_alone(args["tls_secret"]),
                            *entrance.volumes,
                        ],
                    },
                },
            },
            opts=ResourceOptions(parent=self, custom_timeouts=timeouts(args)),
        )
