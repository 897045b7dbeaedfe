"""
Whose an object is: every one says so, and the API server refuses whoever says otherwise.

All that a stack applies in a cluster is applied under one field manager's name, and annotated with its owner. So what a
killed update has created, which no state knows, the next one takes over; another stack, or the same one under another
name of the cluster, meets a conflict over the annotation, in a preview already.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pulumi
from pulumi import ResourceOptions, ResourceTransformationArgs, ResourceTransformationResult

from live import client_options
from settings import Cluster

from .failures import KINDS, says_why

OWNER = "promfleet.io/owner"
CLUSTER_UID = "promfleet.io/cluster-uid"
"""Annotation of a namespace: the UID of its cluster's kube-system, which stays when contexts change their names."""
MANAGER = "pulumi.com/patchFieldManager"
"""Annotation that gives the provider the name under which it applies an object."""
SKIP_AWAIT = "pulumi.com/skipAwait"
LONGEST_MANAGER = 128
"""Characters that Kubernetes allows for the name of a field manager."""
NAMESPACE = "kubernetes:core/v1:Namespace"
_PARTS = ("<organization>", "<project>", "<stack>", "<cluster>")
"""Of what the annotation says."""
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"


class Owner(NamedTuple):
    """A stack, and the name that it has for a cluster."""

    stack: str
    """`<organization>/<project>/<stack>`."""
    cluster: str

    def __str__(self) -> str:
        return f"{self.stack}/{self.cluster}"

    @property
    def manager(self) -> str:
        """Name of the field manager."""
        return f"promfleet/{self}"[:LONGEST_MANAGER]


def this_stack(cluster: str) -> Owner:
    """Give this stack as the owner of what it makes in a cluster."""
    return Owner(f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}", cluster)


def owned(
    owner: Owner, cluster: Cluster, uid: pulumi.Output[str], *, protect: bool
) -> Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]:
    """
    Give what every object of an owner gets; `uid` is the cluster's.

    With `protect`, no update takes a namespace or a volume away. All else is deleted before it is replaced: both have
    one name, and what is deleted afterwards would be the new one.
    """
    facts = {OWNER: str(owner), MANAGER: owner.manager}
    asked = pulumi.ResourceHook(
        f"{owner.cluster}-namespace-is-free",
        lambda args: refuse_strangers(owner, cluster, args),
        pulumi.ResourceHookOptions(on_dry_run=True),
    )
    explained = pulumi.ErrorHook(f"{owner.cluster}-says-why", says_why(owner.cluster, cluster))

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if not args.type_.startswith("kubernetes:"):
            return None
        opts, further = ResourceOptions(delete_before_replace=True), {}
        if args.type_ in KINDS:
            opts.hooks = pulumi.ResourceHookBinding(on_error=[explained])
        if args.type_ == NAMESPACE:
            hooks = pulumi.ResourceHookBinding(before_create=[asked])
            opts, further = ResourceOptions(protect=protect, hooks=hooks), {CLUSTER_UID: uid}
        if args.type_ == CLAIM:
            # Whoever mounts it is waited for; the provider would wait for a phase that may have passed.
            opts, further = ResourceOptions(protect=protect), {SKIP_AWAIT: "true"}
        metadata: Any = args.props["metadata"]  # a plain dictionary everywhere in components/
        annotations = {**metadata.get("annotations", {}), **facts, **further}
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return ResourceTransformationResult(props, ResourceOptions.merge(args.opts, opts))

    return transform


async def refuse_strangers(owner: Owner, cluster: Cluster, args: pulumi.ResourceHookArgs) -> None:
    """
    Look at the cluster before a namespace is made in it.

    Raises `pulumi.RunError` where the namespace is somebody else's, or where this stack has others there already.
    """
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and namespaces are made once

    api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))
    listed = [dict(item)["metadata"] async for item in api.get("namespaces", raw=True)]
    live = {metadata["name"]: metadata.get("annotations", {}) for metadata in listed}
    wanted = (args.new_inputs or {})["metadata"]["name"]
    for problem in problems(owner, wanted, live):
        raise pulumi.RunError(f"clusters.{owner.cluster}: {problem}")


def problems(owner: Owner, wanted: str, live: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Say what stands in the way of a new namespace, given the annotations of those that exist by their names."""
    for name, facts in live.items():
        if OWNER not in facts:
            continue
        *stack, known = parts = facts[OWNER].split("/")
        other = Owner("/".join(stack), known)
        if len(parts) != len(_PARTS) or not all(parts):
            yield (
                f'namespace "{name}" has the annotation {OWNER}: "{facts[OWNER]}", which is not '
                f"{'/'.join(_PARTS)}: this program did not write it. Find out who did, and remove it."
            )
        elif other.stack == owner.stack and other.cluster != owner.cluster:
            yield (
                f"this cluster is {other.cluster} in this stack's state already. Write {other.cluster} again: its "
                "objects and volumes bear that name. To give it another one, destroy what it has first."
            )
        elif other.stack != owner.stack:
            yield (
                f"this cluster belongs to stack {other.stack}, as {other.cluster}. Take it out there first; what its "
                "volumes hold goes with it."
            )
    if wanted in live and OWNER not in live[wanted]:
        yield (
            f'namespace "{wanted}" exists, and is not this program\'s. Write another namespace; or createNamespace: '
            "false, to use it as it is: then it is neither labelled nor deleted."
        )
