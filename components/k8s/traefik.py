"""Traefik: what it reads beside an Ingress of backends that speak HTTPS."""

from typing import Any

import pulumi

from settings.ingress import TIMEOUT

API = "traefik.io/v1alpha1"


def servers_transport(
    server_name: str, secret: pulumi.Input[str] | None, config_map: pulumi.Input[str] | None
) -> dict[str, Any]:
    """
    Return the spec of a ServersTransport, by which Traefik verifies backends that have a certificate for a name.

    A Secret, or else a ConfigMap, has the authorities (key `ca.crt`); without both they are the public ones.
    """
    authorities = [{kind: name} for kind, name in (("secret", secret), ("configMap", config_map)) if name is not None]
    return {
        "serverName": server_name,
        "forwardingTimeouts": {"responseHeaderTimeout": f"{TIMEOUT}s"},
        **({"rootCAs": authorities[:1]} if authorities else {}),
    }
