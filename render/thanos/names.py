"""Names, ports and paths that Thanos' roles know of each other."""

from settings import Server
from settings.reserved import REPLICA

GRPC, HTTP = 10901, 10902
DATA = "/var/thanos/data"
CERTIFICATES = "/etc/thanos/certificates"
"""Where the Secret of each remote endpoint is mounted, in a folder of its name."""
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

PORTS = [f"--http-address=0.0.0.0:{HTTP}", f"--grpc-address=0.0.0.0:{GRPC}"]
"""The flags of a role that listens on both."""


def own_labels(server: Server, role: str, replica: str = REPLICA) -> list[str]:
    """Return labels of a role's blocks that neither another stack's nor another replica's have in the same bucket."""
    return [f'--label={role}="{server.cluster}"', f'--label={replica}="$(POD_NAME)"']


def tenant(namespace: str, account: str) -> str:
    """Return the tenant of a ServiceAccount: the name by which Kubernetes knows who writes."""
    return f"system:serviceaccount:{namespace}:{account}"


def replicas_service(app: str) -> str:
    """Return the headless Service by which the pods of a Prometheus server, and so their sidecars, are found."""
    return f"{app}-replicas"
