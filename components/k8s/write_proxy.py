"""Envoy in front of remote write: verifies the tokens of agents by public keys, and asks no API server."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.auth_proxy import AuthProxy
from render.write_proxy import CONFIG, HEALTH_PATH, MEMORY, TLS

from .probes import STARTING
from .security import RESTRICTED
from .workload import resources


class Envoy(NamedTuple):
    """What runs in place of the kube-rbac-proxy for remote write."""

    proxy: AuthProxy
    """Its ports, and what it leads to."""
    bootstrap: str
    """What it reads once, as JSON: a change replaces the pod."""
    files: Mapping[str, str]
    """What it reads anew when it changes: name -> JSON."""
    image: str
    """Image of Envoy."""


def write_proxy(
    name: str, envoy: Envoy, metadata: k8s.meta.v1.ObjectMetaArgsDict, child_opts: ResourceOptions
) -> k8s.core.v1.VolumeArgsDict:
    """Make the ConfigMap with its files, and return its volume."""
    config = k8s.core.v1.ConfigMap(
        f"{name}-envoy",
        metadata={**metadata, "name": f"{metadata['name']}-envoy"},
        data=envoy.files,
        opts=child_opts,
    )
    return {"name": "envoy", "config_map": {"name": config.metadata.name}}


def container(envoy: Envoy) -> k8s.core.v1.ContainerArgsDict:
    """
    Return its container.

    It is ready once the listener for clients is there, which needs files that it can use. A broken file that comes
    later leaves the former in force.
    """
    proxy = envoy.proxy
    listening: k8s.core.v1.ProbeArgsDict = {"tcp_socket": {"port": proxy.name}}
    return {
        "name": "envoy",
        "image": envoy.image,
        "command": ["/usr/local/bin/envoy"],
        "args": [
            *("--config-yaml", envoy.bootstrap),
            "--disable-hot-restart",
            *("--concurrency", "2"),
            # Connections that were made before a change end soon after it: nobody who is refused now keeps one.
            *("--drain-strategy", "immediate"),
            *("--drain-time-s", "15"),
            *("--log-level", "warning"),
        ],
        "ports": [
            {"name": proxy.name, "container_port": proxy.port},
            {"name": f"{proxy.name}-health", "container_port": proxy.health},
        ],
        "startup_probe": {**listening, **STARTING},
        "readiness_probe": listening,
        "liveness_probe": {
            "http_get": {"path": HEALTH_PATH, "port": f"{proxy.name}-health"},
            "timeout_seconds": 5,
            "period_seconds": 30,
            "failure_threshold": 4,
        },
        "resources": resources("20m", "64Mi", f"{MEMORY}Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [
            {"name": "envoy", "mount_path": CONFIG, "read_only": True},
            {"name": "tls", "mount_path": TLS, "read_only": True},
        ],
    }
