"""The only ways to what listens on loopback: proxies that ask Kubernetes who comes, and lead to named paths only."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.tokens import AUDIENCE

from . import tokens
from .labels import selector
from .network_policy import pods_of
from .pods import RESTRICTED, STARTING, resources

GROUP = "promfleet.io"
"""API group of resources that exist in RBAC only, so that no default role grants them."""
CONFIG = "/etc/doors"
TLS = "/etc/tls"


class Door(NamedTuple):
    """One kube-rbac-proxy; who passes must be allowed `<resource>/<name>` of this instance."""

    resource: str
    name: str
    upstream: str
    """host:port of what it leads to, on the pod's loopback."""
    port: int
    health: int
    verbs: tuple[str, ...]
    """What Kubernetes calls the HTTP methods that its holders may use."""
    paths: tuple[str, ...]
    callers: tuple[str, ...] = ()
    """Apps of ours whose pods alone come, with tokens made for that; whoever has a token, if there are none."""
    user_header: str = ""
    """HTTP header that tells upstream who came, over what the client wrote there."""


class Entrance(NamedTuple):
    """What the doors add to a pod, what leads to them, and who may be let in."""

    containers: Sequence[k8s.core.v1.ContainerArgsDict]
    volumes: Sequence[k8s.core.v1.VolumeArgsDict]
    roles: Mapping[str, pulumi.Output[str]]
    """Door -> name of the Role that opens it."""
    service: pulumi.Output[str]
    """Name of the Service with a port per door."""


def entrance(
    name: str,
    doors: Sequence[Door],
    image: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    account: k8s.core.v1.ServiceAccount,
    tls_secret: pulumi.Input[str],
    prefix: str,
    bounded: ResourceOptions,
) -> Entrance:
    """
    Make a Role per door, what the doors themselves need to ask who comes, and a Service that leads to them alone.

    The pod's other ports are closed to everyone, unless another policy opens them. `bounded` has the timeouts of a
    rollout: the Service is waited for until a pod behind it is ready.
    """
    child = ResourceOptions(parent=bounded.parent)
    app = str(metadata["name"])
    k8s.rbac.v1.ClusterRoleBinding(
        f"{name}-reviews-binding",
        metadata={"name": f"{prefix}-{app}-reviews", "labels": metadata["labels"]},
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        subjects=[{"kind": "ServiceAccount", "name": account.metadata.name, "namespace": metadata["namespace"]}],
        opts=child,
    )
    config = k8s.core.v1.ConfigMap(
        f"{name}-doors",
        metadata={**metadata, "name": f"{app}-doors"},
        data={f"{door.name}.yaml": authorization(door, metadata["namespace"], app) for door in doors},
        opts=child,
    )
    roles = {
        door.name: k8s.rbac.v1.Role(
            f"{name}-{door.name}-role",
            metadata={**metadata, "name": f"{app}-{door.name}"},
            rules=permission(door, app, door.verbs),
            opts=child,
        ).metadata.name
        for door in doors
    }
    leading = k8s.core.v1.Service(f"{name}-service", metadata=metadata, spec=service(app, doors), opts=bounded)
    k8s.networking.v1.NetworkPolicy(
        f"{name}-policy",
        metadata=metadata,
        spec={
            "pod_selector": {"match_labels": selector(app, app)},
            "policy_types": ["Ingress"],
            "ingress": ingress(doors),
        },
        opts=child,
    )
    return Entrance(
        [container(door, image) for door in doors],
        [
            {"name": "doors", "config_map": {"name": config.metadata.name}},
            {"name": "tls", "secret": {"secret_name": tls_secret}},
            tokens.API.volume,
        ],
        roles,
        leading.metadata.name.apply(str),
    )


def ingress(doors: Sequence[Door]) -> list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict]:
    """Lets everybody come to the doors that people and agents come through, and to each other one its callers."""

    def port(door: Door) -> k8s.networking.v1.NetworkPolicyPortArgsDict:
        return {"port": door.name, "protocol": "TCP"}

    rules: list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict] = [
        {"from_": pods_of(door.callers), "ports": [port(door)]} for door in doors if door.callers
    ]
    public = [port(door) for door in doors if not door.callers]
    return [{"ports": public}, *rules] if public else rules


def authorization(door: Door, namespace: pulumi.Input[str], app: str) -> pulumi.Output[str]:
    """The configuration file of one door."""
    attributes = {
        "namespace": namespace,
        "apiGroup": GROUP,
        "apiVersion": "v1",
        "resource": door.resource,
        "subresource": door.name,
        "name": app,
    }
    return pulumi.Output.json_dumps({"authorization": {"resourceAttributes": attributes}})


def permission(door: Door, app: str, verbs: Sequence[str]) -> list[k8s.rbac.v1.PolicyRuleArgsDict]:
    """The rules of a Role that opens one door."""
    return [
        {
            "api_groups": [GROUP],
            "resources": [f"{door.resource}/{door.name}"],
            "resource_names": [app],
            "verbs": list(verbs),
        }
    ]


def service(app: str, doors: Sequence[Door]) -> k8s.core.v1.ServiceSpecArgsDict:
    """What leads to the doors inside the cluster: a port per door."""
    return {
        "selector": selector(app, app),
        "ports": [{"name": door.name, "port": door.port, "target_port": door.name} for door in doors],
    }


def container(door: Door, image: str) -> k8s.core.v1.ContainerArgsDict:
    """The door itself; what it does not name answers 404, before and after authentication."""
    alive: k8s.core.v1.ProbeArgsDict = {
        "http_get": {"path": "/healthz", "port": f"{door.name}-health", "scheme": "HTTPS"}
    }
    return {
        "name": f"{door.name}-door",
        "image": image,
        "args": [
            f"--secure-listen-address=:{door.port}",
            f"--proxy-endpoints-port={door.health}",
            f"--upstream=http://{door.upstream}/",
            f"--config-file={CONFIG}/{door.name}.yaml",
            f"--allow-paths={','.join(door.paths)}",
            f"--tls-cert-file={TLS}/tls.crt",
            f"--tls-private-key-file={TLS}/tls.key",
            *([f"--auth-token-audiences={AUDIENCE}"] if door.callers else []),
            *told_who(door),
            "--http2-disable",  # its end waits for every HTTP/2 connection, which a scraper never closes
        ],
        "ports": [
            {"name": door.name, "container_port": door.port},
            {"name": f"{door.name}-health", "container_port": door.health},
        ],
        "startup_probe": {**alive, **STARTING},
        "readiness_probe": alive,
        "liveness_probe": {**alive, "timeout_seconds": 5, "period_seconds": 30, "failure_threshold": 4},
        "resources": resources("20m", "32Mi", "256Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [
            {"name": "doors", "mount_path": CONFIG, "read_only": True},
            {"name": "tls", "mount_path": TLS, "read_only": True},
            tokens.API.mount,  # it asks who comes
        ],
    }


def told_who(door: Door) -> list[str]:
    """The flags that set a header to the name of who passed."""
    if not door.user_header:
        return []
    return ["--auth-header-fields-enabled", f"--auth-header-user-field-name={door.user_header}"]
