"""Settings of Grafana."""

from .expose import ExposedHost
from .secret_key import SecretKey
from .section import Section
from .types import DnsName, Quantity

DATASOURCE = "hub"
"""Uid of the datasource, to which every dashboard refers."""


class Grafana(Section):
    """Grafana with the dashboards; the initial password of `admin` is the secret `promfleet:grafanaAdmin`."""

    storage: Quantity = "1Gi"
    """Size of the volume, which holds users and dashboards that they save."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    secret: SecretKey | None = None
    """Kubernetes Secret that holds the password; the stack's secret if left out."""
    expose: ExposedHost | None = None
