"""Command line and configuration of Thanos Ruler."""

from typing import Any

from settings import Fleet, Server, Thanos, reserved
from settings.reserved import REPLICA_LABEL, RULER_REPLICA

from ..alerting import existing_alertmanagers
from ..alertmanager import NOTIFY, PEERS
from ..prometheus.agent import queue
from ..prometheus.auth_proxies import READ
from ..tokens import API_TOKEN, PROXY_TOKEN
from ..yaml import to_json, to_yaml
from .authenticated import WRITE, credentials
from .names import ADDRESS_FLAGS, DATA, GRPC, QUERY, QUERY_GRPC, ROUTER, own_labels
from .objstore import objstore

ALERTMANAGERS_FILE = "/etc/thanos/config/alertmanagers.yml"
RULES = "/etc/thanos/rules"
EVALUATION = "1m"
"""
How often Rulers evaluate, which is Thanos' own default, whatever the scrape interval is.

Each rule is a question to Query, which asks everybody: every 15 s, the rules of three clusters took both cores of a
machine.
"""


def is_stateless(thanos: Thanos) -> bool:
    """Whether Rulers write recorded series to Receive."""
    return bool(thanos.ruler and thanos.ruler.results == "receive")


def ruler_flags(server: Server, fleet: Fleet, thanos: Thanos, *, verified: bool = False) -> list[str]:
    """
    Flags of a Ruler, which evaluates against Query; the replica label is dropped from alerts.

    With `verified`, Envoy is in front of Receive, and takes tokens with an audience only.
    """
    replica = RULER_REPLICA if is_stateless(thanos) else REPLICA_LABEL
    return [
        "rule",
        *ADDRESS_FLAGS,
        f"--data-dir={DATA}",
        *(
            _stateless_flags(server, fleet, verified=verified)
            if is_stateless(thanos)
            else _stateful_flags(fleet, thanos)
        ),
        f"--rule-file={RULES}/*.yml",
        f"--eval-interval={EVALUATION}",
        f"--alert.label-drop={replica}",
        f"--alert.label-drop={reserved.RULER}",
        *own_labels(server, reserved.RULER, replica),
        f"--alertmanagers.config-file={ALERTMANAGERS_FILE}",
    ]


def _stateful_flags(fleet: Fleet, thanos: Thanos) -> list[str]:
    """Flags of a Ruler with a TSDB of its own, whose blocks it uploads."""
    return [
        f"--objstore.config={objstore(thanos.storage, thanos.ruler.bucket if thanos.ruler else None)}",
        f"--grpc-query-endpoint=dns+{QUERY_GRPC}.{fleet.namespace}.svc:{GRPC}",
        f"--tsdb.block-duration={thanos.block}",
    ]


def _stateless_flags(server: Server, fleet: Fleet, *, verified: bool) -> list[str]:
    """
    Flags of a stateless Ruler, which writes to Receive as a tenant, and restores the state of alerts from Query.

    It restores over HTTP only, through Query's auth proxy, and ignores the labels that Receive and the Ruler add, or
    else no alert would be recognised.
    """
    proxy = credentials(server, API_TOKEN)
    query = {
        "scheme": "https",
        "static_configs": [f"dns+{READ.address(QUERY, fleet.namespace)}"],
        "http_config": proxy,
    }
    write = {
        "name": "receive",
        "url": WRITE.url(ROUTER, fleet.namespace, WRITE.paths[0]),
        "authorization": {"type": "Bearer", "credentials_file": PROXY_TOKEN if verified else API_TOKEN},
        "tls_config": proxy["tls_config"],
        "queue_config": queue(fleet.scrape.limits),
    }
    return [
        f"--query.config={to_json([query])}",
        f"--remote-write.config={to_json({'remote_write': [write]})}",
        *(f"--restore-ignored-label={label}" for label in (reserved.RULER, reserved.RECEIVE, reserved.TENANT)),
    ]


def ruler_alertmanagers(server: Server, fleet: Fleet) -> str:
    """The Ruler's Alertmanagers: this stack's, each through its auth proxy, and those that exist already."""
    ours = {
        "scheme": "https",
        "api_version": "v2",
        "static_configs": [f"dns+{NOTIFY.address(PEERS, fleet.namespace)}"],
        "http_config": credentials(server, PROXY_TOKEN),
    }
    existing = [_existing(entry) for entry in existing_alertmanagers(fleet)]
    return to_yaml({"alertmanagers": [*([ours] if fleet.alertmanager else []), *existing]})


def _existing(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of `alertmanagers` of Prometheus as Thanos has it."""
    client = {name: entry[name] for name in ("basic_auth", "tls_config") if name in entry}
    if "authorization" in entry:
        client["bearer_token_file"] = entry["authorization"]["credentials_file"]
    return {
        **{name: entry[name] for name in ("scheme", "api_version", "path_prefix") if name in entry},
        "static_configs": [target for group in entry["static_configs"] for target in group["targets"]],
        **({"http_config": client} if client else {}),
    }
