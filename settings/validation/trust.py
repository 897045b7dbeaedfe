"""The rules on trust: that whoever signs the hub's certificate can, and that agents and proxies can verify it."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from ..errors import Path, Problem
from ..expose import Expose
from ..types import ADDRESS
from .exposure import hosts
from .partial import PartialFleet

_INNER = frozenset(
    {"arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localhost", "private", "svc", "test"}
)
"""Last parts of names that no public registry has."""
_VERIFIERS = {"ingress": "nginx", "httpProxy": "Contour"}
"""What verifies the hub by the `ca.crt` of a Secret, by the way in; a Gateway can trust the public authorities."""
_PUBLIC = "and no public authority signs it"


def authorities_sign_hosts(partial: PartialFleet) -> Iterator[Problem]:
    """Without a `ca` the certificate is a public authority's, which signs public names alone."""
    expose = partial.server.expose if partial.server else None
    if not expose or _is_private(expose):
        return
    own = f"or in {partial.server_section}.expose.tls the ca of your own authority."
    for path, host in (hosts(partial) if expose.tls.issuer else _hosts_of_agents(partial)).items():
        if re.fullmatch(ADDRESS, host) and (expose.tls.issuer or not _is_public_address(host)):
            yield Problem(path, f"is an address, {_PUBLIC}", f"Write a DNS name, {own}", host)
        elif _is_inner(host):
            rule = f"is a name inside a network, {_PUBLIC}"
            yield Problem(path, rule, f"Write a public DNS name, {own}", host)


def proxies_verify_the_hub(partial: PartialFleet) -> Iterator[Problem]:
    """A proxy that ends TLS and starts it anew knows by whom the hub's certificate is signed."""
    expose = partial.server.expose if partial.server else None
    if not expose or expose.passthrough or _is_private(expose) or expose.via not in _VERIFIERS:
        return
    if expose.via == "ingress" and not expose.is_told_of_nginx:
        return
    verifier, path = _VERIFIERS[expose.via], (partial.server_section, "expose", "tls", "ca")
    needed = f"is missing: {verifier} verifies the hub by it, and"
    instead = "Write ca: |, and below it the PEM text of the root that signs for the"
    if expose.tls.issuer:
        rule = f"{needed} a public authority leaves none in the certificate's Secret"
        yield Problem(path, rule, f"{instead} issuer.")
    elif partial.writers:
        yield Problem(path, f"{needed} agents verify {verifier}", f"{instead} certificate.")


def _is_private(expose: Expose) -> bool:
    return bool(expose.tls.ca or expose.tls.ca_config_map)


def _hosts_of_agents(partial: PartialFleet) -> Mapping[Path, str]:
    """The hosts that agents write to."""
    if not partial.writers:
        return {}
    receive = ("thanos", "receive", "expose", "host")
    written = receive if partial.thanos and partial.thanos.receive else (partial.server_section, "expose", "host")
    return {path: host for path, host in hosts(partial).items() if path == written}


def _is_public_address(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def _is_inner(host: str) -> bool:
    _, dot, last = host.rpartition(".")
    return not re.fullmatch(ADDRESS, host) and (not dot or last in _INNER)
