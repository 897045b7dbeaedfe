"""Command lines and configuration of Thanos Receive: routers, which set tenants and replicate, and ingestors."""

from posixpath import basename
from typing import Any

from settings import Fleet, Receive, Server, Thanos, reserved
from settings.reserved import REPLICA_LABEL

from ..prometheus.auth_proxies import READ
from ..prometheus.global_config import OUT_OF_ORDER_WINDOW
from ..tokens import API_TOKEN, writer_account
from ..yaml import to_json, to_yaml
from .authenticated import REMOTE_WRITE_LISTEN, TENANT_HEADER, credentials
from .names import ADDRESS_FLAGS, DATA, GRPC, RECEIVE, RULER, own_labels, tenant
from .objstore import objstore
from .ruler import is_stateless

HASHRING_FILE = "/etc/thanos/config/hashring.json"
LIMITS_FILE = "/etc/thanos/config/limits.yml"
ROUTER_DATA = "/data"
"""Mount path of a volume of a router, which stores nothing there."""
_UNLIMITED = 0
_AHEAD = "10m"
"""How far a sample may be ahead of the clock: as far as Prometheus takes it. Without it, one of next year is the newest
of its tenant, and every later one is refused for good as too old."""


def ingestor_flags(server: Server, thanos: Thanos, receive: Receive) -> list[str]:
    """Flags of an ingestor, which stores samples of routers and uploads blocks."""
    return [
        "receive",
        *ADDRESS_FLAGS,
        f"--remote-write.address={REMOTE_WRITE_LISTEN}",
        f"--tsdb.path={DATA}",
        f"--tsdb.retention={receive.retention}",
        f"--tsdb.min-block-duration={thanos.block}",
        f"--tsdb.max-block-duration={thanos.block}",
        f"--tsdb.out-of-order.time-window={OUT_OF_ORDER_WINDOW}",
        f"--tsdb.too-far-in-future.time-window={_AHEAD}",
        f"--objstore.config={objstore(thanos.storage)}",
        *own_labels(server, reserved.RECEIVE),
    ]


def router_flags(receive: Receive) -> list[str]:
    """Flags of a router, which sends each sample to its ingestors."""
    return [
        "receive",
        *ADDRESS_FLAGS,
        f"--remote-write.address={REMOTE_WRITE_LISTEN}",
        f"--receive.hashrings-file={HASHRING_FILE}",
        "--receive.hashrings-algorithm=ketama",
        f"--receive.replication-factor={receive.replication}",
        f"--receive.tenant-header={TENANT_HEADER}",
        f'--label={REPLICA_LABEL}="$(POD_NAME)"',
        f"--tsdb.path={ROUTER_DATA}",
        *([f"--receive.limits-config-file={LIMITS_FILE}"] if receive.series_limits else []),
    ]


def hashring(fleet: Fleet, replicas: int) -> str:
    """
    The hashring of all ingestors, by their stable DNS names, for the tenants of this stack.

    Without a list of tenants it would accept any tenant in a request, and `default-tenant` for none. Other tenants get
    an error that clients retry, as does a new writer until the kubelet has updated the file.
    """
    ingestors = [f"{RECEIVE}-{number}.{RECEIVE}.{fleet.namespace}.svc:{GRPC}" for number in range(replicas)]
    ring: list[dict[str, Any]] = [
        {"tenants": tenants(fleet), "endpoints": [{"address": address} for address in ingestors]}
    ]
    return to_json(ring)


def limits(server: Server, fleet: Fleet, receive: Receive) -> str:
    """
    The routers' limits of active series by tenant, as counted by the hub's Prometheus.

    Thanos' limits of a request are left out: it answers them with 413, which an agent does not retry.
    """
    limited = {writer(fleet, cluster): series for cluster, series in receive.series_limits.items()}
    named = {name: {"head_series_limit": limited.get(name, _UNLIMITED)} for name in tenants(fleet)}
    asked = {
        "meta_monitoring_url": READ.url(server.app, fleet.namespace),
        "meta_monitoring_http_client": credentials(server, API_TOKEN),
        "meta_monitoring_limit_query": f'sum by (tenant) (prometheus_tsdb_head_series{{job="{RECEIVE}"}}) / '
        f"{min(receive.replication, receive.replicas)}",
    }
    return to_yaml({"write": {"global": asked, "default": {"head_series_limit": 1}, "tenants": named}})


def tenants(fleet: Fleet) -> list[str]:
    """Tenants of every client with access to Receive."""
    stateless = fleet.thanos and is_stateless(fleet.thanos)
    return [
        *(writer(fleet, cluster) for cluster in sorted(fleet.partial.writers)),
        *([tenant(fleet.namespace, RULER)] if stateless else []),
    ]


def writer(fleet: Fleet, cluster: str) -> str:
    """Return the tenant of a cluster's agent."""
    return tenant(fleet.namespace, writer_account(cluster))


def router_files(server: Server, fleet: Fleet, receive: Receive) -> dict[str, str]:
    """Return the routers' configuration: file name -> text."""
    files = {basename(HASHRING_FILE): hashring(fleet, receive.replicas)}
    if receive.series_limits:
        files[basename(LIMITS_FILE)] = limits(server, fleet, receive)
    return files
