"""The two ways into a hub: a proxy that lets agents write, and one that lets readers ask. Neither leads further."""

from typing import Literal, NamedTuple

import pulumi
import pulumi_kubernetes as k8s

from prometheus.flags import LISTEN

from .pods import RESTRICTED, resources

GROUP = "promfleet.io"
"""API group of a resource that exists in RBAC only, so that no default role grants it."""
CONFIG = "/etc/doors"
TLS = "/etc/tls"


class Door(NamedTuple):
    """One kube-rbac-proxy in front of the hub."""

    name: Literal["write", "read"]
    port: int
    health: int
    verbs: tuple[str, ...]
    """What Kubernetes calls the HTTP methods that its holders may use."""
    paths: tuple[str, ...]


DOORS = (
    Door("write", 8443, 8643, ("create",), ("/api/v1/write",)),
    Door(
        "read",
        8444,
        8644,
        ("create", "get"),
        (
            "/api/v1/query",
            "/api/v1/query_range",
            "/api/v1/query_exemplars",
            "/api/v1/labels",
            "/api/v1/label/*/values",
            "/api/v1/series",
            "/api/v1/metadata",
            "/api/v1/rules",
            "/api/v1/alerts",
            "/api/v1/status/buildinfo",
        ),
    ),
)


def authorization(namespace: pulumi.Input[str], hub: str) -> dict[str, pulumi.Output[str]]:
    """The doors' configuration files: who passes must be allowed `hubs/<door>` of this hub."""
    return {
        f"{door.name}.yaml": pulumi.Output.json_dumps(
            {
                "authorization": {
                    "resourceAttributes": {
                        "namespace": namespace,
                        "apiGroup": GROUP,
                        "apiVersion": "v1",
                        "resource": "hubs",
                        "subresource": door.name,
                        "name": hub,
                    }
                }
            }
        )
        for door in DOORS
    }


def permission(door: Door, hub: str) -> list[k8s.rbac.v1.PolicyRuleArgsDict]:
    """The rules of the Role that opens one door."""
    return [
        {
            "api_groups": [GROUP],
            "resources": [f"hubs/{door.name}"],
            "resource_names": [hub],
            "verbs": list(door.verbs),
        }
    ]


def container(door: Door, image: str) -> k8s.core.v1.ContainerArgsDict:
    """The door itself; what it does not name answers 404, before and after authentication."""
    return {
        "name": f"{door.name}-door",
        "image": image,
        "args": [
            f"--secure-listen-address=:{door.port}",
            f"--proxy-endpoints-port={door.health}",
            f"--upstream=http://{LISTEN}/",
            f"--config-file={CONFIG}/{door.name}.yaml",
            f"--allow-paths={','.join(door.paths)}",
            f"--tls-cert-file={TLS}/tls.crt",
            f"--tls-private-key-file={TLS}/tls.key",
        ],
        "ports": [
            {"name": door.name, "container_port": door.port},
            {"name": f"{door.name}-health", "container_port": door.health},
        ],
        "readiness_probe": {
            "http_get": {"path": "/healthz", "port": f"{door.name}-health", "scheme": "HTTPS"},
        },
        "resources": resources("20m", "32Mi", "256Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [
            {"name": "doors", "mount_path": CONFIG, "read_only": True},
            {"name": "tls", "mount_path": TLS, "read_only": True},
        ],
    }
