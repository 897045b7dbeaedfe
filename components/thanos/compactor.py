"""Thanos Compactor: compacts and downsamples blocks of the bucket, and deletes them."""

import pulumi
from pulumi import ResourceOptions

from .role import RoleArgs, role

GRACE = 15
"""
Termination grace period in seconds.

Told to end, a Compactor stops its work at once. If it was compacting, it takes that for an error and halts in place of
ending (https://github.com/thanos-io/thanos/issues/4440, open in 0.42).
"""


class ThanosCompactorArgs(RoleArgs):
    app: str
    """Name of the StatefulSet, different for each bucket."""


class ThanosCompactor(pulumi.ComponentResource):
    """Exactly one per bucket: two would delete each other's sources."""

    def __init__(self, name: str, args: ThanosCompactorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosCompactor", name, {}, opts)
        if args.get("replicas", 1) != 1:
            raise ValueError(f"{name}: {args.get('replicas')} compactors on one bucket corrupt it; leave replicas out")
        role(name, args["app"], args, [], self, grace=GRACE)
        self.register_outputs({})
