"""Settings that the sections of all Prometheus servers have in common."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from .destinations import Destinations
from .expose import Expose
from .section import Section, empty, not_offered
from .types import COUNTABLE, DnsLabel, DnsName, Duration, Quantity, kept, refused, seconds

Kept = Annotated[str, kept("how long: 42d is the default, and the bucket of thanos keeps older samples"), COUNTABLE]
_BLOCK = 2 * 3600


def _holds_a_block(retention: Duration) -> Duration:
    if seconds(retention) < _BLOCK:
        raise refused("is shorter than one block", "Write 2h or more.")
    return retention


Retention = Annotated[Kept, AfterValidator(_holds_a_block)]
"""How long a Prometheus server keeps samples: a block at least."""


class Server(Section):
    """A Prometheus that stores samples, evaluates rules and answers queries."""

    section: ClassVar[str]
    """Its key in the stack file."""
    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **not_offered("enableOTLPReceiver", "exemplars", "otlp", "queryLogFile", "scrapeClasses", "tsdb", "web"),
        **not_offered(
            *("maxConcurrency", "query", "queryConcurrency", "queryTimeout"),
            instead="Remove it: a query ends after two minutes, and with thanos after thanos.query.timeout.",
        ),
        **not_offered("configMaps", "secrets", instead="Remove it: name a Secret where it is used."),
        "route": ("unknown key", "Write expose: {via: gateway, gateway: {name: …, namespace: …}}."),
    }

    cluster: DnsLabel
    """Name of the cluster that it runs in."""
    retention: Retention = "42d"
    """How long samples are kept."""
    replicas: Annotated[int, Field(ge=1, le=3)] = 1
    """Prometheus servers with equal configuration, so that one may fail; more than 1 requires `thanos`."""
    storage: Quantity = "50Gi"
    """Size of each replica's volume; samples use 80 % of it at most."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    destinations: Destinations = Field(default_factory=empty)
    """Receivers that every sample is forwarded to, as entries of Prometheus' `remote_write`, by name."""
    expose: Expose

    @property
    def app(self) -> str:
        """Name of its StatefulSet and its Service."""
        return f"prometheus-{self.section}"
