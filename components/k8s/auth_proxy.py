"""kube-rbac-proxy in front of servers on loopback: authenticates, authorizes by RBAC, and permits named paths only."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.auth_proxy import GROUP, AuthProxy
from render.tokens import AUDIENCE

from . import tokens
from .labels import pods_of_app
from .network_policy import network_policy, pods_of
from .probes import STARTING
from .security import RESTRICTED
from .service_account import bind_cluster_role
from .workload import resources
from .write_proxy import Envoy, write_proxy
from .write_proxy import container as envoy_container

CONFIG = "/etc/kube-rbac-proxy"
TLS = "/etc/tls"


class AuthProxies(NamedTuple):
    """Containers and volumes of a pod's auth proxies, their Service, and the Roles that permit access."""

    containers: Sequence[k8s.core.v1.ContainerArgsDict]
    volumes: Sequence[k8s.core.v1.VolumeArgsDict]
    roles: Mapping[str, pulumi.Output[str]]
    """Auth proxy -> name of the Role that permits access to it."""
    service: pulumi.Output[str]
    """Name of the Service with a port per auth proxy."""


def auth_proxies(
    name: str,
    proxies: Sequence[AuthProxy],
    *,
    image: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    account: k8s.core.v1.ServiceAccount,
    tls_secret: pulumi.Input[str],
    prefix: str,
    await_opts: ResourceOptions,
    envoy: Envoy | None = None,
) -> AuthProxies:
    """
    Make a Role per auth proxy, their configuration and rights to review tokens and access, and a Service for them.

    A NetworkPolicy closes the pod's other ports, unless another policy opens them. `await_opts` has the timeouts of a
    rollout: Pulumi waits for the Service until a pod behind it is ready. `envoy` listens in place of one of them.
    """
    child_opts = ResourceOptions(parent=await_opts.parent)
    app = str(metadata["name"])
    bind_cluster_role(
        f"{name}-reviews",
        {"name": f"{prefix}-{app}-reviews", "labels": metadata["labels"]},
        "system:auth-delegator",
        account.metadata.name,
        metadata["namespace"],
        child_opts,
    )
    roles = {
        proxy.name: k8s.rbac.v1.Role(
            f"{name}-{proxy.name}-role",
            metadata={**metadata, "name": f"{app}-{proxy.name}"},
            rules=permission(proxy, app, proxy.verbs),
            opts=child_opts,
        ).metadata.name
        for proxy in proxies
    }
    listening = [*([envoy.proxy] if envoy else []), *proxies]
    endpoints = k8s.core.v1.Service(f"{name}-service", metadata=metadata, spec=service(app, listening), opts=await_opts)
    network_policy(name, metadata, app, ingress(listening), child_opts)
    return AuthProxies(
        [*([envoy_container(envoy)] if envoy else []), *(container(proxy, image) for proxy in proxies)],
        [
            *([write_proxy(name, envoy, metadata, child_opts)] if envoy else []),
            *([configuration(name, proxies, metadata, child_opts)] if proxies else []),
            {"name": "tls", "secret": {"secret_name": tls_secret}},
            tokens.API.volume,
        ],
        roles,
        endpoints.metadata.name.apply(str),
    )


def configuration(
    name: str,
    proxies: Sequence[AuthProxy],
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    child_opts: ResourceOptions,
) -> k8s.core.v1.VolumeArgsDict:
    """Make the ConfigMap with a file for each auth proxy, and return its volume."""
    app, namespace = str(metadata["name"]), metadata["namespace"]
    config = k8s.core.v1.ConfigMap(
        f"{name}-kube-rbac-proxy",
        metadata={**metadata, "name": f"{app}-kube-rbac-proxy"},
        data={f"{proxy.name}.yaml": authorization(proxy, namespace, app) for proxy in proxies},
        opts=child_opts,
    )
    return {"name": "kube-rbac-proxy", "config_map": {"name": config.metadata.name}}


def ingress(proxies: Sequence[AuthProxy]) -> list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict]:
    """Allow ingress to auth proxies without `callers` from everywhere, and to others from their callers."""

    def port(proxy: AuthProxy) -> k8s.networking.v1.NetworkPolicyPortArgsDict:
        return {"port": proxy.name, "protocol": "TCP"}

    rules: list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict] = [
        {"from_": pods_of(proxy.callers), "ports": [port(proxy)]} for proxy in proxies if proxy.callers
    ]
    public = [port(proxy) for proxy in proxies if not proxy.callers]
    return [{"ports": public}, *rules] if public else rules


def authorization(proxy: AuthProxy, namespace: pulumi.Input[str], app: str) -> pulumi.Output[str]:
    """The configuration file of one auth proxy."""
    attributes = {
        "namespace": namespace,
        "apiGroup": GROUP,
        "apiVersion": "v1",
        "resource": proxy.resource,
        "subresource": proxy.name,
        "name": app,
    }
    return pulumi.Output.json_dumps({"authorization": {"resourceAttributes": attributes}})


def permission(proxy: AuthProxy, app: str, verbs: Sequence[str]) -> list[k8s.rbac.v1.PolicyRuleArgsDict]:
    """The rules of a Role that permits access to one auth proxy."""
    return [
        {
            "api_groups": [GROUP],
            "resources": [f"{proxy.resource}/{proxy.name}"],
            "resource_names": [app],
            "verbs": list(verbs),
        }
    ]


def service(app: str, proxies: Sequence[AuthProxy]) -> k8s.core.v1.ServiceSpecArgsDict:
    """The spec of a Service with a port per auth proxy."""
    return {
        "selector": pods_of_app(app),
        "ports": [{"name": proxy.name, "port": proxy.port, "target_port": proxy.name} for proxy in proxies],
    }


def container(proxy: AuthProxy, image: str) -> k8s.core.v1.ContainerArgsDict:
    """The container of an auth proxy; paths that it does not name answer 404, before and after authentication."""
    alive: k8s.core.v1.ProbeArgsDict = {
        "http_get": {"path": "/healthz", "port": f"{proxy.name}-health", "scheme": "HTTPS"}
    }
    return {
        "name": f"kube-rbac-proxy-{proxy.name}",
        "image": image,
        "args": [
            f"--secure-listen-address=:{proxy.port}",
            f"--proxy-endpoints-port={proxy.health}",
            f"--upstream=http://{proxy.upstream}/",
            f"--config-file={CONFIG}/{proxy.name}.yaml",
            f"--allow-paths={','.join(proxy.paths)}",
            f"--tls-cert-file={TLS}/tls.crt",
            f"--tls-private-key-file={TLS}/tls.key",
            *([f"--auth-token-audiences={AUDIENCE}"] if proxy.callers else []),
            *identity_header_flags(proxy),
            "--http2-disable",  # its end waits for every HTTP/2 connection, which a scraper never closes
        ],
        "ports": [
            {"name": proxy.name, "container_port": proxy.port},
            {"name": f"{proxy.name}-health", "container_port": proxy.health},
        ],
        "startup_probe": {**alive, **STARTING},
        "readiness_probe": alive,
        "liveness_probe": {**alive, "timeout_seconds": 5, "period_seconds": 30, "failure_threshold": 4},
        "resources": resources("20m", "32Mi", "256Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [
            {"name": "kube-rbac-proxy", "mount_path": CONFIG, "read_only": True},
            {"name": "tls", "mount_path": TLS, "read_only": True},
            tokens.API.mount,  # for TokenReviews and SubjectAccessReviews
        ],
    }


def identity_header_flags(proxy: AuthProxy) -> list[str]:
    """The flags that set a header to the name of the authenticated user."""
    if not proxy.user_header:
        return []
    return ["--auth-header-fields-enabled", f"--auth-header-user-field-name={proxy.user_header}"]
