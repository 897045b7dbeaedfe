"""Settings of an auth proxy (kube-rbac-proxy) in front of a server: paths, permissions, callers."""

from typing import NamedTuple

GROUP = "promfleet.io"
"""API group of resources that exist in RBAC rules only, so that no default role includes them."""


class AuthProxy(NamedTuple):
    """One kube-rbac-proxy; clients need the right to `<resource>/<name>` of this instance."""

    resource: str
    name: str
    upstream: str
    """host:port of the upstream, on the pod's loopback."""
    port: int
    health: int
    verbs: tuple[str, ...]
    """Kubernetes' verbs of the HTTP methods that clients may use."""
    paths: tuple[str, ...]
    callers: tuple[str, ...] = ()
    """Apps whose pods are the only clients, with tokens for this audience; clients with any valid token, if empty."""
    user_header: str = ""
    """HTTP header that it sets to the authenticated user, replacing the client's own value."""

    def url(self, app: str, namespace: str, path: str = "") -> str:
        """Return its URL inside the cluster, at the Service of an app."""
        return f"https://{self.address(app, namespace)}{path}"

    def address(self, app: str, namespace: str) -> str:
        """Return its host:port at the Service of an app."""
        return f"{app}.{namespace}.svc:{self.port}"

    def called_by(self, *apps: str) -> "AuthProxy":
        """Return the same auth proxy with the pods of these apps as its only clients."""
        return self._replace(callers=apps)
