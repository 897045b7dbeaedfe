"""Plain facts about the fleet, known before anything runs."""

from .errors import FleetError, Problem
from .fleet import (
    Agent,
    Alertmanager,
    Alerts,
    Cluster,
    Expose,
    Fleet,
    Grafana,
    Hub,
    Kubelet,
    Limits,
    NodePorts,
    Probe,
    Pushgateway,
    Receive,
    Receiver,
    Ruler,
    Scrape,
    Storage,
    Thanos,
    Tls,
    Way,
)
from .images import Images
from .load import from_file
from .secrets import secret_key
from .types import Duration, Quantity, in_bytes, seconds

__all__ = [
    "Agent",
    "Alertmanager",
    "Alerts",
    "Cluster",
    "Duration",
    "Expose",
    "Fleet",
    "FleetError",
    "Grafana",
    "Hub",
    "Images",
    "Kubelet",
    "Limits",
    "NodePorts",
    "Probe",
    "Problem",
    "Pushgateway",
    "Quantity",
    "Receive",
    "Receiver",
    "Ruler",
    "Scrape",
    "Storage",
    "Thanos",
    "Tls",
    "Way",
    "from_file",
    "in_bytes",
    "seconds",
    "secret_key",
]
