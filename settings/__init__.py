"""Plain facts about the fleet, known before anything runs."""

from .errors import FleetError, Problem
from .fleet import Agent, Cluster, Expose, Fleet, Hub, Kubelet, Limits, NodePorts, Receiver, Scrape, Tls
from .images import Images
from .load import from_file
from .types import Duration, Quantity, in_bytes, seconds

__all__ = [
    "Agent",
    "Cluster",
    "Duration",
    "Expose",
    "Fleet",
    "FleetError",
    "Hub",
    "Images",
    "Kubelet",
    "Limits",
    "NodePorts",
    "Problem",
    "Quantity",
    "Receiver",
    "Scrape",
    "Tls",
    "from_file",
    "in_bytes",
    "seconds",
]
