"""What a stack says about its hub."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from .errors import Problem
from .section import Many, Section, Table, empty
from .types import DnsLabel, DnsName, Duration, Host, Quantity, seconds

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END CERTIFICATE-----")
_ASN1_SEQUENCE = 0x30
_BLOCK = 2 * 3600


class Tls(Section):
    """The hub's certificate, and what the agents trust it by."""

    secret: DnsName | None = None
    """Secret of type kubernetes.io/tls in the hub's namespace."""
    issuer: DnsName | None = None
    """cert-manager ClusterIssuer that signs it instead."""
    ca: str | None = None
    """PEM certificates that sign for the hub; without it and `caConfigMap` the public authorities are trusted."""
    ca_config_map: DnsName | None = None
    """ConfigMap (key `ca.crt`) with them in each agent's namespace instead, as trust-manager distributes it."""

    def problems(self) -> Iterator[Problem]:
        """One certificate, one source of trust, and no key among what is public."""
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
        if self.ca is not None and "PRIVATE KEY" in self.ca:
            instead = "Remove it, and replace the key: it has stood in a file that is shared."
            yield Problem(("ca",), "contains a private key", instead, self.ca)
        elif self.ca is not None and not _holds_certificates(self.ca):
            instead = "Write the text from BEGIN CERTIFICATE to END CERTIFICATE, as a block after `ca: |`."
            yield Problem(("ca",), "is not a PEM certificate", instead)


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
    retention: Duration = "42d"
    """How long samples are kept."""
    storage: Quantity = "50Gi"
    """Size of the volume; samples take 80 % of it at most."""
    storage_class: DnsName | None = None
    """StorageClass of the volume; the cluster's default if left out."""
    expose: Expose
    agents: Many[DnsLabel] = ()
    """Clusters of other stacks that may write; those of this stack's `agents` need not be named."""
    rotations: Table[DnsLabel, Annotated[int, Field(ge=1)]] = Field(default_factory=empty)
    """How often an agent's token was renewed; the token before the newest stays valid until the next renewal."""

    def problems(self) -> Iterator[Problem]:
        """The writers are a set without the hub's own cluster; the retention is one block at least."""
        for name, times in Counter(self.agents).items():
            if times > 1:
                yield Problem(("agents",), f'names "{name}" {times} times', "Name it once.")
        if self.cluster in self.agents:
            instead = "Remove it: the hub scrapes its own cluster itself."
            yield Problem(("agents",), f'names the hub\'s own cluster, "{self.cluster}"', instead)
        if seconds(self.retention) < _BLOCK:
            yield Problem(("retention",), "is shorter than one block", "Write 2h or more.", self.retention)


def _holds_certificates(pem: str) -> bool:
    blocks = _CERTIFICATE.findall(pem)
    return bool(blocks) and len(blocks) == pem.count("-----BEGIN") and all(map(_is_der, blocks))


def _is_der(block: str) -> bool:
    try:
        return base64.b64decode("".join(block.split()), validate=True)[0] == _ASN1_SEQUENCE
    except (binascii.Error, IndexError):
        return False
