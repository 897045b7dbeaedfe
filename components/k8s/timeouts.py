"""Timeouts of rollouts."""

from collections.abc import Mapping

import pulumi


def timeouts(args: Mapping[str, object]) -> pulumi.CustomTimeouts:
    """Limit the provider's wait, ten minutes by default, to the component's `rollout_timeout` in seconds."""
    limit = f"{args['rollout_timeout']}s"
    return pulumi.CustomTimeouts(create=limit, update=limit)
