"""What an auth proxy (kube-rbac-proxy) in front of a server lets through, and whom."""

from typing import NamedTuple

GROUP = "promfleet.io"
"""API group of resources that exist in RBAC only, so that no default role grants them."""


class AuthProxy(NamedTuple):
    """One kube-rbac-proxy; who passes must be allowed `<resource>/<name>` of this instance."""

    resource: str
    name: str
    upstream: str
    """host:port of what it leads to, on the pod's loopback."""
    port: int
    health: int
    verbs: tuple[str, ...]
    """What Kubernetes calls the HTTP methods that its holders may use."""
    paths: tuple[str, ...]
    callers: tuple[str, ...] = ()
    """Apps of ours whose pods alone come, with tokens made for that; whoever has a token, if there are none."""
    user_header: str = ""
    """HTTP header that tells upstream who came, over what the client wrote there."""

    def url(self, app: str, namespace: str, path: str = "") -> str:
        """Return where pods reach it: at the Service of an app, over TLS."""
        return f"https://{self.address(app, namespace)}{path}"

    def address(self, app: str, namespace: str) -> str:
        """Return host:port of it at the Service of an app."""
        return f"{app}.{namespace}.svc:{self.port}"

    def called_by(self, *apps: str) -> "AuthProxy":
        """Return the same for the pods of these apps alone."""
        return self._replace(callers=apps)
