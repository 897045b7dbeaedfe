"""Command lines of Prometheus."""

from settings import Fleet, Thanos, seconds
from settings.memory import MAX_SHARDS

from .wal import WalPlan

CONFIG_FILE = "/etc/prometheus/config/prometheus.yml"
DATA = "/prometheus"
LISTEN = "127.0.0.1:9090"
FLUSH_DEADLINE = 45
AGENT_GRACE = FLUSH_DEADLINE + 15
"""Termination grace period of an agent in seconds, in which it sends its last samples."""

LONGEST_START = 3600
"""
Seconds that a start may take. Who replays the log of millions of series, or reads thousands of blocks, needs more than
a quarter of an hour on a slow disk; ended before, it would begin anew for ever.
"""

_RESERVED_CONNECTIONS, _DEFAULT_CONNECTIONS = 112, 512
"""Those for clients that are no agents; those that Prometheus permits by default."""
EXEMPLARS = "--enable-feature=exemplar-storage"
FAST_DISCOVERY = "--scrape.discovery-reload-interval=1s"
"""
Hidden. Discovery itself waits five seconds between two changes; by default scraping waits for five more, which a
restart turns into a gap.
"""
_COMMON = [
    f"--config.file={CONFIG_FILE}",
    "--config.auto-reload",
    "--config.auto-reload-interval=10s",
    f"--web.listen-address={LISTEN}",
    FAST_DISCOVERY,
]


def takes_samples(fleet: Fleet) -> bool:
    """Whether agents write to this stack's Prometheus, and not to Receive."""
    return bool(fleet.hub) and not (fleet.thanos and fleet.thanos.receive)


def server_flags(fleet: Fleet) -> list[str]:
    """
    Return a server's flags; its auth proxies permit neither reload nor the admin API.

    `--web.max-connections` leaves each agent, or each of its shards, its connections; Prometheus' own default is 512.
    """
    agents = sum(fleet.partial.shards.values())
    connections = max(_DEFAULT_CONNECTIONS, agents * MAX_SHARDS + _RESERVED_CONNECTIONS)
    return [
        *_COMMON,
        f"--web.max-connections={connections}",
        *(["--web.enable-remote-write-receiver"] if takes_samples(fleet) else []),
        f"--storage.tsdb.path={DATA}",
        EXEMPLARS,
        *(_uploaded(fleet.thanos) if fleet.thanos else []),
    ]


def _uploaded(thanos: Thanos) -> list[str]:
    """Flags of a Prometheus whose blocks a sidecar uploads."""
    if thanos.compaction == "classic":
        return [f"--storage.tsdb.{bound}-block-duration={thanos.block}" for bound in ("min", "max")]
    shortened = [f"--storage.tsdb.min-block-duration={thanos.block}"] if seconds(thanos.block) < 7200 else []
    # Compaction waits for the sidecar, and skips blocks that overlap through late samples: Thanos compacts those.
    return [
        *shortened,
        f"--storage.tsdb.delay-compact-file.path={DATA}/thanos.shipper.json",
        "--no-storage.tsdb.allow-overlapping-compaction",
    ]


def agent_flags(plan: WalPlan) -> list[str]:
    """Flags of an agent, whose WAL covers the planned outage."""
    return [
        *_COMMON,
        "--agent",
        f"--storage.agent.path={DATA}",
        f"--storage.agent.wal-segment-size={plan.segment_bytes // 2**20}MB",
        f"--storage.agent.wal-truncate-frequency={plan.truncate_every}s",
        f"--storage.agent.retention.max-time={plan.retention_max}s",
        f"--storage.remote.flush-deadline={FLUSH_DEADLINE}s",
    ]
