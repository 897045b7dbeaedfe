"""Who reaches a pod, as network policies say it."""

from collections.abc import Iterable, Mapping, Sequence

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .labels import selector


def pods_of(apps: Iterable[str]) -> list[k8s.networking.v1.NetworkPolicyPeerArgsDict]:
    """The pods of these apps, in the namespace of the policy; of none at all, a policy understands everybody."""
    return [{"pod_selector": {"match_labels": selector(app, app)}} for app in apps]


def allow_ingress(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    app: str,
    clients: Mapping[int, Sequence[str]],
    child_opts: ResourceOptions,
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
                for port, who in clients.items()
                if who  # an empty list would let everyone in
            ],
        },
        opts=child_opts,
    )
