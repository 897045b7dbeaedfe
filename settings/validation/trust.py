"""The rules on trust: that whoever signs the hub's certificate can, and that agents and proxies can verify it."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from ..errors import Path, Problem
from ..expose import Expose
from ..types import ADDRESS
from .exposure import hosts
from .partial import Draft

_INNER = frozenset(
    {"arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localhost", "private", "svc", "test"}
)
"""Last parts of names that no public registry has."""
_VERIFIERS = {"ingress": "nginx", "httpProxy": "Contour"}
"""What verifies the hub by the `ca.crt` of a Secret, by the way in; a Gateway can trust the public authorities."""
_PUBLIC = "and no public authority signs it"
_OWN = "or in hub.expose.tls the ca of your own authority."


def authorities_sign_hosts(draft: Draft) -> Iterator[Problem]:
    """Without a `ca` the certificate is a public authority's, which signs public names alone."""
    expose = draft.hub.expose if draft.hub else None
    if not expose or _is_private(expose):
        return
    for path, host in (hosts(draft) if expose.tls.issuer else _hosts_of_agents(draft)).items():
        if re.fullmatch(ADDRESS, host) and (expose.tls.issuer or not _is_public_address(host)):
            yield Problem(path, f"is an address, {_PUBLIC}", f"Write a DNS name, {_OWN}", host)
        elif _is_inner(host):
            rule = f"is a name inside a network, {_PUBLIC}"
            yield Problem(path, rule, f"Write a public DNS name, {_OWN}", host)


def proxies_verify_the_hub(draft: Draft) -> Iterator[Problem]:
    """A proxy that ends TLS and starts it anew knows by whom the hub's certificate is signed."""
    expose = draft.hub.expose if draft.hub else None
    if not expose or expose.passthrough or _is_private(expose) or expose.via not in _VERIFIERS:
        return
    if expose.via == "ingress" and not expose.is_told_of_nginx:
        return
    verifier, path = _VERIFIERS[expose.via], ("hub", "expose", "tls", "ca")
    needed = f"is missing: {verifier} verifies the hub by it, and"
    instead = "Write ca: |, and below it the PEM text of the root that signs for the"
    if expose.tls.issuer:
        rule = f"{needed} a public authority leaves none in the certificate's Secret"
        yield Problem(path, rule, f"{instead} issuer.")
    elif draft.writers:
        yield Problem(path, f"{needed} agents verify {verifier}", f"{instead} certificate.")


def _is_private(expose: Expose) -> bool:
    return bool(expose.tls.ca or expose.tls.ca_config_map)


def _hosts_of_agents(draft: Draft) -> Mapping[Path, str]:
    """The hosts that agents write to."""
    if not draft.writers:
        return {}
    receive = ("thanos", "receive", "expose", "host")
    written = receive if draft.thanos and draft.thanos.receive else ("hub", "expose", "host")
    return {path: host for path, host in hosts(draft).items() if path == written}


def _is_public_address(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def _is_inner(host: str) -> bool:
    _, dot, last = host.rpartition(".")
    return not re.fullmatch(ADDRESS, host) and (not dot or last in _INNER)
