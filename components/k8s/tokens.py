"""Projected ServiceAccount tokens, mounted only into the containers that use them."""

from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s

from render import tokens


class Token(NamedTuple):
    """A volume of a pod, and its mount in a container."""

    volume: k8s.core.v1.VolumeArgsDict
    mount: k8s.core.v1.VolumeMountArgsDict


API = Token(
    {
        "name": "api-token",
        "projected": {
            "sources": [
                {"service_account_token": {"path": "token", "expiration_seconds": tokens.LIFETIME}},
                {"config_map": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {
                    "downward_api": {
                        "items": [
                            {
                                "path": "namespace",
                                "field_ref": {"api_version": "v1", "field_path": "metadata.namespace"},
                            }
                        ]
                    }
                },
            ]
        },
    },
    {"name": "api-token", "mount_path": tokens.API, "read_only": True},
)
"""The token, CA and namespace that Kubernetes would mount into every container of a pod."""


def issued(name: str, audience: pulumi.Input[str]) -> k8s.core.v1.VolumeArgsDict:
    """Return a volume with a token for an audience, which the kubelet renews before it expires."""
    source: k8s.core.v1.ServiceAccountTokenProjectionArgsDict = {
        "path": "token",
        "audience": audience,
        "expiration_seconds": tokens.LIFETIME,
    }
    return {"name": name, "projected": {"sources": [{"service_account_token": source}]}}


AUTH_PROXY = Token(
    issued("auth-proxy-token", tokens.AUDIENCE),
    {"name": "auth-proxy-token", "mount_path": tokens.AUTH_PROXY, "read_only": True},
)
