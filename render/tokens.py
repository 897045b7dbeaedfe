"""Mount paths and audiences of a pod's ServiceAccount tokens."""

API = "/var/run/secrets/kubernetes.io/serviceaccount"
"""
Folder of what Kubernetes' clients show to API server and kubelets. The auth proxies of people and agents take this
token too: theirs, which are in Secrets, have no audience of their own either.
"""
API_TOKEN = f"{API}/token"
AUTH_PROXY = "/var/run/secrets/promfleet.io"
"""Mount path of the token for auth proxies."""
PROXY_TOKEN = f"{AUTH_PROXY}/token"
AUDIENCE = "auth-proxy.promfleet.io"
"""Audience for auth proxies between pods of this program; the API server does not accept such tokens."""
LIFETIME = 3600
"""Lifetime in seconds; the kubelet renews a token before it expires."""


def writer_account(cluster: str) -> str:
    """Return the ServiceAccount, in the hub's cluster, of a cluster's agent that has a token there."""
    return f"writer-{cluster}"


def token_secrets(account: str, renewals: int) -> dict[int, str]:
    """Return the Secrets with the tokens of an account that do not expire, by their numbers: the newest is the last."""
    return {number: f"{account}-token-{number}" for number in range(max(0, renewals - 1), renewals + 1)}
