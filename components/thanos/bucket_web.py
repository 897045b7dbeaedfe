"""The bucket web of Thanos: a page that shows which blocks are in the bucket."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.roles import WEB, WEB_LISTEN
from settings.images import KUBE_RBAC_PROXY, THANOS

from ..k8s import auth_proxy as doors
from ..k8s.auth_proxy import Door
from ..k8s.labels import selector
from ..k8s.pods import POD_RESTRICTED, RESTRICTED, asked_inside, resources
from ..k8s.service_account import grant
from ..k8s.timeouts import timeouts
from .role import Access, metadata_of

PATHS = ("/", "/blocks", "/loaded", "/favicon.ico", "/static/*/*", "/api/v1/blocks", "/api/v1/status/flags")
BROWSE = Door("buckets", "browse", WEB_LISTEN, 8443, 8643, ("get",), PATHS)


class ThanosBucketWebArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    flags: Sequence[str]
    """Command line of Thanos."""
    access: Access
    """How the object store is reached."""
    reader: pulumi.Input[str]
    """ServiceAccount, in this namespace, that may look."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls that the door shows."""
    image: NotRequired[str]
    """Thanos; the release that this package is tested with, if left out."""
    door_image: NotRequired[str]
    """kube-rbac-proxy; likewise."""
    rollout_timeout: NotRequired[int]
    """Seconds until a Deployment that does not become ready fails the update."""


class ThanosBucketWeb(pulumi.ComponentResource):
    """Reads the bucket and shows it to readers."""

    service: pulumi.Output[str]
    """Name of the Service with the door's port."""

    def __init__(self, name: str, args: ThanosBucketWebArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosBucketWeb", name, {}, opts)
        child = ResourceOptions(parent=self)
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        own = f"{name}-{WEB}"
        image = args.get("image", THANOS)
        metadata = metadata_of(WEB, args["namespace"], image)
        account = k8s.core.v1.ServiceAccount(
            f"{own}-account",
            metadata={**metadata, "annotations": args["access"].annotations},
            automount_service_account_token=False,
            opts=child,
        )
        entrance = doors.entrance(
            own,
            [BROWSE],
            args.get("door_image", KUBE_RBAC_PROXY),
            metadata,
            account,
            args["tls_secret"],
            args["prefix"],
            bounded,
        )
        self.service = entrance.service
        looks: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{WEB}-reader"}
        grant(f"{own}-reader", looks, entrance.roles[BROWSE.name], args["reader"], child)
        web: k8s.core.v1.ContainerArgsDict = {
            "name": "thanos",
            "image": image,
            "args": list(args["flags"]),
            "env": list(args["access"].env),
            "resources": resources("10m", "64Mi", "512Mi"),
            "security_context": RESTRICTED,
            "volume_mounts": list(args["access"].mounts),
            **asked_inside(WEB_LISTEN),
        }
        k8s.apps.v1.Deployment(
            f"{own}-deployment",
            metadata=metadata,
            spec={
                "replicas": 1,
                "selector": {"match_labels": selector(WEB, WEB)},
                "template": {
                    "metadata": {"labels": metadata["labels"]},
                    "spec": {
                        "service_account_name": account.metadata.name,
                        "automount_service_account_token": False,
                        "node_selector": {"kubernetes.io/os": "linux"},
                        "enable_service_links": False,
                        "security_context": POD_RESTRICTED,
                        "containers": [web, *entrance.containers],
                        "volumes": [*args["access"].volumes, *entrance.volumes],
                    },
                },
            },
            opts=ResourceOptions(parent=self, custom_timeouts=timeouts(args)),
        )
        self.register_outputs({"service": self.service})
