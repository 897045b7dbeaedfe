"""What the roles of Thanos have in common: a container, a way to the object store, and who may ask them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.roles import DATA, GRPC, HTTP
from settings.images import THANOS

from ..k8s.labels import labels, selector
from ..k8s.network_policy import pods_of
from ..k8s.pods import POD_WITH_VOLUME, RESTRICTED, of_the_pod, resources
from ..k8s.replicas import VOLUME, replicas, spread
from ..k8s.timeouts import timeouts

POD_NAME: k8s.core.v1.EnvVarArgsDict = {
    "name": "POD_NAME",
    "value_from": of_the_pod("metadata.name"),
}


class Access(NamedTuple):
    """How the pods of a role reach the object store."""

    annotations: Mapping[str, pulumi.Input[str]] = {}
    """Of their ServiceAccount: the Google service account that it acts as."""
    env: Sequence[k8s.core.v1.EnvVarArgsDict] = ()
    volumes: Sequence[k8s.core.v1.VolumeArgsDict] = ()
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = ()


class RoleArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the pods."""
    flags: Sequence[str]
    """Command line of Thanos."""
    memory: tuple[str, str]
    """Request and limit of memory."""
    access: Access
    """How the object store is reached."""
    scraper: str
    """Name of the app that scrapes its metrics."""
    replicas: NotRequired[int]
    """How many pods; one, if left out."""
    storage: pulumi.Input[str]
    """Size of each pod's volume."""
    storage_class: NotRequired[pulumi.Input[str]]
    """The cluster's default class, if left out."""
    image: NotRequired[str]
    """Thanos; the release that this package is tested with, if left out."""
    rollout_timeout: NotRequired[int]
    """Seconds until a StatefulSet that does not become ready fails the update."""


def certificate_alone(secret: pulumi.Input[str]) -> k8s.core.v1.VolumeArgsDict:
    """The certificate that the hub's doors show, to trust it by, without its key."""
    return {
        "name": "certificate",
        "secret": {"secret_name": secret, "items": [{"key": "tls.crt", "path": "tls.crt"}]},
    }


def metadata_of(app: str, namespace: pulumi.Input[str], image: str) -> k8s.meta.v1.ObjectMetaArgsDict:
    """Name, namespace and labels of everything that belongs to a role."""
    return {"name": app, "namespace": namespace, "labels": labels(app, app, image)}


def container(
    image: str,
    flags: Sequence[str],
    memory: tuple[str, str],
    access: Access,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
    name: str = "thanos",
) -> k8s.core.v1.ContainerArgsDict:
    """One role, which answers Queries over gRPC and scrapes over HTTP."""
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
        "startup_probe": {**probe, "period_seconds": 2, "failure_threshold": 450},
        "readiness_probe": {**probe, "period_seconds": 10},
        "liveness_probe": {**alive, "period_seconds": 30, "failure_threshold": 4},
        "volume_mounts": [*access.mounts, *mounts],
    }


def let_in(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    app: str,
    ways: Mapping[int, Sequence[str]],
    child: ResourceOptions,
) -> None:
    """Let the apps named for each port come to the pods of an app, and nobody else."""
    k8s.networking.v1.NetworkPolicy(
        f"{name}-policy",
        metadata=metadata,
        spec={
            "pod_selector": {"match_labels": selector(app, app)},
            "policy_types": ["Ingress"],
            "ingress": [
                {
                    "from_": pods_of(who),
                    "ports": [{"port": port, "protocol": "TCP"}],
                }
                for port, who in ways.items()
                if who  # an empty list would let everyone in
            ],
        },
        opts=child,
    )


def headless(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, app: str, child: ResourceOptions
) -> k8s.core.v1.Service:
    """Make a name under which each pod of an app is found, for Queries and scrapes."""
    return k8s.core.v1.Service(
        f"{name}-pods",
        metadata=metadata,
        spec={
            "cluster_ip": "None",
            "selector": selector(app, app),
            "ports": [{"name": "grpc", "port": GRPC}, {"name": "http", "port": HTTP}],
        },
        opts=child,
    )


def role(
    name: str,
    app: str,
    args: RoleArgs,
    askers: Sequence[str],
    parent: pulumi.Resource,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
    volumes: Sequence[k8s.core.v1.VolumeArgsDict] = (),
) -> k8s.core.v1.ServiceAccount:
    """Run a role whose pods have volumes: its identity, which is returned, its name, who may ask it, the pods."""
    child = ResourceOptions(parent=parent)
    bounded = ResourceOptions(parent=parent, custom_timeouts=timeouts(args))
    image = args.get("image", THANOS)
    metadata = metadata_of(app, args["namespace"], image)
    account = k8s.core.v1.ServiceAccount(
        f"{name}-account",
        metadata={**metadata, "annotations": args["access"].annotations},
        automount_service_account_token=False,
        opts=child,
    )
    pods = headless(name, metadata, app, bounded)
    let_in(name, metadata, app, {GRPC: askers, HTTP: [args["scraper"]]}, child)
    data: k8s.core.v1.VolumeMountArgsDict = {"name": VOLUME, "mount_path": DATA}
    pod: k8s.core.v1.PodSpecArgsDict = {
        "service_account_name": account.metadata.name,
        "automount_service_account_token": False,
        "node_selector": {"kubernetes.io/os": "linux"},
        "enable_service_links": False,
        "security_context": POD_WITH_VOLUME,
        "topology_spread_constraints": spread(app),
        "termination_grace_period_seconds": 300,
        "containers": [container(image, args["flags"], args["memory"], args["access"], [data, *mounts])],
        "volumes": [*args["access"].volumes, *volumes],
    }
    replicas(
        name,
        app,
        args.get("replicas", 1),
        metadata,
        pod,
        pods.metadata.name,
        args["storage"],
        args.get("storage_class"),
        bounded,
    )
    return account
