"""Settings of access from outside the cluster, to the Prometheus server and what is deployed with it."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from .errors import Problem
from .ingress import controller
from .pem import Certificates
from .section import Distinct, Section, Table, empty, not_offered, renamed
from .types import ADDRESS, QUALIFIED, AddressRange, AnnotationName, DnsName, Host, Line, Text

NodePort = Annotated[int, Field(ge=30000, le=32767)]
LoadBalancerClass = Annotated[
    str,
    Text(
        QUALIFIED,
        "is not a class of load balancers",
        "Write it as its controller does: service.k8s.aws/nlb.",
    ),
]
"""A `loadBalancerClass`, with an optional prefix, a domain, before a slash."""
Via = Literal["clusterIP", "nodePort", "loadBalancer", "ingress", "gateway", "httpProxy"]
ROUTED: tuple[Via, ...] = ("ingress", "gateway", "httpProxy")
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

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **renamed({"clusterIssuer": "issuer", "secretName": "secret"}),
        "hosts": ("unknown key", "Remove it: the certificate has every host of the stack."),
    }

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
    gateway_class: DnsName | None = None
    """`gatewayClassName` of the Gateway; required in clusters of GKE, whose own classes have policies of their own."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = renamed(
        {
            "gatewayClassName": "gatewayClass",
            "parentRefs": "name, namespace and listener",
            "sectionName": "listener",
        }
    )

    @property
    def is_of_gke(self) -> bool:
        """Whether a load balancer of Google Cloud implements it."""
        return (self.gateway_class or "").startswith(_OF_GKE)

    def problems(self) -> Iterator[Problem]:
        """A route can refer to Services of its own cluster only."""
        if self.gateway_class and self.is_of_gke and self.gateway_class.endswith("-mc"):
            rule = "is for several clusters, whose routes refer to ServiceImports"
            instead = f"Write a Gateway of class {self.gateway_class.removesuffix('-mc')}."
            yield Problem(("gatewayClass",), rule, instead, self.gateway_class)


_OF_GKE = "gke-l7-"
ONLY_VIA: Mapping[str, tuple[Via, ...]] = {
    "node_ports": ("nodePort",),
    "ingress_class": ("ingress",),
    "gateway": ("gateway",),
    "passthrough": ROUTED,
    "annotations": ("nodePort", "loadBalancer", *ROUTED),
    "host_annotations": ("nodePort", "loadBalancer", *ROUTED),
    "service_annotations": ROUTED,
    "external_dns": ("nodePort", "loadBalancer"),
    "load_balancer_class": ("loadBalancer",),
    "source_ranges": ("loadBalancer",),
}
"""Field -> the values of `via` with which it has an effect."""


def instead_of(field: str, via: Via, otherwise: str) -> str:
    """What to write in place of a field that has no effect with `via`, of `expose` or of one host."""
    if field == "service_annotations" and via != "clusterIP":
        return "Write annotations, which are those of the Service then."
    return otherwise


class Expose(Section):
    """How the Prometheus server is reached from other clusters; what is deployed with it is exposed the same way."""

    host: Host
    """Host name of the server, in its certificate and in DNS."""
    via: Via = "loadBalancer"
    """Type of the Service, or a proxy that routes by host: Ingress, Gateway API, Contour."""
    tls: Tls
    node_ports: NodePorts = NodePorts()
    read_host: Host | None = None
    """Separate host for queries; required with `passthrough`, where a proxy can't route by path."""
    passthrough: bool = False
    """Whether the proxy passes TLS through to the auth proxies instead of terminating and re-encrypting it."""
    ingress_class: DnsName | None = None
    """IngressClass; the cluster's default if left out. Known controllers are set to use HTTPS to their backends."""
    gateway: Gateway | None = None
    """The Gateway that routes are attached to."""
    annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Annotations of each host's Service, Ingress, route or proxy, such as those that make a load balancer internal."""
    host_annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Further ones for the server's own host only, such as its address; other sections have `annotations`."""
    service_annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Annotations of the Service behind each Ingress, route or proxy."""
    external_dns: bool = False
    """Whether Services get their host as `external-dns.alpha.kubernetes.io/hostname`; Ingresses and routes name it."""
    load_balancer_class: LoadBalancerClass | None = None
    """`loadBalancerClass` of the Services; the cloud's own if left out. A change replaces the load balancers."""
    source_ranges: Distinct[AddressRange] = ()
    """CIDR ranges from which load balancers accept clients (`loadBalancerSourceRanges`); all if left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        "loadBalancerIP": (
            "is deprecated in Kubernetes: each cloud has an annotation for it",
            "Write hostAnnotations here, and annotations for other hosts, such as "
            "{networking.gke.io/load-balancer-ip-addresses: <name>}.",
        ),
        **not_offered(
            *("path", "pathPrefix", "paths", "prefix"),
            instead="Remove it: each server has a host of its own, and no path before its own.",
        ),
        **not_offered(
            *("authentication", "basicAuth", "oauth2Proxy"),
            instead="Remove it: clients have tokens of ServiceAccounts, and `fleet open` shows the pages.",
        ),
        **renamed(
            {
                "class": "ingressClass or loadBalancerClass",
                "className": "ingressClass",
                "gatewayClass": "gateway: {gatewayClass: …}",
                "ingressClassName": "ingressClass",
                "loadBalancerSourceRanges": "sourceRanges",
                "externalDNS": "externalDns",
            }
        ),
    }

    def problems(self) -> Iterator[Problem]:
        """Every field has an effect with this `via`, and none that it needs is missing."""
        written = {name for name in self.model_fields_set if getattr(self, name)}
        for name, routes in ONLY_VIA.items():
            if name in written and self.via not in routes:
                instead = instead_of(name, self.via, f"Remove it, or write via: {' or '.join(routes)}.")
                yield Problem((to_camel(name),), f"has no effect with via: {self.via}", instead)
        if self.via == "gateway" and not self.gateway:
            yield Problem(("gateway",), "is missing", "Write gateway: {name: …, namespace: …}.")
        if self.gateway and self.gateway.is_of_gke and self.passthrough:
            rule = f"is not possible with {self.gateway.gateway_class}, which routes HTTP only"
            yield Problem(("passthrough",), rule, "Remove it, or write via: loadBalancer.")
        if self.via == "ingress":
            yield from self._controller_problems(self.ingress_class or "")
        yield from self._host_problems()

    def _controller_problems(self, name: str) -> Iterator[Problem]:
        known = controller(self.ingress_class)
        if known is None:
            if not self.annotations and not self.service_annotations:
                rule = "is missing: the controller of this class is not known"
                instead = (
                    f"Write the annotations by which the controller of {name} uses HTTPS to its backends, accepts "
                    "bodies of 64 MiB and waits two minutes for an answer; those of Services are serviceAnnotations."
                )
                yield Problem(("annotations",), rule, instead)
        elif known.instead:
            rule = f"is of {known.title}, which can't be told by an Ingress to use HTTPS to its backends"
            yield Problem(("ingressClass",), rule, known.instead, name)
        elif self.passthrough:
            if not known.passthrough and not known.asked:
                rule = f"is not possible with an Ingress of {known.title}"
                yield Problem(("passthrough",), rule, "Remove it, or write via: loadBalancer.")
        elif known.asked and not set(known.asked) & self._of(known.asked_of).keys():
            rule = f"lacks {' or '.join(known.asked)}: without it {name} sends plain HTTP to the server"
            yield Problem((known.asked_of,), rule, f"Write it: {known.value}.")
        elif known.needs_written_ca and not self.tls.ca:
            instead = (
                "Write ca: |, and below it the PEM text of the CA, because it reads no other Secret than one of that."
            )
            yield Problem(("tls", "ca"), f"is missing: {known.title} verifies the server with it", instead)

    def _of(self, key: str) -> Mapping[str, str]:
        return self.annotations if key == "annotations" else self.service_annotations

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
    annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Further annotations for this host only, beside those of the server's `expose.annotations`."""
    service_annotations: Table[AnnotationName, Line] = Field(default_factory=empty)
    """Further annotations of the Service behind its Ingress, route or proxy."""

    @property
    def node_ports(self) -> Mapping[str, int]:
        """Key of the stack file -> the port on the nodes that is written there."""
        return {"nodePort": self.node_port} if self.node_port else {}


class ExposedAlertmanager(ExposedHost):
    """Alertmanager's host, with a port for silencing and one for reading."""

    read_node_port: NodePort | None = None
    """Port on the nodes for reading, with `via: nodePort`; none if left out."""

    @property
    def node_ports(self) -> Mapping[str, int]:
        """Key of the stack file -> the port on the nodes that is written there."""
        return {**super().node_ports, **({"readNodePort": self.read_node_port} if self.read_node_port else {})}
