"""Command lines of Prometheus."""

from settings import Fleet

from .wal import WalPlan

CONFIG_FILE = "/etc/prometheus/config/prometheus.yml"
DATA = "/prometheus"
LISTEN = "127.0.0.1:9090"
MAX_SHARDS = 10
"""Connections that one agent opens at most."""
FLUSH_DEADLINE = 45
AGENT_GRACE = FLUSH_DEADLINE + 15
"""Seconds that a stopping agent has for its last samples before it is killed."""

_RESERVED_CONNECTIONS, _DEFAULT_CONNECTIONS = 112, 512
_COMMON = [
    f"--config.file={CONFIG_FILE}",
    "--config.auto-reload",
    "--config.auto-reload-interval=10s",
    f"--web.listen-address={LISTEN}",
]


def hub_flags(fleet: Fleet) -> list[str]:
    """The hub's; nobody reaches it but through its doors, and neither reload nor administration is open to them."""
    writers = {*fleet.local_agents, *(fleet.hub.agents if fleet.hub else ())}
    connections = max(_DEFAULT_CONNECTIONS, len(writers) * MAX_SHARDS + _RESERVED_CONNECTIONS)
    takes_samples = not (fleet.thanos and fleet.thanos.receive)
    return [
        *_COMMON,
        f"--web.max-connections={connections}",
        *(["--web.enable-remote-write-receiver"] if takes_samples else []),
        f"--storage.tsdb.path={DATA}",
        "--enable-feature=exemplar-storage",
    ]


def agent_flags(plan: WalPlan) -> list[str]:
    """An agent's, whose write-ahead log outlives the planned outage."""
    return [
        *_COMMON,
        "--agent",
        f"--storage.agent.path={DATA}",
        f"--storage.agent.wal-segment-size={plan.segment_bytes // 2**20}MB",
        f"--storage.agent.wal-truncate-frequency={plan.truncate_every}s",
        f"--storage.agent.retention.max-time={plan.retention_max}s",
        f"--storage.remote.flush-deadline={FLUSH_DEADLINE}s",
    ]
