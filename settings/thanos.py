"""Settings of Thanos: long-term storage and the components that query, fill and maintain it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from .errors import Problem
from .expose import ExposedHost
from .section import Distinct, Many, Section, Table, empty, not_offered, renamed
from .storage import GoogleBucket, Storage
from .types import (
    COUNTABLE,
    IN_BRACKETS,
    MANY,
    PORT,
    DnsLabel,
    DnsName,
    Duration,
    Quantity,
    StackName,
    Text,
    in_bytes,
    kept,
    refused,
    seconds,
)

DOWNSAMPLED_AT = {"raw": 40 * 3600, "five_minutes": 10 * 86400}
"""Age in seconds at which the compactor makes the next resolution of a block: from raw, from five minutes."""

GrpcAddress = Annotated[
    str,
    Text(
        rf"(?:[a-z0-9.-]+|{IN_BRACKETS}):{PORT}",
        "is not host:port",
        "Write the host and the gRPC port: thanos.acme.example:10901.",
    ),
]
Replicas = Annotated[int, Field(ge=1, le=16)]


def _is_a_kept_age(resolution: str) -> AfterValidator:
    least = DOWNSAMPLED_AT[resolution]

    def check(length: Duration) -> Duration:
        if seconds(length) < least:
            hours = f"{least // 3600}h" if least % 86400 else f"{least // 86400}d"
            raise refused(
                f"is shorter than {hours}, the age at which the next resolution is made",
                f"Write {hours} or more: what is deleted before can't be downsampled.",
            )
        return length

    return AfterValidator(check)


def _is_a_block(length: Duration) -> Duration:
    if not 30 <= seconds(length) <= 2 * 3600:
        raise refused("is not between 30s and 2h", "Write 2h, the default of Prometheus.")
    return length


def _is_a_cache(size: Quantity) -> Quantity:
    if in_bytes(size) < 64 * 2**20:
        raise refused("is less than 64Mi", "Write 64Mi or more: a single item may have 5Mi.")
    return size


Kept = Annotated[str, kept("100y, the longest that is possible"), COUNTABLE]


class Resolutions(Section):
    """Retention of each resolution."""

    raw: Annotated[Kept, _is_a_kept_age("raw")] = "90d"
    """Raw samples."""
    five_minutes: Annotated[Kept, _is_a_kept_age("five_minutes")] = "1y"
    """One aggregate per five minutes."""
    one_hour: Kept = "5y"
    """One aggregate per hour."""

    def problems(self) -> Iterator[Problem]:
        """A coarser resolution is kept at least as long as the finer one, or long ranges could not be queried."""
        if seconds(self.five_minutes) < seconds(self.raw):
            yield Problem(("fiveMinutes",), "is shorter than raw", f"Write {self.raw} or more.", self.five_minutes)
        if seconds(self.one_hour) < seconds(self.five_minutes):
            instead = f"Write {self.five_minutes} or more."
            yield Problem(("oneHour",), "is shorter than fiveMinutes", instead, self.one_hour)


class Compactor(Section):
    """Compactor: compacts and downsamples blocks and applies their retention; exactly one per bucket."""

    retention: Resolutions = Resolutions()
    moved: ClassVar[Mapping[str, tuple[str, str]]] = not_offered(
        "cleanupInterval", "concurrency", "consistencyDelay", "waitInterval"
    )
    delete_delay: Duration = "48h"
    """How long a block that is marked for deletion stays in the bucket."""
    storage: Quantity = "100Gi"
    """Size of the working volume: twice the largest group of blocks to compact."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""


class RemoteEndpoint(Section):
    """A sidecar, Receive or Query of another system, queried over gRPC with mutual TLS."""

    address: GrpcAddress
    """Host and port; the host must be in its certificate."""
    tls_secret: DnsName
    """Secret in the server's namespace: client certificate in `tls.crt` and `tls.key`, CA in `ca.crt`."""


class Query(Section):
    """Query: answers PromQL over all servers and the bucket, and deduplicates series of replicas."""

    replicas: Replicas = 2
    """Replicas; with 2 or more, one may fail."""
    endpoints: Many[RemoteEndpoint] = ()
    """Further endpoints to query, of other systems."""
    timeout: Duration = "2m"
    """Timeout of one query."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        "dnsDiscovery": ("unknown key", "Remove it: it knows the roles of this stack; others are endpoints."),
        **not_offered("enforceTenancy", instead="Remove it: who may query may query all clusters."),
        **not_offered("maxConcurrent", "maxConcurrentSelect", "partialResponse"),
    }

    def problems(self) -> Iterator[Problem]:
        """No endpoint is queried twice."""
        seen: dict[str, int] = {}
        for index, endpoint in enumerate(self.endpoints):
            first = seen.setdefault(endpoint.address, index)
            if first != index:
                rule = f"is the address of endpoints[{first}] too"
                instead = "Remove one of the two: its series would be returned twice."
                yield Problem(("endpoints", index, "address"), rule, instead, endpoint.address)


class QueryFrontend(Section):
    """Query Frontend: splits long queries by day and caches their results; one in front of each Query."""

    cache: Quantity = "256Mi"
    """Memory of each replica for cached results, if there is no `memcached`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = not_offered(
        "config", "maxRetries", "splitInterval", instead="Remove it; thanos: {memcached: {}} is a common cache."
    )


class Store(Section):
    """Store Gateway: answers queries from the bucket."""

    shards: Annotated[int, Field(ge=1, le=32)] = 1
    """Number of shards, among which blocks are divided by hash."""
    replicas: Annotated[int, Field(ge=1, le=3)] = 1
    """Replicas of each shard."""
    split_at: Duration | None = None
    """Shard by time as well: blocks younger and older than this have Stores of their own."""
    storage: Quantity = "10Gi"
    """Size of each volume for index headers, which are downloaded again if it is lost."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **dict.fromkeys(
            ("maxTime", "minTime", "timeRangeConfig"),
            ("unknown key", "Write splitAt: 30d, for Stores of younger and of older blocks."),
        ),
        **not_offered(
            *("chunkPoolSize", "indexCache", "indexCacheSize", "seriesMaxConcurrency", "seriesSampleLimit"),
            instead="Remove it; thanos: {memcached: {}} is a cache of all Stores.",
        ),
    }


class Memcached(Section):
    """memcached, as the common cache of Stores (index, bucket) and Query Frontends (results)."""

    replicas: Replicas = 2
    """Servers, among which items are divided; items of a lost one are read again."""
    memory: Annotated[Quantity, AfterValidator(_is_a_cache)] = "1Gi"
    """Memory of each for items; its pod gets more, for connections and the hash table."""


class Receive(Section):
    """Receive: takes the agents' samples in place of the hub, and replicates each to several ingestors."""

    replicas: Annotated[int, Field(ge=1, le=32)] = 3
    """Ingestors. An update may remove at most `replication` - 1 of them."""
    replication: Annotated[int, Field(ge=1, le=5)] = 3
    """Replication factor: ingestors per sample; a write succeeds when more than half of them have it."""
    routers: Replicas = 2
    """Routers in front of the ingestors."""
    retention: Duration = "1d"
    """How long an ingestor keeps samples that are uploaded to the bucket already."""
    storage: Quantity = "50Gi"
    """Size of each ingestor's volume, for `retention` and samples that are not uploaded yet."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    series_limits: Table[DnsLabel, Annotated[int, Field(ge=1, le=MANY)]] = Field(default_factory=empty)
    """Cluster -> limit of active series; above it, its agent gets 429 and retries."""
    expose: ExposedHost
    """How agents reach it."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **renamed({"limits": "seriesLimits: {eu1: 400000}"}),
        **dict.fromkeys(
            ("defaultTenantID", "distributor", "hashring", "hashrings", "mode", "tenantHeader", "tenantLabelName"),
            ("unknown key", "Remove it: routers and ingestors have pods of their own, and each agent is a tenant."),
        ),
    }

    def problems(self) -> Iterator[Problem]:
        """There are enough ingestors, and one may fail."""
        if self.replication > self.replicas:
            instead = f"Write replicas: {self.replication} or more, or replication: 1."
            yield Problem(("replication",), "is more than the number of ingestors", instead, self.replication)
        if self.replication == 2:
            instead = "Write 3, or 1 if the last hours of an ingestor may be lost."
            yield Problem(("replication",), "can't take writes while one ingestor is down", instead, 2)


class Ruler(Section):
    """Ruler: evaluates rules that need the data of every replica or of Receive, through Query."""

    replicas: Annotated[int, Field(ge=1, le=3)] = 2
    """Replicas, which evaluate the same rules; Alertmanager deduplicates their alerts."""
    storage: Quantity = "10Gi"
    """Size of each volume, for recorded series that are not uploaded yet."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    results: Literal["bucket", "receive"] = "bucket"
    """Destination of recorded series and alert state: the bucket, in blocks, or Receive (stateless Ruler)."""
    bucket: GoogleBucket | None = None
    """Separate bucket for its blocks, on Google Cloud; the bucket of `storage` if left out."""

    def problems(self) -> Iterator[Problem]:
        """A stateless Ruler uploads nothing."""
        if self.results == "receive" and self.bucket:
            yield Problem(("bucket",), "has no effect with results: receive", "Remove it.", self.bucket)


class BucketWeb(Section):
    """Bucket web: a page that shows the blocks in the bucket."""

    expose: ExposedHost | None = None
    """How the page is reached from outside the cluster."""


class Thanos(Section):
    """Thanos, in the cluster of the Prometheus server: high availability and long-term storage."""

    storage: Storage
    """Object store for blocks."""
    shared_with: Distinct[StackName] = ()
    """Other stacks with the same bucket."""
    compacts: bool = True
    """Whether this stack runs the bucket's Compactor; exactly one of the stacks that share a bucket must."""
    compaction: Literal["delayed", "classic"] = "delayed"
    """Whether Prometheus compacts blocks after their upload (`delayed`), or not at all (`classic`)."""
    block: Annotated[Duration, AfterValidator(_is_a_block)] = "2h"
    """Length of a block that Prometheus, Receive and Ruler upload; shorter than 2h for experiments only."""
    query: Query = Query()
    """Answers PromQL over all servers and the bucket."""
    query_frontend: QueryFrontend | None = None
    """Splits long queries and caches results in front of Query; none if left out."""
    store: Store = Store()
    """Store Gateway, which answers queries from the bucket."""
    memcached: Memcached | None = None
    """Common cache of Stores and Query Frontends; each has a cache in its own memory if left out."""
    compactor: Compactor = Compactor()
    """Compacts and downsamples blocks and applies retention."""
    ruler: Ruler | None = None
    """Evaluates rules through Query; required with `receive`."""
    receive: Receive | None = None
    """Takes the agents' samples in place of the hub."""
    bucket_web: BucketWeb | None = None
    """Page that shows the blocks in the bucket; none if left out."""
    expose: ExposedHost | None = None
    """How Query is reached from outside the cluster."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        "sidecar": ("unknown key", "Remove it: each Prometheus has one."),
        **renamed(
            {
                "compact": "compactor",
                "rule": "ruler",
                "bucket": "bucketWeb",
                "receiveDistributor": "receive: {routers: 2}",
                "receiveRouter": "receive: {routers: 2}",
                "storeGateway": "store",
                "objstore": "storage: {…}",
            }
        ),
    }

    @property
    def exposed_hosts(self) -> Mapping[str, ExposedHost]:
        """Every exposed host, by the path of its section."""
        found = {
            "": self.expose,
            "receive": self.receive.expose if self.receive else None,
            "bucketWeb": self.bucket_web.expose if self.bucket_web else None,
        }
        return {name: exposed for name, exposed in found.items() if exposed}

    def problems(self) -> Iterator[Problem]:
        """Rules are evaluated where the samples are, and blocks can be deleted despite the bucket's retention."""
        if self.receive and not self.ruler:
            yield Problem(("ruler",), "is missing", "Write ruler: {}: no Prometheus has the samples of Receive.")
        if self.ruler and self.ruler.results == "receive" and not self.receive:
            rule = "needs thanos.receive, which is missing"
            yield Problem(("ruler", "results"), rule, "Add receive, or write bucket.", "receive")
        if not self.compacts and not self.shared_with:
            instead = "Name the stack that has the Compactor in sharedWith, or remove compacts."
            yield Problem(("compacts",), "leaves the bucket without a Compactor", instead, "false")
        if self.memcached and self.query_frontend and "cache" in self.query_frontend.model_fields_set:
            instead = "Remove it, and set memcached.memory."
            yield Problem(
                ("queryFrontend", "cache"), "has no effect with memcached", instead, self.query_frontend.cache
            )
        gcs, delay = self.storage.gcs, self.compactor.delete_delay
        if self.memcached and seconds(delay) < 3600:
            instead = "Write 1h or more: memcached caches for 20 minutes that a block is not marked for deletion."
            yield Problem(("compactor", "deleteDelay"), "is too short for memcached", instead, delay)
        if gcs and gcs.retention and seconds(gcs.retention) >= seconds(delay):
            instead = f"Write less than compactor.deleteDelay, {delay}: or else the compactor can't delete blocks."
            yield Problem(
                ("storage", "gcs", "retention"), "keeps blocks that are to be deleted", instead, gcs.retention
            )
