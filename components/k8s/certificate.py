"""A Certificate of cert-manager."""

import re
from collections.abc import Sequence

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.types import ADDRESS


def certificate(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    hosts: Sequence[str],
    issuer: str,
    child_opts: ResourceOptions,
) -> str:
    """Make a Certificate of a ClusterIssuer for these hosts, and return the name of its Secret."""
    secret = f"{metadata['name']}-tls"
    k8s.apiextensions.CustomResource(
        f"{name}-certificate",
        api_version="cert-manager.io/v1",
        kind="Certificate",
        metadata=metadata,
        spec={
            "secretName": secret,
            **subjects(hosts),
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer},
        },
        opts=child_opts,
    )
    return secret


def subjects(hosts: Sequence[str]) -> dict[str, list[str]]:
    """The hosts as fields of a Certificate: names and addresses apart, without empty lists."""
    addresses = [host for host in hosts if re.fullmatch(ADDRESS, host)]
    names = [host for host in hosts if host not in addresses]
    return {key: found for key, found in {"dnsNames": names, "ipAddresses": addresses}.items() if found}
