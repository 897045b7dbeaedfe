"""Thanos Store Gateway: answers queries from blocks in the bucket."""

import pulumi
from pulumi import ResourceOptions

from render.thanos.names import QUERY

from .role import RoleArgs, role


class ThanosStoreArgs(RoleArgs):
    app: str
    """Name of the StatefulSet, different for each shard."""


class ThanosStore(pulumi.ComponentResource):
    """One shard of the bucket's blocks; its volume is a cache that can be lost."""

    def __init__(self, name: str, args: ThanosStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosStore", name, {}, opts)
        role(name, args["app"], args, [QUERY], self)
        self.register_outputs({})
