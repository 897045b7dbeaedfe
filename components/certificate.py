"""A certificate that cert-manager keeps in force."""

from collections.abc import Sequence

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


def certificate(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    hosts: Sequence[str],
    issuer: str,
    child: ResourceOptions,
) -> str:
    """Ask a ClusterIssuer for a certificate of these hosts, and name the Secret that it will stand in."""
    secret = f"{metadata['name']}-tls"
    k8s.apiextensions.CustomResource(
        f"{name}-certificate",
        api_version="cert-manager.io/v1",
        kind="Certificate",
        metadata=metadata,
        spec={
            "secretName": secret,
            "dnsNames": list(hosts),
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer},
        },
        opts=child,
    )
    return secret
