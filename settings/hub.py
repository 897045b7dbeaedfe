"""What a stack says about its hub."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .errors import Problem
from .pem import Certificates
from .section import Many, Section, Table, empty
from .types import DnsLabel, DnsName, Duration, Host, Quantity, refused, seconds

_BLOCK = 2 * 3600


def _holds_a_block(retention: Duration) -> Duration:
    if seconds(retention) < _BLOCK:
        raise refused("is shorter than one block", "Write 2h or more.")
    return retention


def _without_doubles(names: Sequence[str]) -> Sequence[str]:
    doubles = [f'"{name}"' for name, times in Counter(names).items() if times > 1]
    if doubles:
        raise refused(f"names {', '.join(doubles)} more than once", "Name each once.")
    return names


class Tls(Section):
    """The hub's certificate, and what the agents trust it by."""

    secret: DnsName | None = None
    """Secret of type kubernetes.io/tls in the hub's namespace."""
    issuer: DnsName | None = None
    """cert-manager ClusterIssuer that signs it instead."""
    ca: Certificates | None = None
    """PEM certificates that sign for the hub; without it and `caConfigMap` the public authorities are trusted."""
    ca_config_map: DnsName | None = None
    """ConfigMap (key `ca.crt`) with them in each agent's namespace instead, as trust-manager distributes it."""

    def problems(self) -> Iterator[Problem]:
        """One certificate and one source of trust."""
        if self.secret and self.issuer:
            yield Problem(
                (), "has both secret and issuer", "Keep one: who issues the certificate also fills the Secret."
            )
        if not self.secret and not self.issuer:
            yield Problem(
                (), "has neither secret nor issuer", "Name the TLS Secret or the ClusterIssuer that makes it."
            )
        if self.ca is not None and self.ca_config_map:
            yield Problem((), "has both ca and caConfigMap", "Keep one: agents trust one bundle.")


class NodePorts(Section):
    """Ports on the hub cluster's nodes."""

    write: Annotated[int, Field(ge=30000, le=32767)] = 30443
    """Port that agents write to."""
    read: Annotated[int, Field(ge=30000, le=32767)] = 30444
    """Port that readers query."""

    def problems(self) -> Iterator[Problem]:
        """Two doors can't share a port."""
        if self.write == self.read:
            yield Problem(("read",), "is the port of write too", "Write two different ports.", self.read)


class Expose(Section):
    """How agents and readers of other clusters reach the hub."""

    host: Host
    """Name in the hub's certificate, which leads to the Service."""
    via: Literal["clusterIP", "nodePort", "loadBalancer"] = "loadBalancer"
    """Type of the hub's Service."""
    tls: Tls
    node_ports: NodePorts = NodePorts()

    def problems(self) -> Iterator[Problem]:
        """Node ports that no Service would use mislead whoever opens a firewall for them."""
        if self.via != "nodePort" and "node_ports" in self.model_fields_set:
            yield Problem(("nodePorts",), f"has no effect with via: {self.via}", "Remove it, or write via: nodePort.")


class Hub(Section):
    """The Prometheus that takes every cluster's samples by remote write, and watches its own cluster."""

    cluster: DnsLabel
    """The cluster it runs in."""
    retention: Annotated[Duration, AfterValidator(_holds_a_block)] = "42d"
    """How long samples are kept."""
    storage: Quantity = "50Gi"
    """Size of the volume; samples take 80 % of it at most."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    expose: Expose
    agents: Annotated[Many[DnsLabel], AfterValidator(_without_doubles)] = ()
    """Clusters of other stacks that may write; those of this stack's `agents` need not be named."""
    rotations: Table[DnsLabel, Annotated[int, Field(ge=1)]] = Field(default_factory=empty)
    """How often an agent's token was renewed; the token before the newest stays valid until the next renewal."""

    def problems(self) -> Iterator[Problem]:
        """The writers are other clusters."""
        if self.cluster in self.agents:
            instead = "Remove it: the hub scrapes its own cluster itself."
            yield Problem(("agents",), f'names the hub\'s own cluster, "{self.cluster}"', instead)
