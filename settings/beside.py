"""What a stack says about what stands beside the hub: Grafana, Pushgateway, probes."""

from typing import Annotated, Literal

from pydantic import Field

from .alertmanager import SecretKey
from .expose import Way
from .section import Many, Section
from .types import DnsName, Duration, Quantity, Target


class Grafana(Section):
    """Dashboards, for people who log in; the first password of `admin` is the secret `promfleet:grafanaAdmin`."""

    storage: Quantity = "1Gi"
    storage_class: DnsName | None = None
    secret: SecretKey | None = None
    """Where the password stands instead of the stack's secrets."""
    expose: Way | None = None


class Pushgateway(Section):
    """Keeps the last metrics of jobs that end before they are scraped."""

    storage: Quantity = "1Gi"
    storage_class: DnsName | None = None
    expose: Way | None = None


class Probe(Section):
    """Endpoints that are asked from the hub's cluster, as a user would."""

    module: Literal["http", "tcp", "icmp", "dns"] = "http"
    """`http`: a GET over http or https that ends with a status of 2xx; `tcp`: host:port takes a connection."""
    targets: Annotated[Many[Target], Field(min_length=1)]
    """URLs for `http`, host:port for `tcp`."""
    interval: Duration = "1m"
