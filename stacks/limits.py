"""What a container may take at most, beside memory: said where the quota of a namespace wants it said."""

from collections.abc import Callable
from typing import Any

from pulumi import ResourceTransformationArgs, ResourceTransformationResult

from settings import ContainerLimits

SCRATCH = "32Mi"
"""Ephemeral storage that a container asks for: a log that the kubelet has not cut yet, and a file or two."""
KINDS = ("DaemonSet", "Deployment", "StatefulSet")


def limited(
    limits: ContainerLimits,
) -> Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]:
    """Give what every workload gets; nothing where the stack file says nothing."""

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        kind = args.type_.rpartition(":")[2]
        if not args.type_.startswith("kubernetes:apps/") or kind not in KINDS or not limits.model_fields_set:
            return None
        spec: Any = args.props["spec"]  # plain dictionaries everywhere in components/
        template = spec["template"]
        pod = template["spec"]
        containers = [{**one, "resources": bounded(one["resources"], limits)} for one in pod["containers"]]
        made = {**spec, "template": {**template, "spec": {**pod, "containers": containers}}}
        return ResourceTransformationResult({**args.props, "spec": made}, args.opts)

    return transform


def bounded(resources: dict[str, dict[str, str]], limits: ContainerLimits) -> dict[str, dict[str, str]]:
    """The requests and limits of a container with those of the stack file."""
    requests, most = dict(resources["requests"]), dict(resources["limits"])
    if limits.cpu:
        most["cpu"] = str(limits.cpu)
    if limits.ephemeral_storage:
        requests["ephemeral-storage"], most["ephemeral-storage"] = SCRATCH, limits.ephemeral_storage
    return {"requests": requests, "limits": most}
