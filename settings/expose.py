"""How the hub and what stands beside it are reached from outside its cluster."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from .errors import Problem
from .ingress import controller
from .pem import Certificates
from .section import Distinct, Section, Table, empty
from .types import ADDRESS, AddressRange, AnnotationName, DnsName, Host, Line

NodePort = Annotated[int, Field(ge=30000, le=32767)]
ROUTED = ("ingress", "gateway", "httpProxy")
"""Ways that lead through a proxy which knows hosts, all on one port."""


class Tls(Section):
    """The certificate of all hosts of this stack's hub, and what its clients trust it by."""

    secret: DnsName | None = None
    """Secret of type kubernetes.io/tls in the hub's namespace; it covers every `host` of the stack."""
    issuer: DnsName | None = None
    """cert-manager ClusterIssuer that signs it instead."""
    ca: Certificates | None = None
    """PEM certificates that sign for the hub; without it and `caConfigMap` a public authority must."""
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

    write: NodePort = 30443
    """Port that agents write to."""
    read: NodePort = 30444
    """Port that readers query."""

    def problems(self) -> Iterator[Problem]:
        """Two auth proxies can't share a port."""
        if self.write == self.read:
            yield Problem(("read",), "is the port of write too", "Write two different ports.", self.read)


class Gateway(Section):
    """A Gateway that exists and admits routes from the hub's namespace."""

    name: DnsName
    """Its name."""
    namespace: DnsName
    """Its namespace."""
    listener: DnsName | None = None
    """Section of the Gateway; all that admit the host, if left out."""


_ONLY_VIA = {
    "node_ports": ("nodePort",),
    "ingress_class": ("ingress",),
    "gateway": ("gateway",),
    "passthrough": ROUTED,
    "annotations": ("nodePort", "loadBalancer", *ROUTED),
    "source_ranges": ("loadBalancer",),
}
"""Field -> the values of `via` with which it has an effect."""


class Expose(Section):
    """How agents and readers of other clusters reach the hub; what stands beside it is reached the same way."""

    host: Host
    """Name in the hub's certificate, which leads to the Service."""
    via: Literal["clusterIP", "nodePort", "loadBalancer", "ingress", "gateway", "httpProxy"] = "loadBalancer"
    """A Service's type, or a proxy that knows hosts: Ingress, Gateway API, Contour."""
    tls: Tls
    node_ports: NodePorts = NodePorts()
    read_host: Host | None = None
    """The read auth proxy's own host; needed with `passthrough`, where a proxy sees no paths."""
    passthrough: bool = False
    """Whether the proxy passes TLS through to the auth proxies instead of ending it and starting it anew."""
    ingress_class: DnsName | None = None
    """IngressClass; the cluster's default if left out. Of nginx it is known how to speak TLS to what is behind it."""
    gateway: Gateway | None = None
    """The Gateway that routes are attached to."""
    annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Further annotations of the Service, Ingress, route or proxy, such as those that make a load balancer internal."""
    source_ranges: Distinct[AddressRange] = ()
    """Addresses from which load balancers let clients in; from everywhere, if left out."""

    def problems(self) -> Iterator[Problem]:
        """What one way needs and no other would use; a node port without effect misleads who opens a firewall."""
        written = {name for name in self.model_fields_set if getattr(self, name)}
        for name, routes in _ONLY_VIA.items():
            if name in written and self.via not in routes:
                instead = f"Remove it, or write via: {' or '.join(routes)}."
                yield Problem((to_camel(name),), f"has no effect with via: {self.via}", instead)
        if self.via == "gateway" and not self.gateway:
            yield Problem(("gateway",), "is missing", "Write gateway: {name: …, namespace: …}.")
        if self.via == "ingress" and not self.is_told_of_nginx:
            yield from self._controller_problems(self.ingress_class or "")
        yield from self._host_problems()

    @property
    def is_told_of_nginx(self) -> bool:
        """Whether an Ingress carries what ingress-nginx must be told."""
        return "nginx" in (self.ingress_class or "nginx")

    def _controller_problems(self, name: str) -> Iterator[Problem]:
        known = controller(name)
        if known and not known.annotations:
            told = "annotations of a Service that this speaks TLS"
            rule = f"is of a controller that learns from {told}, and they can't be given"
            yield Problem(("ingressClass",), rule, known.instead, name)
        elif known and not self.passthrough and not set(known.annotations) & self.annotations.keys():
            rule = f"lacks {' or '.join(known.annotations)}: without it {name} speaks plain HTTP to the hub"
            yield Problem(("annotations",), rule, f"Write it: {known.value}.")
        elif not self.annotations:
            rule = "is missing: only a class with nginx in its name is told to speak TLS to the hub"
            instead = (
                f"Write the annotations by which the controller of {name} does, and takes bodies of 64 MiB and answers "
                "after two minutes."
            )
            yield Problem(("annotations",), rule, instead)

    def _host_problems(self) -> Iterator[Problem]:
        routed = self.via in ROUTED
        for key, host in {"host": self.host, "readHost": self.read_host}.items():
            if routed and host and re.fullmatch(ADDRESS, host):
                yield Problem((key,), f"is an address, and via: {self.via} routes by name", "Write a DNS name.", host)
        if routed and self.passthrough and not self.read_host:
            instead = f"Write a second name, such as read.{self.host}: a proxy that passes TLS on sees no paths."
            yield Problem(("readHost",), "is missing", instead)
        if self.read_host and not self.passthrough:
            instead = "Remove it, or write passthrough: true."
            yield Problem(("readHost",), "has no effect without passthrough", instead, self.read_host)


class ExposedHost(Section):
    """How something that stands beside the hub is reached: as the hub is, under a name of its own."""

    host: Host
    """Name in the certificate of `hub.expose.tls`, other than the hub's."""
    node_port: NodePort | None = None
    """Port on the nodes, with `via: nodePort`."""
