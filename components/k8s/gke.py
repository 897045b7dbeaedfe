"""Load balancers of Google Cloud: what GKE reads beside an Ingress or a Gateway of backends that speak HTTPS."""

import json
from collections.abc import Iterable
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.ingress import TIMEOUT

from .network_policy import network_policy

INGRESS = "cloud.google.com/v1"
GATEWAY = "networking.gke.io/v1"
CLASS = "kubernetes.io/ingress.class"
"""Annotation of an Ingress with its class: GKE does not read `ingressClassName`."""
PROBERS = ("35.191.0.0/16", "130.211.0.0/22")
"""Addresses from which load balancers of Google Cloud check the health of backends."""
_EVERY = 15
"""Seconds between two checks of the health of a pod."""


def service_annotations(ports: Iterable[str], config: str) -> dict[str, pulumi.Input[str]]:
    """
    Return annotations of the Service behind an Ingress: pods as endpoints, and its ports by HTTPS.

    `config` is the name of a BackendConfig.
    """
    annotations = {
        "cloud.google.com/neg": {"ingress": True},
        "cloud.google.com/app-protocols": dict.fromkeys(ports, "HTTPS"),
        "cloud.google.com/backend-config": {"default": config},
    }
    return {name: json.dumps(value) for name, value in annotations.items()}


def backend_config(port: int, path: str) -> dict[str, Any]:
    """Return the spec of a BackendConfig: where the health of pods is checked, and how long an answer may take."""
    return {
        "timeoutSec": TIMEOUT,
        "healthCheck": {"type": "HTTPS", "port": port, "requestPath": path, "checkIntervalSec": _EVERY},
    }


def allow_health_checks(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, app: str, port: int, child_opts: ResourceOptions
) -> None:
    """Let the load balancers check the pods of an app, whose health ports are closed otherwise."""
    probed: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{metadata['name']}-health-checks"}
    rule: k8s.networking.v1.NetworkPolicyIngressRuleArgsDict = {
        "from_": [{"ip_block": {"cidr": cidr}} for cidr in PROBERS],
        "ports": [{"port": port, "protocol": "TCP"}],
    }
    network_policy(f"{name}-health-checks", probed, app, [rule], child_opts)


def policies(service: str) -> dict[str, dict[str, Any]]:
    """
    Return, for a Service behind a Gateway: kind of policy -> its spec.

    The health check connects to the port that is served: others may be closed to it by the firewall of the network.
    """
    target = {"targetRef": {"group": "", "kind": "Service", "name": service}}
    check = {"type": "TCP", "tcpHealthCheck": {"portSpecification": "USE_SERVING_PORT"}}
    return {
        "GCPBackendPolicy": {**target, "default": {"timeoutSec": TIMEOUT}},
        "HealthCheckPolicy": {**target, "default": {"checkIntervalSec": _EVERY, "config": check}},
    }
