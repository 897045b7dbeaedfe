"""All that decides what Prometheus does: plain facts in, texts of files and command lines out."""

from .alertmanager import alertmanager_config, alertmanager_flags
from .memory import Memory, agent_memory, compactor_memory, hub_memory, memcached_memory, query_memory, store_memory
from .prometheus.agent import agent_config
from .prometheus.flags import AGENT_GRACE, agent_flags, hub_flags
from .prometheus.server import hub_config
from .prometheus.wal import WalPlan, wal_plan
from .rules import EXPECTED, expected, hub_rules, ruler_rules, rules

__all__ = [
    "AGENT_GRACE",
    "EXPECTED",
    "Memory",
    "WalPlan",
    "agent_config",
    "agent_flags",
    "agent_memory",
    "alertmanager_config",
    "alertmanager_flags",
    "compactor_memory",
    "expected",
    "hub_config",
    "hub_flags",
    "hub_memory",
    "hub_rules",
    "memcached_memory",
    "query_memory",
    "ruler_rules",
    "rules",
    "store_memory",
    "wal_plan",
]
