"""A cluster's certificates and the kubeconfigs made of them."""

from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from .cluster import Cluster, state
from .pki import Pair, authority, issue, public_key, write_secret

CLIENTS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
}
"""User -> group of those who speak to the API server, besides the node."""


def prepare(cluster: Cluster) -> None:
    """Make what the cluster's components show and trust, once: certificates, keys, a kubeconfig for each."""
    if (cluster.pki / "complete").exists():
        return
    signer = authority(f"lab-{cluster.name}-ca")
    signer.write(cluster.pki, "ca")
    tokens = authority("service-accounts").key
    write_secret(cluster.pki / "service-accounts.key", tokens)
    (cluster.pki / "service-accounts.pub").write_bytes(public_key(tokens))
    issue(signer, "kube-apiserver", hosts=api_hosts(cluster)).write(cluster.pki, "apiserver")
    node = f"system:node:{cluster.name}"
    kubelet = issue(signer, node, group="system:nodes", hosts=[cluster.name, cluster.node])
    kubelet.write(cluster.pki, "kubelet")
    pairs = {user: issue(signer, user, group=group) for user, group in CLIENTS.items()} | {node: kubelet}
    pairs["admin"].write(cluster.pki, "admin")
    for user, pair in pairs.items():
        file = cluster.pki / f"{user.removeprefix('system:').partition(':')[0]}.kubeconfig"
        _write(file, kubeconfig([(cluster, pair)]))
    (cluster.pki / "complete").touch()


def api_hosts(cluster: Cluster) -> list[str]:
    """Name every host under which a client may call the API server."""
    inside = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    return [cluster.node, "127.0.0.1", "localhost", cluster.api, *inside]


def kubeconfig(members: Iterable[tuple[Cluster, Pair]]) -> dict[str, Any]:
    """Describe access to clusters, a context for each under its name, the first one current; nothing lies outside."""
    members = list(members)
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster.name, "cluster": _cluster(cluster)} for cluster, _ in members],
        "users": [{"name": cluster.name, "user": _user(pair)} for cluster, pair in members],
        "contexts": [
            {"name": cluster.name, "context": {"cluster": cluster.name, "user": cluster.name}} for cluster, _ in members
        ],
        "current-context": members[0][0].name,
    }


def write_kubeconfig(clusters: Iterable[Cluster]) -> Path:
    """Write the one file for people and tests, with an administrator's context per cluster."""
    file = state() / "kubeconfig"
    _write(file, kubeconfig((cluster, Pair.read(cluster.pki, "admin")) for cluster in clusters))
    return file


def _cluster(cluster: Cluster) -> dict[str, str]:
    return {"server": cluster.server, "certificate-authority-data": _text((cluster.pki / "ca.crt").read_bytes())}


def _user(pair: Pair) -> dict[str, str]:
    return {"client-certificate-data": _text(pair.certificate), "client-key-data": _text(pair.key)}


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _write(file: Path, content: dict[str, Any]) -> None:
    write_secret(file, yaml.safe_dump(content, sort_keys=False).encode())
