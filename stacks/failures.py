"""What a cluster says of a workload that does not come up, said where the update fails; it knows only of a time-out."""

from collections.abc import Awaitable, Callable

import pulumi

from live import AwayError, look, troubles
from settings import Cluster

KINDS = {
    *(f"kubernetes:apps/v1:{kind}" for kind in ("DaemonSet", "Deployment", "StatefulSet")),
    "kubernetes:core/v1:Service",
}
"""Kinds that the provider waits for; a Service waits for its pods, and for its load balancer."""
_WHOSE = ("app.kubernetes.io/name", "app.kubernetes.io/instance")
"""Labels that a workload has in common with its pods and volumes."""


def says_why(name: str, cluster: Cluster) -> Callable[[pulumi.ErrorHookArgs], Awaitable[bool]]:
    """Give what is called when an object of a cluster fails; each reason is said once, however many fail for it."""
    said = set[str]()

    async def called(args: pulumi.ErrorHookArgs) -> bool:
        # Whatever goes wrong in here would stand in the place of the error that it is to explain.
        try:
            await say_why(name, cluster, args, said)
        except Exception as error:  # noqa: BLE001
            pulumi.log.debug(f"{name}: what {args.name} failed of is not known: {error}")
        return False  # nothing is tried again

    return called


async def say_why(name: str, cluster: Cluster, args: pulumi.ErrorHookArgs, said: set[str]) -> None:
    """Look for the pods, volumes and events of an object, and show what is wrong with them as errors of the update."""
    if args.new_inputs is None or pulumi.runtime.is_dry_run():
        return  # what can't be deleted, or made at all, is told by the API server's own answer
    metadata = args.new_inputs["metadata"]
    labels = {label: metadata["labels"][label] for label in _WHOSE}
    try:
        found = troubles(await look(cluster, [metadata["namespace"]]), labels)
    except AwayError as error:
        found = [f"why {metadata['name']} fails can't be looked up: {error}"]
    for sentence in found:
        if sentence not in said:
            said.add(sentence)
            pulumi.log.error(f"{name}: {sentence}")
