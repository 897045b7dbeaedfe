"""
Ownership of objects, by an annotation and by server-side apply.

A stack applies every object in a cluster under one field manager, and annotates it with its owner. The next update
adopts objects that a killed update has created, and that no state contains. Another stack, or the same one under
another name of the cluster, gets a conflict over the annotation, in a preview already.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pulumi
from pulumi import ResourceOptions, ResourceTransformationArgs, ResourceTransformationResult

from components.exposure import SKIP_AWAIT, TYPES
from live import client_options
from settings import Cluster
from settings.agent import AGENTS
from settings.pod_fields import quantity

from .failures import AWAITED, SERVICE, failure_hook
from .operators import (
    DEFINITION,
    OF_OPERATORS,
    STATEFUL_SET,
    refuse_definition,
    refuse_lacking_operator,
    stop_predecessor,
)

OWNER = "promfleet.io/owner"
CLUSTER_UID = "promfleet.io/cluster-uid"
"""Annotation of a namespace: UID of the cluster's kube-system, which identifies the cluster."""
MANAGER = "pulumi.com/patchFieldManager"
"""Annotation with the field manager of the provider."""
LONGEST_MANAGER = 128
"""Characters that Kubernetes allows for the name of a field manager."""
NAMESPACE = "kubernetes:core/v1:Namespace"
_PARTS = ("<organization>", "<project>", "<stack>", "<cluster>")
"""Parts of the annotation's value."""
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"


class Owner(NamedTuple):
    """A stack, and its name for a cluster."""

    stack: str
    """`<organization>/<project>/<stack>`."""
    cluster: str

    def __str__(self) -> str:
        return f"{self.stack}/{self.cluster}"

    @property
    def manager(self) -> str:
        """Name of its field manager."""
        return f"promfleet/{self}"[:LONGEST_MANAGER]


def this_stack() -> str:
    """Return the full name of this stack: `<organization>/<project>/<stack>`."""
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"


def owned(
    owner: Owner, cluster: Cluster, uid: pulumi.Output[str], *, protect: bool
) -> Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]:
    """
    Return a transformation of every object of an owner; `uid` is the cluster's.

    With `protect`, no update deletes a namespace or a volume. Other objects are deleted before they are replaced: the
    old and the new one have the same name, so that a later deletion would delete the new one.
    """
    common = {OWNER: str(owner), MANAGER: owner.manager}
    hooks = _hooks(owner, cluster)
    change_is_possible = pulumi.ResourceHook(
        f"{owner.cluster}-change-is-possible",
        lambda args: refuse_change(owner.cluster, args),
        pulumi.ResourceHookOptions(on_dry_run=True),
    )
    of_all = pulumi.ResourceHookBinding(before_update=[change_is_possible])
    protected = ResourceOptions(protect=protect, hooks=of_all)
    replaced = ResourceOptions(delete_before_replace=True, hooks=of_all)
    # The engine replaces a namespace by another that is only read even if it is protected, but then it deletes none.
    kept = ResourceOptions.merge(protected, ResourceOptions(retain_on_delete=protect))
    special = {NAMESPACE: kept, CLAIM: protected, DEFINITION: ResourceOptions(hooks=of_all)}
    options = {
        kind: ResourceOptions.merge(special.get(kind, replaced), ResourceOptions(hooks=hooks.get(kind)))
        for kind in {*special, *hooks}
    }

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        kind = args.type_
        if not kind.startswith("kubernetes:") or args.props["metadata"] is None:  # which is only read
            return None
        metadata: Any = args.props["metadata"]  # a plain dictionary everywhere in components/
        annotations = {**metadata.get("annotations", {}), **common}
        if kind == NAMESPACE:
            annotations[CLUSTER_UID] = uid
        if not _is_awaited(kind, args.props):
            annotations[SKIP_AWAIT] = "true"
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return ResourceTransformationResult(props, ResourceOptions.merge(args.opts, options.get(kind, replaced)))

    return transform


def _hooks(owner: Owner, cluster: Cluster) -> dict[str, pulumi.ResourceHookBinding]:
    """Type of object -> what is done before one is created or updated, and where its rollout fails."""
    namespace_is_free = pulumi.ResourceHook(
        f"{owner.cluster}-namespace-is-free",
        lambda args: refuse_strangers(owner, cluster, args),
        pulumi.ResourceHookOptions(on_dry_run=True),
    )
    predecessor_has_ended = pulumi.ResourceHook(
        f"{owner.cluster}-predecessor-has-ended",
        lambda args: stop_predecessor(str(owner), OWNER, cluster, args),
    )
    says_why = pulumi.ErrorHook(f"{owner.cluster}-says-why", failure_hook(owner.cluster, cluster))
    of_prometheus = pulumi.ResourceHookBinding(before_create=[predecessor_has_ended], on_error=[says_why])
    hooks = {
        NAMESPACE: pulumi.ResourceHookBinding(before_create=[namespace_is_free]),
        **{kind: pulumi.ResourceHookBinding(on_error=[says_why]) for kind in AWAITED},
        **dict.fromkeys((STATEFUL_SET, *OF_OPERATORS), of_prometheus),
    }
    # Each hook costs a gRPC server: Pulumi starts one for every hook that is made before the first server runs.
    if cluster.operator and cluster.operator.install:
        definition_is_free = pulumi.ResourceHook(
            f"{owner.cluster}-definition-is-free",
            lambda args: refuse_definition(owner.cluster, OWNER, cluster, args),
            pulumi.ResourceHookOptions(on_dry_run=True),
        )
        hooks[DEFINITION] = pulumi.ResourceHookBinding(before_create=[definition_is_free])
    elif cluster.operator:
        operator_suffices = pulumi.ResourceHook(
            f"{owner.cluster}-operator-suffices",
            lambda args: refuse_lacking_operator(owner.cluster, cluster, args),
            pulumi.ResourceHookOptions(on_dry_run=True),
        )
        checks = pulumi.ResourceHookBinding(before_create=[operator_suffices], before_update=[operator_suffices])
        hooks |= dict.fromkeys(OF_OPERATORS, pulumi.ResourceHookBinding.merge(checks, of_prometheus))
    return hooks


def _is_awaited(kind: str, props: Mapping[str, Any]) -> bool:
    """
    Whether the provider waits for an object beyond its creation.

    Workloads are waited for. A wait for the claim that one mounts could miss its phase, and a wait for a Service's
    endpoints ends ten seconds after the last of them (pulumi-kubernetes, provider/pkg/await/service.go).
    """
    return kind != CLAIM and not (kind == SERVICE and props["spec"].get("type") != TYPES["loadBalancer"])


async def refuse_strangers(owner: Owner, cluster: Cluster, args: pulumi.ResourceHookArgs) -> None:
    """
    Check the cluster before a namespace is created in it.

    Raises `pulumi.RunError` where the namespace belongs to another owner or is being deleted, or where this stack has
    others there already.
    """
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and namespaces are made once

    api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))
    listed = [dict(item)["metadata"] async for item in api.get("namespaces", raw=True)]
    live = {metadata["name"]: metadata.get("annotations", {}) for metadata in listed}
    wanted = (args.new_inputs or {})["metadata"]["name"]
    for problem in problems(owner, wanted, live):
        raise pulumi.RunError(f"clusters.{owner.cluster}: {problem}")
    if any(metadata["name"] == wanted and "deletionTimestamp" in metadata for metadata in listed):
        raise pulumi.RunError(
            f'clusters.{owner.cluster}: namespace "{wanted}" is being deleted, and all that is made in it would go '
            "with it. Run this again once it is gone; its status.conditions say what it waits for."
        )


def refuse_change(cluster: str, args: pulumi.ResourceHookArgs) -> None:
    """
    Check what an update changes of an object, which the API server would refuse in other words.

    Raises `pulumi.RunError` where it is another stack's, a namespace of another cluster, or a volume that would shrink.
    """
    before, after = args.old_inputs or {}, args.new_inputs or {}
    problem = shrinking(cluster, before, after) if args.type == CLAIM else moving(before, after)
    if problem:
        raise pulumi.RunError(f"clusters.{cluster}: {problem}")


def moving(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Say why an object of this stack's state is not the one that an update would change, if it is not."""
    old, new = (one["metadata"].get("annotations", {}) for one in (before, after))
    stack = old.get(OWNER, "").rpartition("/")[0]
    if stack and stack != new[OWNER].rpartition("/")[0]:
        return (
            f"its objects are annotated as those of stack {stack}, from which this one was renamed or copied. "
            f"Write owner: {stack}, unless that stack exists too: then remove this copy with `pulumi stack rm --force`."
        )
    uid = old.get(CLUSTER_UID)  # namespaces have it
    if uid and uid != new[CLUSTER_UID]:
        return (
            f"its context leads to another cluster than at the last update: kube-system has the UID {new[CLUSTER_UID]} "
            f"and had {uid}. Write the context of that cluster. If it is gone and this one is in its place, run "
            "`pulumi up --refresh`, which makes everything anew."
        )
    return None


def shrinking(cluster: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Say what to write where an update would shrink a volume claim, if it would."""
    old, new = (one["spec"]["resources"]["requests"]["storage"] for one in (before, after))
    if quantity(new) >= quantity(old):
        return None
    name = after["metadata"]["name"]
    instead = f"Write agents.{cluster}.storage: {old}" if name in AGENTS else f"Write storage: {old} again"
    return f"volume claim {name} can't shrink from {old} to {new}. {instead}."


def problems(owner: Owner, wanted: str, live: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Name what prevents a new namespace, given the existing namespaces with their annotations."""
    for name, facts in live.items():
        if OWNER not in facts:
            continue
        *stack, known = parts = facts[OWNER].split("/")
        other = Owner("/".join(stack), known)
        if len(parts) != len(_PARTS) or not all(parts):
            yield (
                f'namespace "{name}" has the annotation {OWNER}: "{facts[OWNER]}", which is not '
                f"{'/'.join(_PARTS)}: this program did not write it. Find out what did, and remove the annotation."
            )
        elif other.stack == owner.stack and other.cluster != owner.cluster:
            yield (
                f"this cluster is named {other.cluster} in this stack's state. Write {other.cluster} again: its "
                "objects and volumes have that name. To rename the cluster, destroy its objects and volumes first."
            )
        elif other.stack != owner.stack:
            yield (
                f"this cluster belongs to stack {other.stack}, as {other.cluster}. Remove it from that stack first; "
                "this deletes its volumes and their data. If this is that stack under another name, write owner: "
                f'{other.stack}. If that stack is gone, delete namespace "{name}", or its annotation {OWNER}.'
            )
    if wanted in live and OWNER not in live[wanted]:
        yield (
            f'namespace "{wanted}" exists, and this program did not create it. Write another namespace, or '
            "createNamespace: false to use it as it is; then it is neither labelled nor deleted."
        )
