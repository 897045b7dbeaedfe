"""Settings of Pushgateway."""

from .expose import ExposedHost
from .section import Section
from .types import DnsName, Quantity


class Pushgateway(Section):
    """Pushgateway, for metrics of jobs that end before they are scraped."""

    storage: Quantity = "1Gi"
    """Size of the volume, which holds pushed metrics."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    expose: ExposedHost | None = None
