"""What a stack says about Thanos: who answers for years of data, and where it lies."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .errors import Problem
from .expose import ExposedHost
from .section import Distinct, Many, Section, Table, empty
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
        raise refused("is not between 30s and 2h", "Write 2h: Prometheus' own length of a block.")
    return length


def _is_a_cache(size: Quantity) -> Quantity:
    if in_bytes(size) < 64 * 2**20:
        raise refused("is less than 64Mi", "Write 64Mi or more: a single answer may take 5Mi of it.")
    return size


Kept = Annotated[str, kept("100y: it is as good as for ever"), COUNTABLE]


class Resolutions(Section):
    """How long each resolution is kept."""

    raw: Annotated[Kept, _is_a_kept_age("raw")] = "90d"
    """Samples as they came."""
    five_minutes: Annotated[Kept, _is_a_kept_age("five_minutes")] = "1y"
    """One aggregate per five minutes."""
    one_hour: Kept = "5y"
    """One aggregate per hour."""

    def problems(self) -> Iterator[Problem]:
        """A coarser resolution outlives the finer one, or a long range can't be shown at all."""
        if seconds(self.five_minutes) < seconds(self.raw):
            yield Problem(("fiveMinutes",), "is shorter than raw", f"Write {self.raw} or more.", self.five_minutes)
        if seconds(self.one_hour) < seconds(self.five_minutes):
            instead = f"Write {self.five_minutes} or more."
            yield Problem(("oneHour",), "is shorter than fiveMinutes", instead, self.one_hour)


class Compactor(Section):
    """Makes small blocks large, old ones coarse, and deletes what is past its time; one per bucket, always."""

    retention: Resolutions = Resolutions()
    delete_delay: Duration = "48h"
    """How long a block that was replaced or is too old stays in the bucket."""
    storage: Quantity = "100Gi"
    """Size of the volume on which blocks are compacted: the largest group of blocks, twice."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""


class RemoteEndpoint(Section):
    """A sidecar, Receive or Query of another system, asked over gRPC with mutual TLS."""

    address: GrpcAddress
    """Host and port, as its certificate names the host."""
    tls_secret: DnsName
    """Secret in the hub's namespace: `tls.crt` and `tls.key` to show, `ca.crt` to trust."""


class Query(Section):
    """Answers PromQL over everything; equal series of two replicas are one."""

    replicas: Replicas = 2
    """How many answer; one may be missed."""
    endpoints: Many[RemoteEndpoint] = ()
    """What it asks beside this stack's own."""
    timeout: Duration = "2m"
    """How long one question may take."""

    def problems(self) -> Iterator[Problem]:
        """Nobody is asked twice."""
        seen: dict[str, int] = {}
        for index, endpoint in enumerate(self.endpoints):
            first = seen.setdefault(endpoint.address, index)
            if first != index:
                rule = f"is the address of endpoints[{first}] too"
                instead = "Remove one of the two: its series would come twice."
                yield Problem(("endpoints", index, "address"), rule, instead, endpoint.address)


class QueryFrontend(Section):
    """Splits long questions by day and remembers their answers; one before each Query."""

    cache: Quantity = "256Mi"
    """Memory of each replica for answers, where there is no `memcached`."""


class Store(Section):
    """Answers from the bucket."""

    shards: Annotated[int, Field(ge=1, le=32)] = 1
    """Among how many its blocks are divided, by hash."""
    replicas: Annotated[int, Field(ge=1, le=3)] = 1
    """How many answer for each shard."""
    split_at: Duration | None = None
    """Divide by time as well: younger and older blocks than this have Stores of their own."""
    storage: Quantity = "10Gi"
    """Volume of each for index headers, which are loaded anew when it is lost."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""


class Memcached(Section):
    """One cache for all: what Stores read from the bucket, and the answers of Query Frontends."""

    replicas: Replicas = 2
    """Among how many the items are divided; those of one that is lost are read anew."""
    memory: Annotated[Quantity, AfterValidator(_is_a_cache)] = "1Gi"
    """Memory of each for items; its pod gets more, for connections and the table of keys."""


class Receive(Section):
    """Takes the agents' samples instead of the hub: several ingestors, each sample in more than one."""

    replicas: Annotated[int, Field(ge=1, le=32)] = 3
    """Ingestors."""
    replication: Annotated[int, Field(ge=1, le=5)] = 3
    """In how many ingestors a sample is; a write succeeds when more than half of them have it."""
    routers: Replicas = 2
    """How many stand before them."""
    retention: Duration = "1d"
    """How long an ingestor answers for samples that are in the bucket already."""
    storage: Quantity = "50Gi"
    """Volume of each ingestor, for `retention` and what is not uploaded yet."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    series_limits: Table[DnsLabel, Annotated[int, Field(ge=1, le=MANY)]] = Field(default_factory=empty)
    """Cluster -> active series above which its agent is answered 429, and tries again."""
    expose: ExposedHost
    """How agents reach it: `host` leads to the write auth proxy."""

    def problems(self) -> Iterator[Problem]:
        """Enough ingestors, and one that can be missed."""
        if self.replication > self.replicas:
            instead = f"Write replicas: {self.replication} or more, or replication: 1."
            yield Problem(("replication",), "is more than there are ingestors", instead, self.replication)
        if self.replication == 2:
            instead = "Write 3, or 1 where losing an ingestor's last hours is acceptable."
            yield Problem(("replication",), "of 2 survives no loss of an ingestor unharmed", instead, 2)


class Ruler(Section):
    """Evaluates the rules that need the whole view."""

    replicas: Annotated[int, Field(ge=1, le=3)] = 2
    """How many evaluate alike; their alerts are told once."""
    storage: Quantity = "10Gi"
    """Volume of each, for what its rules recorded and is not uploaded yet."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    results: Literal["bucket", "receive"] = "bucket"
    """Where recorded series and the state of alerts go: to the bucket in blocks, or to Receive at once (stateless)."""
    bucket: GoogleBucket | None = None
    """A bucket of its own, on Google Cloud; the long-term one if left out."""

    def problems(self) -> Iterator[Problem]:
        """A stateless Ruler uploads nothing."""
        if self.results == "receive" and self.bucket:
            yield Problem(("bucket",), "stays empty: results go to receive", "Remove it.", self.bucket)


class BucketWeb(Section):
    """A page that shows the blocks in the bucket."""

    expose: ExposedHost | None = None
    """How the page is reached."""


class Thanos(Section):
    """High availability and years of data, in the hub's cluster."""

    storage: Storage
    """Where blocks are kept."""
    shared_with: Distinct[StackName] = ()
    """Stacks whose blocks lie in the same bucket."""
    compacts: bool = True
    """Whether this stack has the bucket's Compactor; of all that share the bucket exactly one has it."""
    compaction: Literal["delayed", "classic"] = "delayed"
    """Whether Prometheus compacts what is uploaded (`delayed`), or leaves blocks of two hours alone."""
    block: Annotated[Duration, AfterValidator(_is_a_block)] = "2h"
    """Length of a block that Prometheus, Receive and Ruler upload; shorter than 2h to try things out only."""
    query: Query = Query()
    """What is asked."""
    query_frontend: QueryFrontend | None = None
    """What stands before it, if anything."""
    store: Store = Store()
    """What answers from the bucket."""
    memcached: Memcached | None = None
    """What Stores and Query Frontends share as their cache; each has one in its own memory if left out."""
    compactor: Compactor = Compactor()
    """What keeps the bucket in order."""
    ruler: Ruler | None = None
    """What evaluates rules over everything; needed with `receive`."""
    receive: Receive | None = None
    """What takes agents' samples instead of the hub."""
    bucket_web: BucketWeb | None = None
    """What shows the bucket, if anything."""
    expose: ExposedHost | None = None
    """How people and Grafanas elsewhere reach Query."""

    @property
    def exposed_hosts(self) -> Mapping[str, ExposedHost]:
        """Every host under which something is reached, by the path of its section."""
        found = {
            "": self.expose,
            "receive": self.receive.expose if self.receive else None,
            "bucketWeb": self.bucket_web.expose if self.bucket_web else None,
        }
        return {name: exposed for name, exposed in found.items() if exposed}

    def problems(self) -> Iterator[Problem]:
        """Rules are evaluated where the samples are, and nothing is asked that a bucket's retention forbids."""
        if self.receive and not self.ruler:
            yield Problem(("ruler",), "is missing", "Write ruler: {}: no Prometheus has what agents write to Receive.")
        if self.ruler and self.ruler.results == "receive" and not self.receive:
            yield Problem(("ruler", "results"), "is not there", "Add receive, or write bucket.", "receive")
        if not self.compacts and not self.shared_with:
            instead = "Name the stack that has it in sharedWith, or remove it."
            yield Problem(("compacts",), "leaves the bucket without a Compactor", instead, "false")
        if self.memcached and self.query_frontend and "cache" in self.query_frontend.model_fields_set:
            instead = "Remove it, and give memcached its memory."
            yield Problem(
                ("queryFrontend", "cache"), "has no effect with memcached", instead, self.query_frontend.cache
            )
        gcs, delay = self.storage.gcs, self.compactor.delete_delay
        if self.memcached and seconds(delay) < 3600:
            instead = "Write 1h or more: for 20 minutes it may remember that a block is not to be deleted."
            yield Problem(("compactor", "deleteDelay"), "is too short for memcached", instead, delay)
        if gcs and gcs.retention and seconds(gcs.retention) >= seconds(delay):
            instead = f"Write less than compactor.deleteDelay, {delay}: the compactor could delete nothing."
            yield Problem(
                ("storage", "gcs", "retention"), "keeps blocks that are to be deleted", instead, gcs.retention
            )
