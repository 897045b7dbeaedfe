"""The settings of a stack file as closed models: plain values, known before anything runs."""

from .agent import Agent, Receiver
from .alertmanager import Alertmanager
from .alerts import Alerts
from .application import Application
from .cluster import Cluster, Kubelet
from .errors import FleetError, Problem
from .expose import Expose, ExposedAlertmanager, ExposedHost, NodePorts, Tls
from .fleet import Fleet
from .grafana import Grafana
from .hub import Hub
from .images import Images
from .limits import ContainerLimits
from .loading.load import from_file
from .probes import Probe
from .prometheus import Server
from .pushgateway import Pushgateway
from .scrape import Limits, Scrape
from .standalone import Standalone
from .storage import Storage
from .thanos import Memcached, QueryFrontend, Receive, Ruler, Thanos
from .types import Duration, Quantity, authority, in_bytes, seconds
from .validation.secrets import secret_key
from .watcher import WatchedCluster, Watcher

__all__ = [
    "Agent",
    "Alertmanager",
    "Alerts",
    "Application",
    "Cluster",
    "ContainerLimits",
    "Duration",
    "Expose",
    "ExposedAlertmanager",
    "ExposedHost",
    "Fleet",
    "FleetError",
    "Grafana",
    "Hub",
    "Images",
    "Kubelet",
    "Limits",
    "Memcached",
    "NodePorts",
    "Probe",
    "Problem",
    "Pushgateway",
    "Quantity",
    "QueryFrontend",
    "Receive",
    "Receiver",
    "Ruler",
    "Scrape",
    "Server",
    "Standalone",
    "Storage",
    "Thanos",
    "Tls",
    "WatchedCluster",
    "Watcher",
    "authority",
    "from_file",
    "in_bytes",
    "seconds",
    "secret_key",
]
