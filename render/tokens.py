"""The tokens that a pod has of its own ServiceAccount: for whom each is, and where it is mounted."""

API = "/var/run/secrets/kubernetes.io/serviceaccount"
"""
Folder of what Kubernetes' clients show to API server and kubelets. Also the doors of people and agents know this token:
theirs, which stand in Secrets, have no audience of their own either.
"""
API_TOKEN = f"{API}/token"
DOORS = "/var/run/secrets/promfleet.io"
DOORS_TOKEN = f"{DOORS}/token"
"""For doors that only our own pods come through; it opens no API server, and what a kubelet is shown opens no door."""
AUDIENCE = "doors.promfleet.io"
"""Of the token for doors."""
LIFETIME = 3600
"""Seconds; the kubelet renews a token in time."""
