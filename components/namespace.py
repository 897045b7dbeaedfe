"""A namespace with a Pod Security level, and a NetworkPolicy that denies ingress to this program's pods by default."""

from typing import Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.object_labels import PART_OF

from .k8s.service_account import RBAC

CONSTRAINTS = {"restricted": "nonroot-v2", "privileged": "privileged"}
"""Pod Security level -> the security context constraints of OpenShift that admit such pods under users of their own."""


class NamespaceArgs(TypedDict):
    namespace: str
    """Name of the namespace."""
    admits: Literal["restricted", "privileged"]
    """Pod Security level that is enforced."""
    exists: NotRequired[bool]
    """Whether it exists already, and is left unchanged."""
    openshift: NotRequired[bool]
    """Whether to bind the security context constraints of OpenShift too."""


class Namespace(pulumi.ComponentResource):
    """Makes a namespace, unless it exists, and denies ingress to this program's pods in it by default."""

    namespace: pulumi.Output[str]
    """Name of the namespace, known once it exists."""

    def __init__(self, name: str, args: NamespaceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Namespace", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        levels = {f"pod-security.kubernetes.io/{mode}": args["admits"] for mode in ("enforce", "audit", "warn")}
        if args.get("exists"):
            # Read under the URN of the one that it would make: the engine lets go of that, and deletes nothing.
            k8s.core.v1.Namespace.get(f"{name}-namespace", args["namespace"], child_opts)
            self.namespace = pulumi.Output.from_input(args["namespace"])
        else:
            namespace = k8s.core.v1.Namespace(
                f"{name}-namespace",
                metadata={"name": args["namespace"], "labels": {**PART_OF, **levels}},
                opts=child_opts,
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
                role_ref={"api_group": RBAC, "kind": "ClusterRole", "name": constraints},
                subjects=[{"kind": "Group", "api_group": RBAC, "name": everybody}],
                opts=child_opts,
            )
        self.register_outputs({"namespace": self.namespace})
