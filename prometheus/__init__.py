"""All that decides what Prometheus does: plain facts in, texts of files and command lines out."""

from .agent import agent_config
from .flags import AGENT_GRACE, agent_flags, hub_flags
from .hub import hub_config
from .memory import Memory, agent_memory, hub_memory
from .rules import EXPECTED, MAINTENANCE, expected, rules
from .wal import WalPlan, wal_plan

__all__ = [
    "AGENT_GRACE",
    "EXPECTED",
    "MAINTENANCE",
    "Memory",
    "WalPlan",
    "agent_config",
    "agent_flags",
    "agent_memory",
    "expected",
    "hub_config",
    "hub_flags",
    "hub_memory",
    "rules",
    "wal_plan",
]
