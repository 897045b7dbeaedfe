"""Pure functions from settings to configuration files and command lines."""

from .alerting import alerting_files
from .alertmanager import alertmanager_config, receiver_files, verbatim_parts
from .namespaces import readable_namespaces
from .operator import operated_agent, operated_remote_write, operated_server
from .prometheus.agent import agent_config
from .prometheus.flags import AGENT_GRACE, agent_flags, server_flags
from .prometheus.server import server_config
from .prometheus.wal import WalPlan, wal_plan
from .rules import EXPECTED, ruler_rules, rules, server_rules
from .scrape.user_jobs import discovered_resources, mounted_files

__all__ = [
    "AGENT_GRACE",
    "EXPECTED",
    "WalPlan",
    "agent_config",
    "agent_flags",
    "alerting_files",
    "alertmanager_config",
    "discovered_resources",
    "mounted_files",
    "operated_agent",
    "operated_remote_write",
    "operated_server",
    "readable_namespaces",
    "receiver_files",
    "ruler_rules",
    "rules",
    "server_config",
    "server_flags",
    "server_rules",
    "verbatim_parts",
    "wal_plan",
]
