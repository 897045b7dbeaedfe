"""Headless Services."""

from collections.abc import Mapping

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .labels import selector


def headless(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    app: str,
    ports: Mapping[str, int],
    await_opts: ResourceOptions,
) -> k8s.core.v1.Service:
    """Make a headless Service: a DNS name with the addresses of an app's pods, with named ports."""
    return k8s.core.v1.Service(
        name,
        metadata=metadata,
        spec={
            "cluster_ip": "None",
            "selector": selector(app, app),
            "ports": [{"name": port, "port": number} for port, number in ports.items()],
        },
        opts=await_opts,
    )
