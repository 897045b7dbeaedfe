"""Asks a cluster's API server, as its administrator, without starting a kubectl for each question."""

import http.client
import json
import ssl
from typing import Any

from .cluster import API_PORT, Cluster

TIMEOUT = 5


def get(cluster: Cluster, path: str) -> Any | None:
    """Give what is at a path: an object, or the text where it isn't JSON; None while the server doesn't answer."""
    context = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
    context.load_cert_chain(cluster.pki / "admin.crt", cluster.pki / "admin.key")
    connection = http.client.HTTPSConnection(cluster.node, API_PORT, context=context, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            return None
        return json.loads(body) if body.startswith(b"{") else body.decode()
    except OSError:
        return None
    finally:
        connection.close()


def is_serving(cluster: Cluster) -> bool:
    return get(cluster, "/readyz") == "ok"


def is_node_ready(cluster: Cluster) -> bool:
    """Tell whether the node says so itself and said it lately (the controllers turn it to Unknown otherwise)."""
    node = get(cluster, f"/api/v1/nodes/{cluster.name}") or {}
    return condition(node, "Ready")


def condition(item: dict[str, Any], kind: str) -> bool:
    """Tell whether an object's condition is true."""
    found = item.get("status", {}).get("conditions", [])
    return any(each["type"] == kind and each["status"] == "True" for each in found)


def unavailable(cluster: Cluster) -> list[str]:
    """Name the lab's own Deployments that don't serve yet."""
    listed = get(cluster, "/apis/apps/v1/namespaces/kube-system/deployments") or {"items": []}
    ready = {item["metadata"]["name"] for item in listed["items"] if condition(item, "Available")}
    return sorted({"coredns", "local-path-provisioner"} - ready)
