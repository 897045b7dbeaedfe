"""Names, ports and paths that components of Thanos have in common."""

from settings import Server
from settings.reserved import REPLICA_LABEL

GRPC, HTTP = 10901, 10902
DATA = "/var/thanos/data"
CERTIFICATES = "/etc/thanos/certificates"
"""Mount path of the Secrets of remote endpoints, each in a folder of its name."""
OWN_CERTIFICATE = f"{CERTIFICATES}/own"
"""Mount path of the certificate of the stack's auth proxies, without its key."""
SIDECAR, QUERY, FRONTEND, STORE, COMPACTOR, RULER, RECEIVE, ROUTER, WEB = (
    f"thanos-{role}"
    for role in (
        "sidecar",
        "query",
        "query-frontend",
        "store",
        "compactor",
        "ruler",
        "receive",
        "receive-router",
        "bucket-web",
    )
)

QUERY_GRPC, ROUTER_PODS = f"{QUERY}-grpc", f"{ROUTER}-pods"
"""Headless Services of Query's pods for Rulers, and of routers' pods for scrapes."""
ADDRESS_FLAGS = [f"--http-address=0.0.0.0:{HTTP}", f"--grpc-address=0.0.0.0:{GRPC}"]
"""Flags of a component that listens on both ports."""


def own_labels(server: Server, role: str, replica: str = REPLICA_LABEL) -> list[str]:
    """Return external labels that are unique among the stacks and replicas of a bucket."""
    return [f'--label={role}="{server.cluster}"', f'--label={replica}="$(POD_NAME)"']


def tenant(namespace: str, account: str) -> str:
    """Return the tenant of a ServiceAccount: its username in Kubernetes."""
    return f"system:serviceaccount:{namespace}:{account}"


def replicas_service(app: str) -> str:
    """Return the name of the headless Service of a Prometheus server's pods, and therefore of their sidecars."""
    return f"{app}-replicas"
