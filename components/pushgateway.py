"""Pushgateway: keeps the last metrics of jobs that end before they are scraped."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.pushgateway import APP, DATA, FLAGS, LISTEN, METRICS, PUSH

from .k8s import auth_proxy
from .k8s.auth_proxy import permission
from .k8s.labels import metadata_of
from .k8s.probes import exec_probes
from .k8s.security import POD_WITH_VOLUME, RESTRICTED
from .k8s.service_account import bind_role, service_account, service_account_token
from .k8s.timeouts import timeouts
from .k8s.volume import claim
from .k8s.workload import pod_defaults, resources, stateful_set


class PushgatewayArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    scraper: str
    """App, and ServiceAccount, of the Prometheus that scrapes it."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with the auth proxy's certificate."""
    storage: pulumi.Input[str]
    """Size of the volume."""
    storage_class: NotRequired[pulumi.Input[str] | None]
    """StorageClass of the volume; the cluster's default, if None or left out."""
    image: str
    """Image of Pushgateway."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""


class Pushgateway(pulumi.ComponentResource):
    """Accepts pushes with its token, and is scraped by the Prometheus server."""

    pusher_token: pulumi.Output[str]
    """Bearer token for pushes; secret."""
    cleaner_token: pulumi.Output[str]
    """Bearer token for deleting groups; secret."""

    def __init__(self, name: str, args: PushgatewayArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Pushgateway", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata = metadata_of(APP, args["namespace"], args["image"])
        account = service_account(f"{name}-account", metadata, child_opts)
        proxies = auth_proxy.auth_proxies(
            name,
            [PUSH, METRICS.called_by(args["scraper"])],
            image=args["auth_proxy_image"],
            metadata=metadata,
            account=account,
            tls_secret=args["tls_secret"],
            prefix=args["prefix"],
            await_opts=await_opts,
        )
        scraper: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{APP}-metrics-scraper"}
        bind_role(f"{name}-metrics-scraper", scraper, proxies.roles[METRICS.name], args["scraper"], child_opts)
        cleaner: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{APP}-cleaner"}
        cleaner_role = k8s.rbac.v1.Role(
            f"{name}-cleaner-role", metadata=cleaner, rules=permission(PUSH, APP, ["delete"]), opts=child_opts
        )
        self.cleaner_token = service_account_token(
            f"{name}-cleaner", cleaner, cleaner_role.metadata.name, 0, child_opts
        )
        self.pusher_token = service_account_token(
            f"{name}-pusher", {**metadata, "name": f"{APP}-pusher"}, proxies.roles[PUSH.name], 0, child_opts
        )
        volume = claim(name, metadata, args["storage"], args.get("storage_class"), await_opts)
        stateful_set(name, APP, metadata, pod(args, account.metadata.name, proxies, volume.metadata.name), await_opts)
        self.register_outputs({"pusher_token": self.pusher_token, "cleaner_token": self.cleaner_token})


def pod(
    args: PushgatewayArgs, account: pulumi.Input[str], proxies: auth_proxy.AuthProxies, volume: pulumi.Input[str]
) -> k8s.core.v1.PodSpecArgsDict:
    """Pushgateway on loopback, and its auth proxy."""
    server: k8s.core.v1.ContainerArgsDict = {
        "name": APP,
        "image": args["image"],
        "args": list(FLAGS),
        "resources": resources("10m", "32Mi", "256Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [{"name": "data", "mount_path": DATA}],
        **exec_probes(LISTEN),
    }
    return {
        **pod_defaults(account, POD_WITH_VOLUME),
        "containers": [server, *proxies.containers],
        "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": volume}}, *proxies.volumes],
    }
