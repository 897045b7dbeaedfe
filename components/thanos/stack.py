"""Thanos as a whole: the roles around the Prometheus servers that a bucket belongs to."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi import Alias, ResourceOptions

from .bucket_web import ThanosBucketWeb, ThanosBucketWebArgs
from .compactor import ThanosCompactor, ThanosCompactorArgs
from .memcached import ThanosMemcached, ThanosMemcachedArgs
from .query import ThanosQuery, ThanosQueryArgs
from .receive import ThanosReceive, ThanosReceiveArgs
from .ruler import ThanosRuler, ThanosRulerArgs
from .store import ThanosStore, ThanosStoreArgs


class ThanosStackArgs(TypedDict):
    query: ThanosQueryArgs
    stores: Sequence[ThanosStoreArgs]
    """One per bucket, or per shard or age of its blocks."""
    compactors: Sequence[ThanosCompactorArgs]
    """One per bucket, in the one stack that compacts it."""
    memcached: NotRequired[ThanosMemcachedArgs]
    """The cache of Stores and Query Frontends."""
    receive: NotRequired[ThanosReceiveArgs]
    """Takes what agents write, in place of the Prometheus server."""
    ruler: NotRequired[ThanosRulerArgs]
    bucket_web: NotRequired[ThanosBucketWebArgs]


class ThanosStack(pulumi.ComponentResource):
    """Answers for every replica and for all that is in the bucket; the sidecars belong to their Prometheus."""

    service: pulumi.Output[str]
    """Name of Query's Service, with a port per auth proxy."""
    roles: Mapping[str, pulumi.Output[str]]
    """Query's auth proxy -> name of the Role that lets through it."""

    def __init__(self, name: str, args: ThanosStackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosStack", name, {}, opts)
        self._child_opts = ResourceOptions(
            parent=self,
            aliases=[Alias(parent=pulumi.ROOT_STACK_RESOURCE)],  # where stacks of before 0.1 have them
        )
        caches = [ThanosMemcached(name, args["memcached"], self._child_opts)] if "memcached" in args else []
        for store in args["stores"]:
            # A Store that finds no address of its cache does not start.
            ThanosStore(f"{name}-{store['app']}", store, self._after(caches))
        for compactor in args["compactors"]:
            ThanosCompactor(f"{name}-{compactor['app']}", compactor, self._child_opts)
        if "bucket_web" in args:
            ThanosBucketWeb(name, args["bucket_web"], self._child_opts)
        received = [ThanosReceive(name, args["receive"], self._child_opts)] if "receive" in args else []
        if "ruler" in args:
            # Receive would refuse for ever what a stateless Ruler writes before it may take it.
            ThanosRuler(name, args["ruler"], self._after(received if args["ruler"].get("stateless") else []))
        query = ThanosQuery(name, args["query"], self._child_opts)
        self.service, self.roles = query.service, query.roles
        self.register_outputs({"service": self.service})

    def _after(self, others: Sequence[pulumi.Resource]) -> ResourceOptions:
        return ResourceOptions.merge(self._child_opts, ResourceOptions(depends_on=others))
