"""Command lines and files of Thanos, one function per role."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from settings import Fleet, Hub, Memcached, QueryFrontend, Thanos, reserved, seconds
from settings.reserved import REPLICA, RULER_REPLICA

from ..prometheus.agent import queue
from ..prometheus.flags import DATA as TSDB
from ..prometheus.flags import LISTEN
from ..prometheus.global_config import LATEST
from ..tokens import API_TOKEN, DOORS_TOKEN
from ..yaml import to_json, to_yaml
from .memcached import ANSWER_CACHE, INDEX_CACHE, bucket_cache
from .objstore import objstore

GRPC, HTTP = 10901, 10902
DATA = "/var/thanos/data"
QUERY_LISTEN, FRONTEND_LISTEN, WEB_LISTEN = f"127.0.0.1:{HTTP}", "127.0.0.1:10903", f"127.0.0.1:{HTTP}"
REMOTE_WRITE_LISTEN = "127.0.0.1:19291"
ENDPOINTS_FILE = "/etc/thanos/config/endpoints.yml"
ALERTMANAGERS_FILE = "/etc/thanos/config/alertmanagers.yml"
HASHRING_FILE = "/etc/thanos/config/hashring.json"
LIMITS_FILE = "/etc/thanos/config/limits.yml"
RULES = "/etc/thanos/rules"
CERTIFICATES = "/etc/thanos/certificates"
"""Where the Secret of each remote endpoint is mounted, in a folder of its name."""
SIDECAR, QUERY, FRONTEND, STORE, COMPACTOR, RULER, RECEIVE, ROUTER, WEB = (
    f"thanos-{role}"
    for role in (
        "sidecar",
        "query",
        "query-frontend",
        "store",
        "compactor",
        "ruler",
        "receive",
        "receive-router",
        "bucket-web",
    )
)
SIDECARS = "prometheus-hub-replicas"
"""The headless Service of the hub's pods."""
SILENCE = 30
"""Seconds after which Query goes on without an endpoint that says nothing, and warns; Thanos' own default is never."""
EVALUATION = "1m"
"""
How often Rulers evaluate, which is Thanos' own default, whatever the scrape interval is.

Each rule is a question to Query, which asks everybody: every 15 s, the rules of three clusters took both cores of a
machine.
"""
_UNLIMITED = 0
TENANT_HEADER = "THANOS-TENANT"
"""
Set by the write door to who came, over what the writer wrote there.

A writer can have it dropped on the way (`Connection: THANOS-TENANT`) and would write as nobody: see `hashring`.
"""

_PORTS = [f"--http-address=0.0.0.0:{HTTP}", f"--grpc-address=0.0.0.0:{GRPC}"]


def _own_labels(fleet: Fleet, role: str, replica: str = REPLICA) -> list[str]:
    """Labels of a role's blocks that no other stack's have in the same bucket, nor its twins."""
    cluster = fleet.hub.cluster if fleet.hub else ""
    return [f'--label={role}="{cluster}"', f'--label={replica}="$(POD_NAME)"']


def sidecar_flags(thanos: Thanos) -> list[str]:
    """Uploads the blocks of the Prometheus beside it, and answers for what is not uploaded yet."""
    return [
        "sidecar",
        *_PORTS,
        f"--prometheus.url=http://{LISTEN}",
        f"--tsdb.path={TSDB}",
        f"--objstore.config={objstore(thanos.storage)}",
        *(["--shipper.ignore-unequal-block-size"] if thanos.compaction == "delayed" else []),
    ]


def query_flags(thanos: Thanos) -> list[str]:
    """Nobody reaches its HTTP API but through its door; Rulers and other Queries ask it over gRPC."""
    return [
        "query",
        f"--http-address={QUERY_LISTEN}",
        f"--grpc-address=0.0.0.0:{GRPC}",
        f"--query.replica-label={REPLICA}",
        *([f"--query.replica-label={RULER_REPLICA}"] if is_stateless(thanos) else []),
        f"--query.timeout={thanos.query.timeout}",
        f"--store.response-timeout={SILENCE}s",
        "--query.auto-downsampling",
        f"--endpoint.sd-config-file={ENDPOINTS_FILE}",
        "--endpoint.sd-config-reload-interval=10s",
        "--store.sd-dns-interval=10s",
        "--query.promql-engine=thanos",
    ]


def endpoints(fleet: Fleet, thanos: Thanos) -> str:
    """The file that names all that a Query asks."""
    answers = thanos.ruler and not is_stateless(thanos)
    apps = [SIDECARS, *stores(thanos), *([RULER] if answers else []), *([RECEIVE] if thanos.receive else [])]
    return to_yaml(
        {
            "endpoints": [
                *({"address": f"dns+{app}.{fleet.namespace}.svc:{GRPC}"} for app in apps),
                *(
                    {"address": remote.address, "client_config": {"tls_config": _mutual(remote.tls_secret)}}
                    for remote in thanos.query.endpoints
                ),
            ]
        }
    )


def _mutual(secret: str) -> dict[str, str]:
    folder = f"{CERTIFICATES}/{secret}"
    return {"cert_file": f"{folder}/tls.crt", "key_file": f"{folder}/tls.key", "ca_file": f"{folder}/ca.crt"}


def frontend_flags(frontend: QueryFrontend, memcached: Memcached | None) -> list[str]:
    """Stands before the Query of its own pod."""
    own = {"type": "IN-MEMORY", "config": {"max_size": f"{frontend.cache}B"}}
    kept = ANSWER_CACHE if memcached else to_json(own)
    return [
        "query-frontend",
        f"--http-address={FRONTEND_LISTEN}",
        f"--query-frontend.downstream-url=http://{QUERY_LISTEN}",
        f"--query-range.response-cache-config={kept}",
        f"--labels.response-cache-config={kept}",
    ]


class Work(NamedTuple):
    """A role on one bucket."""

    bucket: str
    """What ends the names of the bucket's own roles: nothing, or `-ruler`."""
    flags: list[str]


def buckets(thanos: Thanos) -> Mapping[str, str | None]:
    """What ends the names of those who work on a bucket -> its name; None is the storage's own."""
    second = {"-ruler": thanos.ruler.bucket} if thanos.ruler and thanos.ruler.bucket else {}
    return {"": None, **second}


def stores(thanos: Thanos) -> Mapping[str, Work]:
    """Every Store by the name of its pods: by bucket, by age of blocks, by hash."""
    edge = f"-{thanos.store.split_at}"
    spans = {"": [f"--min-time={edge}"], "-old": [f"--max-time={edge}"]} if thanos.store.split_at else {"": []}
    shards = range(thanos.store.shards)
    return {
        f"{STORE}{ending}{age}{f'-{shard}' if len(shards) > 1 else ''}": Work(
            ending, _store_flags(thanos, bucket, span, shard)
        )
        for ending, bucket in buckets(thanos).items()
        for age, span in spans.items()
        for shard in shards
    }


def _store_flags(thanos: Thanos, bucket: str | None, span: Sequence[str], shard: int) -> list[str]:
    """A block that is marked for deletion is left out after half of its delay, when its successor is known."""
    divided = [
        {"action": "hashmod", "source_labels": ["__block_id"], "target_label": "shard", "modulus": thanos.store.shards},
        {"action": "keep", "source_labels": ["shard"], "regex": str(shard)},
    ]
    caches = [
        f"--index-cache.config={INDEX_CACHE}",
        f"--store.caching-bucket.config={bucket_cache(bucket or 'the long-term one')}",
    ]
    return [
        "store",
        *_PORTS,
        f"--data-dir={DATA}",
        f"--objstore.config={objstore(thanos.storage, bucket)}",
        f"--ignore-deletion-marks-delay={seconds(thanos.compactor.delete_delay) // 2}s",
        "--sync-block-duration=1m",
        *span,
        *([f"--selector.relabel-config={to_json(divided)}"] if thanos.store.shards > 1 else []),
        *(caches if thanos.memcached else []),
    ]


def compactors(thanos: Thanos) -> Mapping[str, Work]:
    """The one compactor of each bucket by the name of its pod; none where another stack has it."""
    return {
        f"{COMPACTOR}{ending}": Work(ending, _compactor_flags(thanos, bucket))
        for ending, bucket in buckets(thanos).items()
        if thanos.compacts or ending
    }


def _compactor_flags(thanos: Thanos, bucket: str | None) -> list[str]:
    """Compacts, downsamples and deletes; blocks of two replicas become one."""
    kept = thanos.compactor.retention
    return [
        "compact",
        "--wait",
        f"--http-address=0.0.0.0:{HTTP}",
        f"--data-dir={DATA}",
        f"--objstore.config={objstore(thanos.storage, bucket)}",
        f"--retention.resolution-raw={kept.raw}",
        f"--retention.resolution-5m={kept.five_minutes}",
        f"--retention.resolution-1h={kept.one_hour}",
        f"--delete-delay={thanos.compactor.delete_delay}",
        f"--deduplication.replica-label={REPLICA}",
        "--deduplication.func=penalty",
        "--compact.enable-vertical-compaction",
    ]


def is_stateless(thanos: Thanos) -> bool:
    """Whether what Rulers record goes to Receive."""
    return bool(thanos.ruler and thanos.ruler.results == "receive")


def ruler_flags(fleet: Fleet, thanos: Thanos) -> list[str]:
    """Evaluates against Query; its own alerts lose the label of the replica that raised them."""
    replica = RULER_REPLICA if is_stateless(thanos) else REPLICA
    return [
        "rule",
        *_PORTS,
        f"--data-dir={DATA}",
        *(_stateless_flags(fleet) if is_stateless(thanos) else _stateful_flags(fleet, thanos)),
        f"--rule-file={RULES}/*.yml",
        f"--eval-interval={EVALUATION}",
        f"--alert.label-drop={replica}",
        f"--alert.label-drop={reserved.RULER}",
        *_own_labels(fleet, reserved.RULER, replica),
        f"--alertmanagers.config-file={ALERTMANAGERS_FILE}",
    ]


def _stateful_flags(fleet: Fleet, thanos: Thanos) -> list[str]:
    """Keeps what it records on its volume, answers for it, and uploads it."""
    return [
        f"--objstore.config={objstore(thanos.storage, thanos.ruler.bucket if thanos.ruler else None)}",
        f"--grpc-query-endpoint=dns+{QUERY}-grpc.{fleet.namespace}.svc:{GRPC}",
        f"--tsdb.block-duration={thanos.block}",
    ]


def _stateless_flags(fleet: Fleet) -> list[str]:
    """
    Writes what it records to Receive, as a tenant of its own, and reads it back when it starts.

    Only over HTTP is it read back, so that Query is asked through its door. There the labels that Receive and this
    Ruler add are left out, or no alert would be recognised.
    """
    door = _door_client(fleet.hub, API_TOKEN)
    query = {
        "scheme": "https",
        "static_configs": [f"dns+{QUERY}.{fleet.namespace}.svc:8444"],
        "http_config": door,
    }
    write = {
        "name": "receive",
        "url": f"https://{ROUTER}.{fleet.namespace}.svc:8443/api/v1/receive",
        "authorization": {"type": "Bearer", "credentials_file": API_TOKEN},
        "tls_config": door["tls_config"],
        "queue_config": queue(fleet.scrape.limits),
    }
    return [
        f"--query.config={to_json([query])}",
        f"--remote-write.config={to_json({'remote_write': [write]})}",
        *(f"--restore-ignored-label={label}" for label in (reserved.RULER, reserved.RECEIVE, reserved.TENANT)),
    ]


def _door_client(hub: Hub | None, token: str) -> dict[str, Any]:
    """How a role goes through a door of the hub's stack: with a token of its own, trusting its certificate alone."""
    if hub is None:
        raise ValueError("this fleet has no hub")
    return {
        "bearer_token_file": token,
        "tls_config": {"ca_file": f"{CERTIFICATES}/own/tls.crt", "server_name": hub.expose.host},
    }


def ruler_alertmanagers(fleet: Fleet) -> str:
    """Every replica of the hub's Alertmanager, through its door; nobody, where this stack has none."""
    if not fleet.alertmanager or not fleet.hub:
        return to_yaml({"alertmanagers": []})
    return to_yaml(
        {
            "alertmanagers": [
                {
                    "scheme": "https",
                    "api_version": "v2",
                    "static_configs": [f"dns+alertmanager-mesh.{fleet.namespace}.svc:8443"],
                    "http_config": _door_client(fleet.hub, DOORS_TOKEN),
                }
            ]
        }
    )


def ingestor_flags(fleet: Fleet, thanos: Thanos) -> list[str]:
    """Keeps what routers send it, and uploads it."""
    receive = thanos.receive
    if receive is None:
        raise ValueError("this fleet has no Receive")
    return [
        "receive",
        *_PORTS,
        f"--remote-write.address={REMOTE_WRITE_LISTEN}",
        f"--tsdb.path={DATA}",
        f"--tsdb.retention={receive.retention}",
        f"--tsdb.min-block-duration={thanos.block}",
        f"--tsdb.max-block-duration={thanos.block}",
        f"--tsdb.out-of-order.time-window={LATEST}",
        f"--objstore.config={objstore(thanos.storage)}",
        *_own_labels(fleet, reserved.RECEIVE),
    ]


def router_flags(thanos: Thanos) -> list[str]:
    """Sends each sample to the ingestors that keep it; writers reach it through its door."""
    receive = thanos.receive
    if receive is None:
        raise ValueError("this fleet has no Receive")
    return [
        "receive",
        *_PORTS,
        f"--remote-write.address={REMOTE_WRITE_LISTEN}",
        f"--receive.hashrings-file={HASHRING_FILE}",
        "--receive.hashrings-algorithm=ketama",
        f"--receive.replication-factor={receive.replication}",
        f"--receive.tenant-header={TENANT_HEADER}",
        f'--label={REPLICA}="$(POD_NAME)"',
        "--tsdb.path=/data",
        *([f"--receive.limits-config-file={LIMITS_FILE}"] if receive.series_limits else []),
    ]


def hashring(fleet: Fleet, replicas: int) -> str:
    """
    Every ingestor by the name that stays its own, for the tenants that there are.

    Without names it would take samples for whomever a request says, and for Thanos' `default-tenant` if it says
    nothing. Whoever is not named gets an error that is tried again, as does a new writer until the file has arrived.
    """
    ingestors = [f"{RECEIVE}-{number}.{RECEIVE}.{fleet.namespace}.svc:{GRPC}" for number in range(replicas)]
    ring: list[dict[str, Any]] = [
        {"tenants": tenants(fleet), "endpoints": [{"address": address} for address in ingestors]}
    ]
    return to_json(ring)


def limits(fleet: Fleet, thanos: Thanos) -> str:
    """
    The routers' limits: by tenant, active series as the hub's Prometheus counts them; whoever is no tenant has none.

    Thanos' limits of a request are left out: it answers them with 413, which is final for an agent.
    """
    if not thanos.receive:
        raise ValueError("this fleet has no Receive")
    limited = {tenant(fleet, cluster): series for cluster, series in thanos.receive.series_limits.items()}
    named = {name: {"head_series_limit": limited.get(name, _UNLIMITED)} for name in tenants(fleet)}
    asked = {
        "meta_monitoring_url": f"https://prometheus-hub.{fleet.namespace}.svc:8444",
        "meta_monitoring_http_client": _door_client(fleet.hub, API_TOKEN),
        "meta_monitoring_limit_query": 'sum by (tenant) (prometheus_tsdb_head_series{job="thanos-receive"}) / '
        f"{min(thanos.receive.replication, thanos.receive.replicas)}",
    }
    return to_yaml({"write": {"global": asked, "default": {"head_series_limit": 1}, "tenants": named}})


def tenants(fleet: Fleet) -> list[str]:
    """Everybody who may write to Receive, by the name that its door tells."""
    stateless = fleet.thanos and is_stateless(fleet.thanos)
    return [
        *(tenant(fleet, cluster) for cluster in sorted(fleet.draft.writers)),
        *([_account(fleet, RULER)] if stateless else []),
    ]


def tenant(fleet: Fleet, cluster: str) -> str:
    """A cluster's tenant: the name by which Kubernetes knows who writes for it."""
    return _account(fleet, f"writer-{cluster}")


def _account(fleet: Fleet, name: str) -> str:
    return f"system:serviceaccount:{fleet.namespace}:{name}"


def web_flags(thanos: Thanos) -> list[str]:
    """Shows the blocks of the long-term bucket."""
    return ["tools", "bucket", "web", f"--http-address={WEB_LISTEN}", f"--objstore.config={objstore(thanos.storage)}"]
