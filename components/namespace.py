"""A namespace whose pods are held to one Pod Security level, and where nobody reaches ours unless a policy says so."""

from typing import Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .k8s.labels import PART_OF

CONSTRAINTS = {"restricted": "nonroot-v2", "privileged": "privileged"}
"""Pod Security level -> the security context constraints of OpenShift that admit such pods under users of their own."""


class NamespaceArgs(TypedDict):
    namespace: str
    """Its name in the cluster."""
    admits: Literal["restricted", "privileged"]
    """The weakest Pod Security level of its pods."""
    exists: NotRequired[bool]
    """Whether it is somebody else's, and stays as it is."""
    openshift: NotRequired[bool]
    """Whether OpenShift must be told too what its pods may."""


class Namespace(pulumi.ComponentResource):
    """Makes a namespace, unless it exists, and closes the pods of this program in it to traffic from outside."""

    namespace: pulumi.Output[str]
    """Its name, known once it exists."""

    def __init__(self, name: str, args: NamespaceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Namespace", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        levels = {f"pod-security.kubernetes.io/{mode}": args["admits"] for mode in ("enforce", "audit", "warn")}
        if args.get("exists"):
            self.namespace = pulumi.Output.from_input(args["namespace"])
        else:
            namespace = k8s.core.v1.Namespace(
                f"{name}-namespace", metadata={"name": args["namespace"], "labels": PART_OF | levels}, opts=child_opts
            )
            self.namespace = namespace.metadata.name.apply(str)
        k8s.networking.v1.NetworkPolicy(
            f"{name}-default-deny",
            metadata={"name": "default-deny", "namespace": self.namespace, "labels": PART_OF},
            spec={"pod_selector": {"match_labels": PART_OF}, "policy_types": ["Ingress"]},
            opts=child_opts,
        )
        if args.get("openshift"):
            everybody = pulumi.Output.format("system:serviceaccounts:{0}", self.namespace)
            constraints = f"system:openshift:scc:{CONSTRAINTS[args['admits']]}"
            k8s.rbac.v1.RoleBinding(
                f"{name}-constraints",
                metadata={"name": "promfleet-constraints", "namespace": self.namespace, "labels": PART_OF},
                role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": constraints},
                subjects=[{"kind": "Group", "api_group": "rbac.authorization.k8s.io", "name": everybody}],
                opts=child_opts,
            )
        self.register_outputs({"namespace": self.namespace})
