"""Who reaches a pod, as network policies say it."""

from collections.abc import Iterable

import pulumi_kubernetes as k8s

from .labels import selector


def pods_of(apps: Iterable[str]) -> list[k8s.networking.v1.NetworkPolicyPeerArgsDict]:
    """The pods of these apps, in the namespace of the policy; of none at all, a policy understands everybody."""
    return [{"pod_selector": {"match_labels": selector(app, app)}} for app in apps]
