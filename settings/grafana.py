"""What a stack says about Grafana."""

from .alertmanager import SecretKey
from .expose import ExposedHost
from .section import Section
from .types import DnsName, Quantity


class Grafana(Section):
    """Dashboards, for people who log in; the first password of `admin` is the secret `promfleet:grafanaAdmin`."""

    storage: Quantity = "1Gi"
    """Size of the volume, which holds users and what people save."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    secret: SecretKey | None = None
    """Where the password stands instead of the stack's secrets."""
    expose: ExposedHost | None = None
