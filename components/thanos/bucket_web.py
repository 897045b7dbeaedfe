"""Thanos bucket web: a page that shows the blocks in the bucket."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.bucket_web import BROWSE, WEB_LISTEN
from render.thanos.names import WEB

from ..k8s import auth_proxy
from ..k8s.labels import labels, metadata_of
from ..k8s.probes import exec_probes
from ..k8s.security import POD_RESTRICTED, RESTRICTED
from ..k8s.service_account import bind_role, service_account
from ..k8s.timeouts import timeouts
from ..k8s.workload import deployment, pod_defaults, resources
from .role import BucketAccess


class ThanosBucketWebArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    flags: Sequence[str]
    """Command line of Thanos."""
    access: BucketAccess
    """Access to the object store."""
    reader: pulumi.Input[str]
    """ServiceAccount, in this namespace, with read access."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with the auth proxy's certificate."""
    image: str
    """Image of Thanos."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""
    rollout_timeout: int
    """Seconds until a Deployment that does not become ready fails the update."""


class ThanosBucketWeb(pulumi.ComponentResource):
    """A page with the blocks of the bucket, behind an auth proxy."""

    service: pulumi.Output[str]
    """Name of the Service with the auth proxy's port."""

    def __init__(self, name: str, args: ThanosBucketWebArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosBucketWeb", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        own = f"{name}-{WEB}"
        image = args["image"]
        metadata = metadata_of(WEB, args["namespace"], image)
        annotated: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "annotations": args["access"].annotations}
        account = service_account(f"{own}-account", annotated, child_opts)
        proxies = auth_proxy.auth_proxies(
            own,
            [BROWSE],
            image=args["auth_proxy_image"],
            metadata=metadata,
            account=account,
            tls_secret=args["tls_secret"],
            prefix=args["prefix"],
            await_opts=await_opts,
        )
        self.service = proxies.service
        reader: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{WEB}-reader"}
        bind_role(f"{own}-reader", reader, proxies.roles[BROWSE.name], args["reader"], child_opts)
        web: k8s.core.v1.ContainerArgsDict = {
            "name": "thanos",
            "image": image,
            "args": list(args["flags"]),
            "env": list(args["access"].env),
            "resources": resources("10m", "64Mi", "512Mi"),
            "security_context": RESTRICTED,
            "volume_mounts": list(args["access"].mounts),
            **exec_probes(WEB_LISTEN),
        }
        pod: k8s.core.v1.PodSpecArgsDict = {
            **pod_defaults(account.metadata.name, POD_RESTRICTED),
            "containers": [web, *proxies.containers],
            "volumes": [*args["access"].volumes, *proxies.volumes],
        }
        pod_labels = {**labels(WEB, WEB, image), **args["access"].labels}
        deployment(own, WEB, metadata, pod, await_opts, pod_labels=pod_labels)
        self.register_outputs({"service": self.service})
