"""Adds the reason to a failed update: why pods and volumes of a workload are not ready, where Pulumi only times out."""

import re
from collections.abc import Awaitable, Callable

import pulumi

from live import UnreachableError, look, troubles
from settings import Cluster
from settings.object_labels import INSTANCE, NAME

from .placement import OPERATED, WORKLOADS

SERVICE = "kubernetes:core/v1:Service"
AWAITED = {*WORKLOADS, *OPERATED, SERVICE}
"""Types whose rollout the provider waits for; of Services those with a load balancer."""
_LABELS = (NAME, INSTANCE)
"""Labels that a workload has in common with its pods and volumes."""
_MISSING = re.compile(r'(configmap|persistentvolumeclaim|secret) "[^"]+" not found')


def failure_hook(name: str, cluster: Cluster) -> Callable[[pulumi.ErrorHookArgs], Awaitable[bool]]:
    """Return an error hook for objects of a cluster; each reason is logged once, however many objects fail for it."""
    logged = set[str]()

    async def hook(args: pulumi.ErrorHookArgs) -> bool:
        # An exception in here would replace the error that it is to explain.
        try:
            await log_reasons(name, cluster, args, logged)
        except Exception as error:  # noqa: BLE001
            pulumi.log.debug(f"{name}: the reason why {args.name} failed is not known: {error}")
        return False  # no retry

    return hook


async def log_reasons(name: str, cluster: Cluster, args: pulumi.ErrorHookArgs, logged: set[str]) -> None:
    """Query the pods, volumes and events of an object, and log their problems as errors of the update."""
    if args.new_inputs is None or pulumi.runtime.is_dry_run():
        return  # a failed deletion, or an object that is refused, has the API server's own message
    metadata = args.new_inputs["metadata"]
    labels = {label: metadata["labels"][label] for label in _LABELS}
    try:
        reasons = troubles(await look(cluster, [metadata["namespace"]]), labels)
    except UnreachableError as error:
        reasons = [f"the reason why {metadata['name']} fails can't be queried: {error}"]
    for reason in reasons:
        if reason not in logged:
            logged.add(reason)
            pulumi.log.error(f"{name}: {reason}{_remedy(reason)}")


def _remedy(reason: str) -> str:
    """What to do if the state has an object that is gone, of which an update takes no notice."""
    is_missing = _MISSING.search(reason)
    return ". If this stack makes it, somebody has deleted it: run `pulumi up --refresh`" if is_missing else ""
