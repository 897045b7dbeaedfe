"""Thanos as a whole: Query, Stores, Compactor and optional components, for the Prometheus servers of a bucket."""

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
    """Query, with its Query Frontend."""
    stores: Sequence[ThanosStoreArgs]
    """One per bucket, or per shard or age of its blocks."""
    compactors: Sequence[ThanosCompactorArgs]
    """One per bucket, in the one stack that compacts it."""
    memcached: NotRequired[ThanosMemcachedArgs]
    """Common cache of Stores and Query Frontends."""
    receive: NotRequired[ThanosReceiveArgs]
    """Takes agents' samples in place of the Prometheus server."""
    ruler: NotRequired[ThanosRulerArgs]
    """Evaluates rules through Query."""
    bucket_web: NotRequired[ThanosBucketWebArgs]
    """Page that shows the blocks in the bucket."""


class ThanosStack(pulumi.ComponentResource):
    """Every component of Thanos but the sidecars, which are containers of the Prometheus server."""

    service: pulumi.Output[str]
    """Name of Query's Service, with a port per auth proxy."""
    roles: Mapping[str, pulumi.Output[str]]
    """Query's auth proxy -> name of the Role that lets through it."""

    def __init__(self, name: str, args: ThanosStackArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosStack", name, {}, opts)
        self._child_opts = ResourceOptions(
            parent=self,
            aliases=[Alias(parent=pulumi.ROOT_STACK_RESOURCE)],  # the parent before release 0.1
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
            # Receive would finally reject what a stateless Ruler writes before it is bound to the Role.
            ThanosRuler(name, args["ruler"], self._after(received if args["ruler"].get("stateless") else []))
        query = ThanosQuery(name, args["query"], self._child_opts)
        self.service, self.roles = query.service, query.roles
        self.register_outputs({"service": self.service})

    def _after(self, others: Sequence[pulumi.Resource]) -> ResourceOptions:
        return ResourceOptions.merge(self._child_opts, ResourceOptions(depends_on=others))
