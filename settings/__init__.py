"""Plain facts about the fleet, known before anything runs."""

from .fleet import Agent, Cluster, Expose, Fleet, Hub, Limits, Receiver, Scrape, Tls
from .images import Images
from .types import Duration, Quantity, in_bytes, seconds

__all__ = [
    "Agent",
    "Cluster",
    "Duration",
    "Expose",
    "Fleet",
    "Hub",
    "Images",
    "Limits",
    "Quantity",
    "Receiver",
    "Scrape",
    "Tls",
    "in_bytes",
    "seconds",
]
