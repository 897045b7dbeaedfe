"""The Pushgateway: keeps the last metrics of jobs that end before they are scraped."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.prometheus.server import APP as HUB
from render.pushgateway import APP, DATA, FLAGS, LISTEN, METRICS_DOOR, PATHS
from settings.images import KUBE_RBAC_PROXY, PUSHGATEWAY

from .k8s import auth_proxy as doors
from .k8s.auth_proxy import Door, permission
from .k8s.labels import labels
from .k8s.pods import POD_WITH_VOLUME, RESTRICTED, asked_inside, resources, stateful_set
from .k8s.scraper import claim
from .k8s.service_account import grant, identity
from .k8s.timeouts import timeouts

PUSH = Door("pushgateways", "push", LISTEN, 8443, 8643, ("create", "update"), PATHS)
"""Jobs push through it; deleting what was pushed takes a right of its own."""
METRICS = Door("pushgateways", METRICS_DOOR, LISTEN, 8444, 8644, ("get",), ("/metrics",), (HUB,))


class PushgatewayArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    scraper: pulumi.Input[str]
    """ServiceAccount, in this namespace, of the Prometheus that scrapes it."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls that the door shows."""
    storage: pulumi.Input[str]
    """Size of the volume."""
    storage_class: NotRequired[pulumi.Input[str]]
    """The cluster's default class, if left out."""
    image: NotRequired[str]
    """Pushgateway; the release that this package is tested with, if left out."""
    door_image: NotRequired[str]
    """kube-rbac-proxy; likewise."""
    rollout_timeout: NotRequired[int]
    """Seconds until a StatefulSet that does not become ready fails the update."""


class Pushgateway(pulumi.ComponentResource):
    """Takes pushes from whoever holds its token, and is scraped by the hub."""

    pusher_token: pulumi.Output[str]
    """Bearer token for pushes; secret."""
    cleaner_token: pulumi.Output[str]
    """Bearer token for deleting groups; secret."""

    def __init__(self, name: str, args: PushgatewayArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Pushgateway", name, {}, opts)
        child = ResourceOptions(parent=self)
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": APP,
            "namespace": args["namespace"],
            "labels": labels(APP, APP, args.get("image", PUSHGATEWAY)),
        }
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account", metadata=metadata, automount_service_account_token=False, opts=child
        )
        entrance = doors.entrance(
            name,
            [PUSH, METRICS],
            args.get("door_image", KUBE_RBAC_PROXY),
            metadata,
            account,
            args["tls_secret"],
            args["prefix"],
            bounded,
        )
        scraper: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{APP}-metrics-scraper"}
        grant(f"{name}-metrics-scraper", scraper, entrance.roles[METRICS.name], args["scraper"], child)
        cleaner: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{APP}-cleaner"}
        cleans = k8s.rbac.v1.Role(
            f"{name}-cleaner-role", metadata=cleaner, rules=permission(PUSH, APP, ["delete"]), opts=child
        )
        self.cleaner_token = identity(f"{name}-cleaner", cleaner, cleans.metadata.name, 0, child)
        self.pusher_token = identity(
            f"{name}-pusher", {**metadata, "name": f"{APP}-pusher"}, entrance.roles[PUSH.name], 0, child
        )
        volume = claim(name, metadata, args["storage"], args.get("storage_class"), bounded)
        stateful_set(name, APP, metadata, pod(args, account.metadata.name, entrance, volume.metadata.name), bounded)
        self.register_outputs({"pusher_token": self.pusher_token, "cleaner_token": self.cleaner_token})


def pod(
    args: PushgatewayArgs, account: pulumi.Input[str], entrance: doors.Entrance, volume: pulumi.Input[str]
) -> k8s.core.v1.PodSpecArgsDict:
    """Pushgateway on loopback, and its door."""
    server: k8s.core.v1.ContainerArgsDict = {
        "name": APP,
        "image": args.get("image", PUSHGATEWAY),
        "args": list(FLAGS),
        "resources": resources("10m", "32Mi", "256Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [{"name": "data", "mount_path": DATA}],
        **asked_inside(LISTEN),
    }
    return {
        "service_account_name": account,
        "automount_service_account_token": False,
        "node_selector": {"kubernetes.io/os": "linux"},
        "enable_service_links": False,
        "security_context": POD_WITH_VOLUME,
        "containers": [server, *entrance.containers],
        "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": volume}}, *entrance.volumes],
    }
