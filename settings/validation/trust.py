"""Rules on certificates: that the CA can sign for the hosts, and that agents and proxies can verify it."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from ..errors import Path, Problem
from ..expose import Expose
from ..ingress import controller
from ..types import ADDRESS
from .exposure import hosts
from .partial import PartialFleet

_INNER = frozenset(
    {"arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localhost", "private", "svc", "test"}
)
"""Top-level domains that are not public."""
_PUBLIC = "and no public authority signs it"


def authorities_sign_hosts(partial: PartialFleet) -> Iterator[Problem]:
    """Without `ca`, a public authority signs the certificate, and it signs public names only."""
    expose = partial.server.expose if partial.server else None
    if not expose or _is_private(expose):
        return
    own = f"or the CA of your own authority in {partial.server_section}.expose.tls.ca."
    verified = (
        hosts(partial) if expose.tls.issuer else {**_hosts_of_agents(partial), **_host_of_proxies(partial, expose)}
    )
    for path, host in verified.items():
        if re.fullmatch(ADDRESS, host) and (expose.tls.issuer or not _is_public_address(host)):
            yield Problem(path, f"is an address, {_PUBLIC}", f"Write a DNS name, {own}", host)
        elif _is_inner(host):
            rule = f"is a name inside a network, {_PUBLIC}"
            yield Problem(path, rule, f"Write a public DNS name, {own}", host)


def proxies_verify_the_hub(partial: PartialFleet) -> Iterator[Problem]:
    """A proxy that re-encrypts has the CA of the server's certificate."""
    expose = partial.server.expose if partial.server else None
    verifier = _verifier(expose) if expose else None
    if not expose or not verifier or expose.passthrough or _is_private(expose):
        return
    path = (partial.server_section, "expose", "tls", "ca")
    needed = f"is missing: {verifier} verifies the server with it, and"
    instead = "Write ca: |, and below it the PEM text of the root that signs for the"
    if expose.tls.issuer:
        rule = f"{needed} the Secret of a public authority's certificate has none"
        yield Problem(path, rule, f"{instead} issuer.")
    elif partial.writers:
        yield Problem(path, f"{needed} agents verify {verifier}", f"{instead} certificate.")


def _verifier(expose: Expose) -> str | None:
    """The proxy that verifies the server with a Secret's `ca.crt`, and can't use the public authorities instead."""
    if expose.via == "httpProxy":
        return "Contour"
    known = controller(expose.ingress_class) if expose.via == "ingress" else None
    return known.title if known and known.needs_ca and not known.needs_written_ca else None


def _is_private(expose: Expose) -> bool:
    return bool(expose.tls.ca or expose.tls.ca_config_map)


def _hosts_of_agents(partial: PartialFleet) -> Mapping[Path, str]:
    """Every host that agents write to."""
    if not partial.writers:
        return {}
    receive = ("thanos", "receive", "expose", "host")
    written = receive if partial.thanos and partial.thanos.receive else (partial.server_section, "expose", "host")
    return {path: host for path, host in hosts(partial).items() if path == written}


def _host_of_proxies(partial: PartialFleet, expose: Expose) -> Mapping[Path, str]:
    """The host by whose name a proxy verifies what is behind it, if it does so by the public authorities."""
    known = controller(expose.ingress_class) if expose.via == "ingress" else None
    of_gateway = expose.via == "gateway" and not (expose.gateway and expose.gateway.is_of_gke)
    if expose.passthrough or not (of_gateway or (known and known.trusts_public)):
        return {}
    return {(str(partial.server_section), "expose", "host"): expose.host}


def _is_public_address(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def _is_inner(host: str) -> bool:
    _, dot, last = host.rpartition(".")
    return not re.fullmatch(ADDRESS, host) and (not dot or last in _INNER)
