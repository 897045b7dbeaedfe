"""Settings of access from outside the cluster, to the Prometheus server and what is deployed with it."""

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
"""Values of `via` with a proxy that routes by host, all on one port."""


class Tls(Section):
    """The server certificate for every host of this stack, and the CA by which clients verify it."""

    secret: DnsName | None = None
    """Secret of type kubernetes.io/tls in the hub's namespace; it covers every `host` of the stack."""
    issuer: DnsName | None = None
    """cert-manager ClusterIssuer that signs it instead."""
    ca: Certificates | None = None
    """PEM certificates of the CA that signs it; without `ca` and `caConfigMap`, a public authority must sign it."""
    ca_config_map: DnsName | None = None
    """ConfigMap with the CA (key `ca.crt`) in each agent's namespace instead, as trust-manager distributes it."""

    def problems(self) -> Iterator[Problem]:
        """One certificate and one source of trust."""
        if self.secret and self.issuer:
            yield Problem((), "has both secret and issuer", "Keep one: the issuer fills a Secret of its own.")
        if not self.secret and not self.issuer:
            yield Problem(
                (), "has neither secret nor issuer", "Write secret (a TLS Secret) or issuer (a ClusterIssuer)."
            )
        if self.ca is not None and self.ca_config_map:
            yield Problem((), "has both ca and caConfigMap", "Keep one: agents trust one bundle.")


class NodePorts(Section):
    """Ports on the nodes of the server's cluster."""

    write: NodePort = 30443
    """Port for remote write."""
    read: NodePort = 30444
    """Port for queries."""

    def problems(self) -> Iterator[Problem]:
        """Two auth proxies can't share a port."""
        if self.write == self.read:
            yield Problem(("read",), "is the port of write too", "Write two different ports.", self.read)


class Gateway(Section):
    """A Gateway that exists and admits routes from the server's namespace."""

    name: DnsName
    """Name of the Gateway."""
    namespace: DnsName
    """Namespace of the Gateway."""
    listener: DnsName | None = None
    """Listener of the Gateway (`sectionName`); every listener that admits the host if left out."""


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
    """How the Prometheus server is reached from other clusters; what is deployed with it is exposed the same way."""

    host: Host
    """Host name of the server, in its certificate and in DNS."""
    via: Literal["clusterIP", "nodePort", "loadBalancer", "ingress", "gateway", "httpProxy"] = "loadBalancer"
    """Type of the Service, or a proxy that routes by host: Ingress, Gateway API, Contour."""
    tls: Tls
    node_ports: NodePorts = NodePorts()
    read_host: Host | None = None
    """Separate host for queries; required with `passthrough`, where a proxy can't route by path."""
    passthrough: bool = False
    """Whether the proxy passes TLS through to the auth proxies instead of terminating and re-encrypting it."""
    ingress_class: DnsName | None = None
    """IngressClass; the cluster's default if left out. ingress-nginx is set to use HTTPS to its backends."""
    gateway: Gateway | None = None
    """The Gateway that routes are attached to."""
    annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Further annotations of the Service, Ingress, route or proxy, such as those that make a load balancer internal."""
    source_ranges: Distinct[AddressRange] = ()
    """CIDR ranges from which load balancers accept clients (`loadBalancerSourceRanges`); all if left out."""

    def problems(self) -> Iterator[Problem]:
        """Every field has an effect with this `via`, and none that it needs is missing."""
        written = {name for name in self.model_fields_set if getattr(self, name)}
        for name, routes in _ONLY_VIA.items():
            if name in written and self.via not in routes:
                instead = f"Remove it, or write via: {' or '.join(routes)}."
                yield Problem((to_camel(name),), f"has no effect with via: {self.via}", instead)
        if self.via == "gateway" and not self.gateway:
            yield Problem(("gateway",), "is missing", "Write gateway: {name: …, namespace: …}.")
        if self.via == "ingress" and not self.is_of_nginx:
            yield from self._controller_problems(self.ingress_class or "")
        yield from self._host_problems()

    @property
    def is_of_nginx(self) -> bool:
        """Whether an Ingress gets the annotations of ingress-nginx."""
        return "nginx" in (self.ingress_class or "nginx")

    def _controller_problems(self, name: str) -> Iterator[Problem]:
        known = controller(name)
        if known and not known.annotations:
            rule = "is of a controller that takes the backend's protocol from the Service, which can't be annotated"
            yield Problem(("ingressClass",), rule, known.instead, name)
        elif known and not self.passthrough and not set(known.annotations) & self.annotations.keys():
            rule = f"lacks {' or '.join(known.annotations)}: without it {name} sends plain HTTP to the server"
            yield Problem(("annotations",), rule, f"Write it: {known.value}.")
        elif not self.annotations:
            rule = "is missing: only a class with nginx in its name is set to use HTTPS to its backends"
            instead = (
                f"Write the annotations by which the controller of {name} uses HTTPS to its backends, accepts bodies "
                "of 64 MiB and waits two minutes for an answer."
            )
            yield Problem(("annotations",), rule, instead)

    def _host_problems(self) -> Iterator[Problem]:
        routed = self.via in ROUTED
        for key, host in {"host": self.host, "readHost": self.read_host}.items():
            if routed and host and re.fullmatch(ADDRESS, host):
                yield Problem((key,), f"is an address, and via: {self.via} routes by name", "Write a DNS name.", host)
        if routed and self.passthrough and not self.read_host:
            instead = f"Write a second name, such as read.{self.host}: a proxy that passes TLS on can't route by path."
            yield Problem(("readHost",), "is missing", instead)
        if self.read_host and not self.passthrough:
            instead = "Remove it, or write passthrough: true."
            yield Problem(("readHost",), "has no effect without passthrough", instead, self.read_host)


class ExposedHost(Section):
    """How it is reached from outside the cluster: like the Prometheus server, under a host name of its own."""

    host: Host
    """Host name; the certificate of the server's `expose.tls` must cover it."""
    node_port: NodePort | None = None
    """Port on the nodes; required with `via: nodePort`, and only allowed there."""
