"""Rules on access from outside: every exposed section has a host and a node port of its own."""

import re
from collections.abc import Iterator, Mapping

from pydantic.alias_generators import to_camel

from ..errors import Path, Problem, spelt
from ..expose import ONLY_VIA, ROUTED, ExposedHost, instead_of
from ..ingress import OF_PLATFORM, controller
from ..types import ADDRESS
from .partial import PartialFleet


def hosts_are_distinct(partial: PartialFleet) -> Iterator[Problem]:
    """No two exposed sections have one host."""
    yield from _doubles(hosts(partial), "host", "Write a different host for each.")


def proxies_know_hosts_by_name(partial: PartialFleet) -> Iterator[Problem]:
    """Hosts are names where a proxy routes by host; the section of the server checks its own host."""
    if partial.server and partial.server.expose.via in ROUTED:
        for name, exposed in exposed_hosts(partial).items():
            if re.fullmatch(ADDRESS, exposed.host):
                rule = f"is an address, and via: {partial.server.expose.via} routes by name"
                yield Problem((*name, "expose", "host"), rule, "Write a DNS name.", exposed.host)


def node_ports_are_written(partial: PartialFleet) -> Iterator[Problem]:
    """With `via: nodePort` each exposed section has a node port, and otherwise none."""
    if not partial.server:
        return
    via = partial.server.expose.via
    for name, exposed in exposed_hosts(partial).items():
        if via == "nodePort" and exposed.node_port is None:
            instead = f"Write a port from 30000 to 32767: {partial.server_section}.expose.via is nodePort."
            yield Problem((*name, "expose", "nodePort"), "is missing", instead)
        for key, port in exposed.node_ports.items() if via != "nodePort" else ():
            rule = f"has no effect with {partial.server_section}.expose.via: {via}"
            instead = f"Remove it, or write {partial.server_section}.expose.via: nodePort."
            yield Problem((*name, "expose", key), rule, instead, port)


def node_ports_are_distinct(partial: PartialFleet) -> Iterator[Problem]:
    """No two exposed sections have one node port; the section of the server checks its two auth proxies."""
    if partial.server and partial.server.expose.via == "nodePort":
        ports = partial.server.expose.node_ports
        proxies = {
            (partial.server_section, "expose", "nodePorts", proxy): port for proxy, port in ports.model_dump().items()
        }
        node_ports = {
            (*name, "expose", key): port
            for name, exposed in exposed_hosts(partial).items()
            for key, port in exposed.node_ports.items()
        }
        yield from _doubles({**proxies, **node_ports}, "port", "Write a different port for each.")


def hosts(partial: PartialFleet) -> Mapping[Path, str]:
    """Every host of the stack, by the path of its field; the server's first."""
    others = {(*name, "expose", "host"): exposed.host for name, exposed in exposed_hosts(partial).items()}
    return {**_server_hosts(partial), **others}


def ingresses_have_a_class(partial: PartialFleet) -> Iterator[Problem]:
    """An Ingress has a class where the platform's own controller would take one without."""
    cluster = partial.cluster_of_server
    if (
        not partial.server
        or not cluster
        or partial.server.expose.via != "ingress"
        or partial.server.expose.ingress_class
    ):
        return
    platform = "gke" if cluster.is_of_gke else cluster.platform
    if (name := OF_PLATFORM.get(platform or "")) and (known := controller(name)):
        rule = f"is missing: without it {known.title} takes the Ingress, and is not told to use HTTPS"
        instead = f"Write {name}, the class of another controller, or via: gateway or loadBalancer."
        yield Problem((partial.server_section, "expose", "ingressClass"), rule, instead)


def gateways_of_gke_are_known(partial: PartialFleet) -> Iterator[Problem]:
    """In a cluster of GKE it is said whether Google Cloud implements the Gateway, which takes policies of its own."""
    cluster = partial.cluster_of_server
    gateway = partial.server.expose.gateway if partial.server else None
    if cluster and cluster.is_of_gke and gateway and not gateway.gateway_class:
        rule = "is missing: Gateways of GKE's own classes read other policies than Gateway API's"
        instead = (
            "Write the gatewayClassName of the Gateway: gke-l7-global-external-managed, or that of another program."
        )
        yield Problem((partial.server_section, "expose", "gateway", "gatewayClass"), rule, instead)


def annotations_have_objects(partial: PartialFleet) -> Iterator[Problem]:
    """Annotations of a host are those of an object that its section makes."""
    via = partial.server.expose.via if partial.server else None
    if not via:
        return
    for name, exposed in exposed_hosts(partial).items():
        for field in ("annotations", "service_annotations"):
            if getattr(exposed, field) and via not in ONLY_VIA[field]:
                rule = f"has no effect with {partial.server_section}.expose.via: {via}"
                yield Problem((*name, "expose", to_camel(field)), rule, instead_of(field, via, "Remove it."))


def records_are_of_names(partial: PartialFleet) -> Iterator[Problem]:
    """external-dns makes records for names."""
    if partial.server and partial.server.expose.external_dns:
        for path, host in hosts(partial).items():
            if re.fullmatch(ADDRESS, host):
                rule = f"is an address, and {partial.server_section}.expose.externalDns makes records for names"
                yield Problem(path, rule, "Write a DNS name, or remove externalDns.", host)


def exposed_hosts(partial: PartialFleet) -> Mapping[Path, ExposedHost]:
    """Every exposed host of other sections than the server's, by the path of its section."""
    sections = {"alertmanager": partial.alertmanager, "grafana": partial.grafana, "pushgateway": partial.pushgateway}
    found: dict[Path, ExposedHost] = {(name,): one.expose for name, one in sections.items() if one and one.expose}
    for name, exposed in partial.thanos.exposed_hosts.items() if partial.thanos else ():
        found[("thanos", name) if name else ("thanos",)] = exposed
    return found


def _server_hosts(partial: PartialFleet) -> Mapping[Path, str]:
    if not partial.server:
        return {}
    hosts = {"host": partial.server.expose.host, "readHost": partial.server.expose.read_host}
    return {(partial.server_section, "expose", key): host for key, host in hosts.items() if host}


def _doubles(values: Mapping[Path, object], noun: str, instead: str) -> Iterator[Problem]:
    seen: dict[object, Path] = {}
    for path, value in values.items():
        first = seen.setdefault(value, path)
        if first != path:
            yield Problem(path, f"is the {noun} of {spelt(first)} too", instead, value)
