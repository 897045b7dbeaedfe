"""The tokens that a pod has of its own ServiceAccount: for whom each is, and where it is mounted."""

API = "/var/run/secrets/kubernetes.io/serviceaccount"
"""
Folder of what Kubernetes' clients show to API server and kubelets. The auth proxies of people and agents take this
token too: theirs, which are in Secrets, have no audience of their own either.
"""
API_TOKEN = f"{API}/token"
AUTH_PROXY = "/var/run/secrets/promfleet.io"
PROXY_TOKEN = f"{AUTH_PROXY}/token"
"""For auth proxies of which only our own pods are clients; no API server takes it, and they take no other."""
AUDIENCE = "auth-proxy.promfleet.io"
"""Of the token for auth proxies."""
LIFETIME = 3600
"""Seconds; the kubelet renews a token in time."""
