"""Resource limits of containers that the stack file sets, for namespaces whose ResourceQuota requires them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pulumi import ResourceTransformationArgs, ResourceTransformationResult

from settings import ContainerLimits

from .operators import OF_OPERATORS

SCRATCH = "32Mi"
"""Ephemeral storage that a container requests: a log before rotation, and small files."""
WORKLOADS = frozenset(f"kubernetes:apps/v1:{kind}" for kind in ("DaemonSet", "Deployment", "StatefulSet"))
"""Types of resources with a pod template."""
OPERATED = frozenset(OF_OPERATORS)
"""Types that the Prometheus Operator makes pods of."""


def limited(
    limits: ContainerLimits,
) -> Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]:
    """Return a transformation of every workload; it changes nothing where the stack file has no limits."""

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if args.type_ not in {*WORKLOADS, *OPERATED} or not limits.model_fields_set:
            return None
        spec: Any = args.props["spec"]  # plain dictionaries everywhere in components/
        if args.type_ in OPERATED:
            bounded_spec = {**spec, **{key: _bounded(spec[key], limits) for key in ("containers", "initContainers")}}
            return ResourceTransformationResult({**args.props, "spec": bounded_spec}, args.opts)
        template = spec["template"]
        pod = template["spec"]
        containers = _bounded(pod["containers"], limits)
        limited_spec = {**spec, "template": {**template, "spec": {**pod, "containers": containers}}}
        return ResourceTransformationResult({**args.props, "spec": limited_spec}, args.opts)

    return transform


def _bounded(containers: Sequence[Mapping[str, Any]], limits: ContainerLimits) -> list[dict[str, Any]]:
    return [{**one, "resources": bounded(one["resources"], limits)} for one in containers]


def bounded(resources: dict[str, dict[str, str]], limits: ContainerLimits) -> dict[str, dict[str, str]]:
    """The requests and limits of a container with those of the stack file."""
    requests, most = dict(resources["requests"]), dict(resources["limits"])
    if limits.cpu:
        most["cpu"] = str(limits.cpu)
    if limits.ephemeral_storage:
        requests["ephemeral-storage"], most["ephemeral-storage"] = SCRATCH, limits.ephemeral_storage
    return {"requests": requests, "limits": most}
