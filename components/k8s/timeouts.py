"""How long a workload may take to become ready."""

from collections.abc import Mapping

import pulumi

DEFAULT = 150


def timeouts(args: Mapping[str, object]) -> pulumi.CustomTimeouts:
    """Bound the provider's wait, ten minutes by default, to the component's `rollout_timeout` in seconds."""
    limit = f"{args.get('rollout_timeout', DEFAULT)}s"
    return pulumi.CustomTimeouts(create=limit, update=limit)
