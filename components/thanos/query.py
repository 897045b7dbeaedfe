"""The Query of Thanos: one answer from every Prometheus, Store, Receive and Ruler."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.prometheus.server import APP as HUB
from render.thanos.roles import (
    CERTIFICATES,
    ENDPOINTS_FILE,
    FRONTEND,
    FRONTEND_LISTEN,
    GRPC,
    QUERY,
    QUERY_LISTEN,
    RULER,
)
from settings.images import KUBE_RBAC_PROXY, THANOS

from ..hub_prometheus import READ
from ..k8s import auth_proxy as doors
from ..k8s.auth_proxy import Door
from ..k8s.labels import selector
from ..k8s.pods import POD_RESTRICTED, RESTRICTED, asked_inside, resources
from ..k8s.replicas import budget, spread
from ..k8s.service_account import grant
from ..k8s.timeouts import timeouts
from . import role as thanos

PATHS = (*READ.paths, "/api/v1/stores")
METRICS = Door("queries", "metrics", QUERY_LISTEN, 8445, 8645, ("get",), ("/metrics",), (HUB,))
FRONTEND_METRICS = Door("queries", "frontend", FRONTEND_LISTEN, 8446, 8646, ("get",), ("/metrics",), (HUB,))


def read_door(*, frontend: bool) -> Door:
    """The door of people and Grafana, which leads to the frontend where there is one."""
    upstream = FRONTEND_LISTEN if frontend else QUERY_LISTEN
    return Door("queries", READ.name, upstream, READ.port, READ.health, READ.verbs, PATHS)


class ThanosQueryArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    flags: Sequence[str]
    """Command line of Query."""
    endpoints: str
    """Text of the file that names what it asks."""
    frontend: NotRequired[Sequence[str]]
    """Command line of a Query Frontend beside each replica; none, if left out."""
    certificates: Sequence[str]
    """Secrets to show to endpoints of other systems, and to trust them by."""
    replicas: int
    memory: tuple[str, str]
    """Request and limit of Query's memory."""
    readers: Mapping[str, pulumi.Input[str]]
    """Who may ask: name -> ServiceAccount of this namespace."""
    scraper: pulumi.Input[str]
    """ServiceAccount, in this namespace, of the Prometheus that scrapes it."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls that the doors show."""
    image: NotRequired[str]
    """Thanos; the release that this package is tested with, if left out."""
    door_image: NotRequired[str]
    """kube-rbac-proxy; likewise."""
    rollout_timeout: NotRequired[int]
    """Seconds until a Deployment that does not become ready fails the update."""


class ThanosQuery(pulumi.ComponentResource):
    """Asks all, folds equal series, and answers those that its door lets in."""

    service: pulumi.Output[str]
    """Name of the Service with a port per door."""
    roles: Mapping[str, pulumi.Output[str]]
    """Door -> name of the Role that opens it."""

    def __init__(self, name: str, args: ThanosQueryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosQuery", name, {}, opts)
        child = ResourceOptions(parent=self)
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        own = f"{name}-{QUERY}"
        metadata = thanos.metadata_of(QUERY, args["namespace"], args.get("image", THANOS))
        account = k8s.core.v1.ServiceAccount(
            f"{own}-account", metadata=metadata, automount_service_account_token=False, opts=child
        )
        ways = [read_door(frontend="frontend" in args), METRICS, *([FRONTEND_METRICS] if "frontend" in args else [])]
        entrance = doors.entrance(
            own,
            ways,
            args.get("door_image", KUBE_RBAC_PROXY),
            metadata,
            account,
            args["tls_secret"],
            args["prefix"],
            bounded,
        )
        self.roles, self.service = entrance.roles, entrance.service
        for reader, who in args["readers"].items():
            grant(f"{own}-{reader}", {**metadata, "name": f"{QUERY}-{reader}"}, self.roles[READ.name], who, child)
        for door in ways[1:]:
            scraped: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{QUERY}-{door.name}-scraper"}
            grant(f"{own}-{door.name}-scraper", scraped, self.roles[door.name], args["scraper"], child)
        self._serve(own, args, metadata, account.metadata.name, entrance, child)
        self.register_outputs({"service": self.service})

    def _serve(
        self,
        own: str,
        args: ThanosQueryArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        account: pulumi.Input[str],
        entrance: doors.Entrance,
        child: ResourceOptions,
    ) -> None:
        """Make the Deployment with its configuration, and the name under which Rulers find its pods."""
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        file = ENDPOINTS_FILE.rpartition("/")[2]
        config = k8s.core.v1.ConfigMap(f"{own}-config", metadata=metadata, data={file: args["endpoints"]}, opts=child)
        grpc: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{QUERY}-grpc"}
        k8s.core.v1.Service(
            f"{own}-grpc",
            metadata=grpc,
            spec={
                "cluster_ip": "None",
                "selector": selector(QUERY, QUERY),
                "ports": [{"name": "grpc", "port": GRPC}],
            },
            opts=bounded,
        )
        thanos.let_in(f"{own}-grpc", grpc, QUERY, {GRPC: [RULER]}, child)
        budget(own, metadata, QUERY, child)
        k8s.apps.v1.Deployment(
            f"{own}-deployment",
            metadata=metadata,
            spec={
                "replicas": args["replicas"],
                "selector": {"match_labels": selector(QUERY, QUERY)},
                "template": {
                    "metadata": {"labels": metadata["labels"]},
                    "spec": pod(args, account, config.metadata.name, entrance),
                },
            },
            opts=bounded,
        )


def pod(
    args: ThanosQueryArgs, account: pulumi.Input[str], config: pulumi.Input[str], entrance: doors.Entrance
) -> k8s.core.v1.PodSpecArgsDict:
    """Query on loopback, its frontend before it, and the doors."""
    shown: list[k8s.core.v1.VolumeArgsDict] = [
        # By number: the name of a Secret may be longer than a volume's, have dots, or be that of another volume.
        {"name": f"certificate-{number}", "secret": {"secret_name": secret}}
        for number, secret in enumerate(args["certificates"])
    ]
    mounts: list[k8s.core.v1.VolumeMountArgsDict] = [
        {"name": f"certificate-{number}", "mount_path": f"{CERTIFICATES}/{secret}", "read_only": True}
        for number, secret in enumerate(args["certificates"])
    ]
    mounts.append({"name": "config", "mount_path": ENDPOINTS_FILE.rpartition("/")[0], "read_only": True})
    frontend = (
        [server(FRONTEND, args, args["frontend"], ("64Mi", "1Gi"), FRONTEND_LISTEN)] if "frontend" in args else []
    )
    return {
        "service_account_name": account,
        "automount_service_account_token": False,
        "node_selector": {"kubernetes.io/os": "linux"},
        "enable_service_links": False,
        "security_context": POD_RESTRICTED,
        "topology_spread_constraints": spread(QUERY),
        "containers": [
            server(QUERY, args, args["flags"], args["memory"], QUERY_LISTEN, mounts),
            *frontend,
            *entrance.containers,
        ],
        "volumes": [
            {"name": "config", "config_map": {"name": config}},
            *shown,
            *entrance.volumes,
        ],
    }


def server(
    name: str,
    args: ThanosQueryArgs,
    flags: Sequence[str],
    memory: tuple[str, str],
    listen: str,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
) -> k8s.core.v1.ContainerArgsDict:
    """A server whose HTTP is on loopback, so that its probes are run inside."""
    return {
        "name": name,
        "image": args.get("image", THANOS),
        "args": list(flags),
        "resources": resources("50m", *memory),
        "security_context": RESTRICTED,
        "volume_mounts": list(mounts),
        **asked_inside(listen),
    }
