"""NetworkPolicies that allow ingress to pods."""

from collections.abc import Iterable, Mapping, Sequence

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .labels import pods_of_app


def pods_of(apps: Iterable[str]) -> list[k8s.networking.v1.NetworkPolicyPeerArgsDict]:
    """Peers of a policy: the pods of these apps in its namespace. An empty list of peers would allow everyone."""
    return [{"pod_selector": {"match_labels": pods_of_app(app)}} for app in apps]


def network_policy(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    app: str,
    ingress: Sequence[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict],
    child_opts: ResourceOptions,
) -> None:
    """Make the policy `<name>-policy`, which allows this ingress to the pods of an app."""
    k8s.networking.v1.NetworkPolicy(
        f"{name}-policy",
        metadata=metadata,
        spec={
            "pod_selector": {"match_labels": pods_of_app(app)},
            "policy_types": ["Ingress"],
            "ingress": ingress,
        },
        opts=child_opts,
    )


def allow_ingress(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    app: str,
    clients: Mapping[int, Sequence[str]],
    child_opts: ResourceOptions,
) -> None:
    """Allow ingress to the pods of an app: to each port from the apps named for it, and from nobody else."""
    rules: list[k8s.networking.v1.NetworkPolicyIngressRuleArgsDict] = [
        {"from_": pods_of(apps), "ports": [{"port": port, "protocol": "TCP"}]}
        for port, apps in clients.items()
        if apps  # an empty list would allow everyone
    ]
    network_policy(name, metadata, app, rules, child_opts)
