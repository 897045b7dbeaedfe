"""memcached: the common cache of Thanos Stores and Query Frontends."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.memcached import MEMCACHED, PORT, PORT_NAME

from ..k8s.labels import metadata_of, selector
from ..k8s.network_policy import allow_ingress
from ..k8s.security import POD_RESTRICTED, RESTRICTED
from ..k8s.service import headless
from ..k8s.service_account import service_account
from ..k8s.timeouts import timeouts
from ..k8s.workload import budget, pod_defaults, resources, spread


class ThanosMemcachedArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    flags: Sequence[str]
    """Command line of memcached."""
    replicas: int
    """Number of pods, among which items are divided."""
    memory: tuple[str, str]
    """Request and limit of memory."""
    users: Sequence[str]
    """Names of the apps that may connect; memcached has no authentication."""
    image: str
    """Image of memcached."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""


class ThanosMemcached(pulumi.ComponentResource):
    """
    Independent servers; clients distribute the keys among their names.

    A StatefulSet, though without volumes, for these names, which stay when a pod is replaced.
    """

    def __init__(self, name: str, args: ThanosMemcachedArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosMemcached", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        own = f"{name}-{MEMCACHED}"
        metadata = metadata_of(MEMCACHED, args["namespace"], args["image"])
        account = service_account(f"{own}-account", metadata, child_opts)
        pods = headless(f"{own}-pods", metadata, MEMCACHED, {PORT_NAME: PORT}, await_opts)
        allow_ingress(own, metadata, MEMCACHED, {PORT: args["users"]}, child_opts)
        budget(own, metadata, MEMCACHED, child_opts)
        k8s.apps.v1.StatefulSet(
            f"{own}-statefulset",
            metadata=metadata,
            spec={
                "replicas": args["replicas"],
                "service_name": pods.metadata.name,
                "pod_management_policy": "Parallel",  # with OrderedReady, a pod that never starts is never replaced
                "selector": {"match_labels": selector(MEMCACHED, MEMCACHED)},
                "template": {"metadata": {"labels": metadata["labels"]}, "spec": pod(args, account.metadata.name)},
            },
            opts=await_opts,
        )
        self.register_outputs({})


def pod(args: ThanosMemcachedArgs, account: pulumi.Input[str]) -> k8s.core.v1.PodSpecArgsDict:
    """The pod of memcached, which is ready once it listens."""
    listens: k8s.core.v1.ProbeArgsDict = {"tcp_socket": {"port": PORT_NAME}, "timeout_seconds": 5}
    return {
        **pod_defaults(account, POD_RESTRICTED),
        "topology_spread_constraints": spread(MEMCACHED),
        "containers": [
            {
                "name": "memcached",
                "image": args["image"],
                "args": list(args["flags"]),
                "ports": [{"name": PORT_NAME, "container_port": PORT}],
                "resources": resources("50m", *args["memory"]),
                "security_context": RESTRICTED,
                "readiness_probe": {**listens, "period_seconds": 5},
                "liveness_probe": {**listens, "period_seconds": 30, "failure_threshold": 4},
            }
        ],
    }
