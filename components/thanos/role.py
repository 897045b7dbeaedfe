"""Container, object store access and NetworkPolicy that components of Thanos have in common."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.names import DATA, GRPC, HTTP

from ..k8s.labels import labels, metadata_of
from ..k8s.network_policy import allow_ingress
from ..k8s.probes import REPLAYING
from ..k8s.security import POD_WITH_VOLUME, RESTRICTED
from ..k8s.service import headless
from ..k8s.service_account import service_account
from ..k8s.timeouts import timeouts
from ..k8s.workload import VOLUME, pod_defaults, pod_field, replicas, resources, spread

PORTS = {"grpc": GRPC, "http": HTTP}

POD_NAME: k8s.core.v1.EnvVarArgsDict = {
    "name": "POD_NAME",
    "value_from": pod_field("metadata.name"),
}


class BucketAccess(NamedTuple):
    """Access of pods to the object store."""

    annotations: Mapping[str, pulumi.Input[str]] = {}
    """Annotations of their ServiceAccount, such as the Google service account that it acts as."""
    env: Sequence[k8s.core.v1.EnvVarArgsDict] = ()
    volumes: Sequence[k8s.core.v1.VolumeArgsDict] = ()
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = ()
    labels: Mapping[str, str] = {}
    """Labels of the pods, by which a webhook finds them."""


class RoleArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the pods."""
    flags: Sequence[str]
    """Command line of Thanos."""
    memory: tuple[str, str]
    """Request and limit of memory."""
    access: BucketAccess
    """Access to the object store."""
    scraper: str
    """Name of the app that scrapes its metrics."""
    replicas: NotRequired[int]
    """Number of pods; one, if left out."""
    storage: pulumi.Input[str]
    """Size of each pod's volume."""
    storage_class: NotRequired[pulumi.Input[str] | None]
    """StorageClass of the volume; the cluster's default, if None or left out."""
    image: str
    """Image of Thanos."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""


def container(
    image: str,
    flags: Sequence[str],
    memory: tuple[str, str],
    access: BucketAccess,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
    name: str = "thanos",
) -> k8s.core.v1.ContainerArgsDict:
    """One component of Thanos with its ports: gRPC for Query, HTTP for metrics."""
    probe: k8s.core.v1.ProbeArgsDict = {"http_get": {"path": "/-/ready", "port": "http"}, "timeout_seconds": 5}
    alive: k8s.core.v1.ProbeArgsDict = {"http_get": {"path": "/-/healthy", "port": "http"}, "timeout_seconds": 5}
    return {
        "name": name,
        "image": image,
        "args": list(flags),
        "env": [POD_NAME, *access.env],
        "ports": [{"name": "http", "container_port": HTTP}, {"name": "grpc", "container_port": GRPC}],
        "resources": resources("50m", *memory),
        "security_context": RESTRICTED,
        "startup_probe": {**probe, **REPLAYING},
        "readiness_probe": {**probe, "period_seconds": 10},
        "liveness_probe": {**alive, "period_seconds": 30, "failure_threshold": 4},
        "volume_mounts": [*access.mounts, *mounts],
    }


def role(
    name: str,
    app: str,
    args: RoleArgs,
    clients: Sequence[str],
    parent: pulumi.Resource,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
    volumes: Sequence[k8s.core.v1.VolumeArgsDict] = (),
    grace: int = 300,
) -> k8s.core.v1.ServiceAccount:
    """
    Make a StatefulSet of Thanos with its ServiceAccount, which is returned, headless Service and NetworkPolicy.

    `grace` is the termination grace period in seconds, in which Receive and Ruler upload what they have.
    """
    child_opts = ResourceOptions(parent=parent)
    await_opts = ResourceOptions(parent=parent, custom_timeouts=timeouts(args))
    image = args["image"]
    metadata = metadata_of(app, args["namespace"], image)
    annotated: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "annotations": args["access"].annotations}
    account = service_account(f"{name}-account", annotated, child_opts)
    pods = headless(f"{name}-pods", metadata, app, PORTS, await_opts)
    allow_ingress(name, metadata, app, {GRPC: clients, HTTP: [args["scraper"]]}, child_opts)
    data: k8s.core.v1.VolumeMountArgsDict = {"name": VOLUME, "mount_path": DATA}
    pod: k8s.core.v1.PodSpecArgsDict = {
        **pod_defaults(account.metadata.name, POD_WITH_VOLUME),
        "topology_spread_constraints": spread(app),
        "termination_grace_period_seconds": grace,
        "containers": [container(image, args["flags"], args["memory"], args["access"], [data, *mounts])],
        "volumes": [*args["access"].volumes, *volumes],
    }
    replicas(
        name,
        app,
        args.get("replicas", 1),
        metadata=metadata,
        pod=pod,
        peers=pods.metadata.name,
        storage=args["storage"],
        storage_class=args.get("storage_class"),
        pod_labels={**labels(app, app, image), **args["access"].labels},
        opts=await_opts,
    )
    return account
