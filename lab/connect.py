"""
The route from every cluster to the hub, which in a real fleet is a DNS name with a certificate of the company.

Works on any contexts, the lab's or those of kind, minikube and k3d, whose pods reach the address of the hub's node.
"""

import json
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .cluster import state
from .kubectl import apply, get
from .node import LabError
from .pki import Pair, authority, covers, issue

NAMESPACE = "promfleet"
"""Where the dev stack deploys; what it needs is there before, and stays."""
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
ROUTE = "promfleet-lab"
PORTS = {
    "hub": {"write": 30443, "read": 30444},
    "alertmanager": {"operate": 30445},
    "pushgateway": {"push": 30446},
    "receive": {"write": 30447},
    "query": {"read": 30448},
}
"""Who is reached through the node of the hub's cluster, and on which of its ports."""


def authority_file() -> Path:
    """Give the certificate of the authority that signs for the hub and the object store."""
    return state() / "pki" / "ca.crt"


def connect(names: Sequence[str], kubeconfig: Path | None = None) -> None:
    """
    Lay the route to the hub, the first of these contexts, in all of them; puts back whatever is gone.

    Without `kubeconfig` the contexts are kubectl's own.
    """
    hub = names[0]
    address = _address(hub, kubeconfig)
    signer = lab_authority()
    pair = certificate("hub", hosts(address))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: _lay(name, kubeconfig, objects(signer, address)), names))
    _lay(hub, kubeconfig, [tls_secret(pair)])


def hosts(address: str) -> list[str]:
    """Name what the node leads to in every way it is called: from clusters, from the machine, by its node."""
    services = [f"{name}.{ROUTE}.svc" for name in PORTS]
    return [*(f"{service}.cluster.local" for service in services), *services, "localhost", "127.0.0.1", address]


def objects(signer: Pair, address: str) -> list[dict[str, Any]]:
    """Describe what every cluster gets: whom to trust, and names that lead to the hub's node."""
    services = [item for name, ports in PORTS.items() for item in _service(name, ports, address)]
    return [
        _object("v1", "Namespace", NAMESPACE, labels=RESTRICTED),
        _object("v1", "Namespace", ROUTE),
        _object("v1", "ConfigMap", "hub-ca", NAMESPACE) | {"data": {"ca.crt": signer.certificate.decode()}},
        *services,
    ]


def _service(name: str, numbers: Mapping[str, int], address: str) -> list[dict[str, Any]]:
    """Describe a Service that leads to ports of the hub's node."""
    ports = [{"name": port, "port": number, "protocol": "TCP"} for port, number in numbers.items()]
    return [
        _object("v1", "Service", name, ROUTE) | {"spec": {"ports": ports}},
        _object("discovery.k8s.io/v1", "EndpointSlice", name, ROUTE, {"kubernetes.io/service-name": name})
        | {"addressType": "IPv4", "ports": ports, "endpoints": [{"addresses": [address]}]},
    ]


def tls_secret(pair: Pair) -> dict[str, Any]:
    """Describe the hub's own certificate."""
    data = {"tls.crt": b64encode(pair.certificate).decode(), "tls.key": b64encode(pair.key).decode()}
    return _object("v1", "Secret", "hub-tls", NAMESPACE) | {"type": "kubernetes.io/tls", "data": data}


def _object(
    version: str, kind: str, name: str, namespace: str = "", labels: dict[str, str] | None = None
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": {key: value for key, value in metadata.items() if value}}


def _lay(name: str, kubeconfig: Path | None, wanted: Iterable[dict[str, Any]]) -> None:
    """Apply, and again while a namespace that was deleted is still on its way out."""
    text = "\n".join(json.dumps(item) for item in wanted)
    for remaining in reversed(range(20)):
        try:
            apply(text, context=name, kubeconfig=kubeconfig)
        except LabError as error:
            if "being terminated" not in str(error) or not remaining:
                raise
            time.sleep(3)
        else:
            return


def _address(context: str, kubeconfig: Path | None) -> str:
    nodes = get("nodes", context=context, kubeconfig=kubeconfig)["items"]
    addresses = [entry for node in nodes for entry in node["status"]["addresses"] if entry["type"] == "InternalIP"]
    if not addresses:
        raise LabError(f"no node of the cluster {context} has an InternalIP: there is no route to the hub")
    return addresses[0]["address"]


def lab_authority() -> Pair:
    """Give the lab's own authority, made when it is first asked for."""
    folder = authority_file().parent
    if not (folder / "ca.key").exists():
        authority("promfleet-lab-ca").write(folder, "ca")
    return Pair.read(folder, "ca")


def certificate(name: str, hosts: Sequence[str]) -> Pair:
    """Give NAME.crt and NAME.key beside the authority's; the same ones as long as they serve: nothing restarts."""
    folder = authority_file().parent
    if (folder / f"{name}.key").exists() and covers(Pair.read(folder, name), hosts):
        return Pair.read(folder, name)
    pair = issue(lab_authority(), name, hosts=hosts)
    pair.write(folder, name)
    return pair
