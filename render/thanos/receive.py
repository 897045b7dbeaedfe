"""The Receive of Thanos: routers, which take samples under the tenant of who writes, and ingestors, which keep them."""

from typing import Any

from settings import Fleet, Receive, Server, Thanos, reserved
from settings.reserved import REPLICA

from ..prometheus.auth_proxies import READ
from ..prometheus.global_config import OUT_OF_ORDER_WINDOW
from ..tokens import API_TOKEN
from ..yaml import to_json, to_yaml
from .authenticated import REMOTE_WRITE_LISTEN, TENANT_HEADER, credentials
from .names import DATA, GRPC, PORTS, RECEIVE, RULER, own_labels, tenant
from .objstore import objstore
from .ruler import is_stateless

HASHRING_FILE = "/etc/thanos/config/hashring.json"
LIMITS_FILE = "/etc/thanos/config/limits.yml"
_UNLIMITED = 0


def ingestor_flags(server: Server, thanos: Thanos, receive: Receive) -> list[str]:
    """Keeps what routers send it, and uploads it."""
    return [
        "receive",
        *PORTS,
        f"--remote-write.address={REMOTE_WRITE_LISTEN}",
        f"--tsdb.path={DATA}",
        f"--tsdb.retention={receive.retention}",
        f"--tsdb.min-block-duration={thanos.block}",
        f"--tsdb.max-block-duration={thanos.block}",
        f"--tsdb.out-of-order.time-window={OUT_OF_ORDER_WINDOW}",
        f"--objstore.config={objstore(thanos.storage)}",
        *own_labels(server, reserved.RECEIVE),
    ]


def router_flags(receive: Receive) -> list[str]:
    """Sends each sample to the ingestors that keep it; writers reach it through its auth proxy."""
    return [
        "receive",
        *PORTS,
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


def limits(server: Server, fleet: Fleet, receive: Receive) -> str:
    """
    The routers' limits: by tenant, active series as the hub's Prometheus counts them; whoever is no tenant has none.

    Thanos' limits of a request are left out: it answers them with 413, which is final for an agent.
    """
    limited = {writer(fleet, cluster): series for cluster, series in receive.series_limits.items()}
    named = {name: {"head_series_limit": limited.get(name, _UNLIMITED)} for name in tenants(fleet)}
    asked = {
        "meta_monitoring_url": READ.url(server.app, fleet.namespace),
        "meta_monitoring_http_client": credentials(server, API_TOKEN),
        "meta_monitoring_limit_query": 'sum by (tenant) (prometheus_tsdb_head_series{job="thanos-receive"}) / '
        f"{min(receive.replication, receive.replicas)}",
    }
    return to_yaml({"write": {"global": asked, "default": {"head_series_limit": 1}, "tenants": named}})


def tenants(fleet: Fleet) -> list[str]:
    """Everybody who may write to Receive, by the name that its auth proxy tells."""
    stateless = fleet.thanos and is_stateless(fleet.thanos)
    return [
        *(writer(fleet, cluster) for cluster in sorted(fleet.partial.writers)),
        *([tenant(fleet.namespace, RULER)] if stateless else []),
    ]


def writer(fleet: Fleet, cluster: str) -> str:
    """Return the tenant of a cluster's agent."""
    return tenant(fleet.namespace, f"writer-{cluster}")


def router_files(server: Server, fleet: Fleet, receive: Receive) -> dict[str, str]:
    """Return the routers' configuration: name of a file -> text."""
    files = {HASHRING_FILE.rpartition("/")[2]: hashring(fleet, receive.replicas)}
    if receive.series_limits:
        files[LIMITS_FILE.rpartition("/")[2]] = limits(server, fleet, receive)
    return files
