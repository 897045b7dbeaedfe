"""
The metadata server of a node, where pods on GKE learn with Workload Identity which Google service account they are.

Run in the namespaces of the node: `python -m lab.gcp.metadata CLUSTER`. Pods are told apart by their address.
An account is what the pod's ServiceAccount names in its annotation, if the cloud lets that ServiceAccount act as it.
"""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from socketserver import ThreadingTCPServer
from typing import Any

from .. import api
from ..cluster import Cluster, known
from . import cloud

ADDRESS = "169.254.169.254"
ANNOTATION = "iam.gke.io/gcp-service-account"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
FLAVOUR = "Google"
LIFETIME = 3600
"""Seconds that a token is said to last."""
_ROOT = "/computeMetadata/v1/"
_ACCOUNT = f"{_ROOT}instance/service-accounts/default/"
_HEADER = "Metadata-Flavor"


class RefusedError(Exception):
    """There is nothing for who asks; has the status to answer and the reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def answer(path: str, flavour: str | None, account: Callable[[], str]) -> str:
    """Give what is at a path; `flavour` is the client's own header, `account` is asked only where pods differ."""
    place = path.partition("?")[0].rstrip("/")
    if not place:
        return "computeMetadata/"  # what clients look for to see where they run
    if flavour != FLAVOUR:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"the header {_HEADER}: {FLAVOUR} is missing")
    fixed = {f"{_ROOT}project/project-id": cloud.PROJECT, f"{_ACCOUNT}scopes": SCOPE}
    if place in fixed:
        return fixed[place]
    if place == f"{_ACCOUNT}email":
        return account()
    if place == f"{_ACCOUNT}token":
        shown = {"access_token": cloud.token(account()), "expires_in": LIFETIME, "token_type": "Bearer"}
        return json.dumps(shown)
    raise RefusedError(HTTPStatus.NOT_FOUND, f"the lab has no {place}")


def account(service_account: Mapping[str, Any], records: cloud.Records) -> str:
    """Give the e-mail of the Google service account that a ServiceAccount acts as."""
    metadata = service_account["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    email = metadata.get("annotations", {}).get(ANNOTATION)
    if not email:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"ServiceAccount {namespace}/{name} has no annotation {ANNOTATION}")
    if not cloud.may_impersonate(records, email, namespace, name):
        reason = f"{email} is unknown, disabled, or does not grant {cloud.IMPERSONATE} to {namespace}/{name}"
        raise RefusedError(HTTPStatus.FORBIDDEN, reason)
    return email


def service_account(cluster: Cluster, address: str) -> dict[str, Any]:
    """Ask the cluster whose pod has an address; what is not known yet is worth asking again, as 503 tells clients."""
    if ip_address(address) not in cluster.pods:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"{address} is no pod's; pods on the node's network have no account")
    pods = api.get(cluster, f"/api/v1/pods?fieldSelector=status.podIP={address}") or {"items": []}
    alive = [pod for pod in pods["items"] if pod["status"]["phase"] in ("Pending", "Running")]
    if len(alive) != 1:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"{len(alive)} pods are known at {address}")
    namespace, name = alive[0]["metadata"]["namespace"], alive[0]["spec"]["serviceAccountName"]
    found = api.get(cluster, f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")
    if not found:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"ServiceAccount {namespace}/{name} is not known")
    return found


def handler(identify: Callable[[str], str]) -> type[BaseHTTPRequestHandler]:
    """Make the class that answers; `identify` gives the account of who has an address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, text = HTTPStatus.OK, answer(self.path, self.headers.get(_HEADER), self._account)
            except RefusedError as refused:
                status, text = refused.status, str(refused)
                self.log_error("%s: %s", self.path, text)
            body = text.encode()
            self.send_response(status)
            self.send_header(_HEADER, FLAVOUR)
            self.send_header("Content-Type", "application/json" if text.startswith("{") else "application/text")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who only looks whether there is a server leaves early
                self.wfile.write(body)

        def _account(self) -> str:
            return identify(self.client_address[0])

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing of what went well."""

    return Handler


class Server(ThreadingTCPServer):
    """Serves HTTP without asking DNS for its own name first, which takes its time where there is none."""

    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    cluster = next(cluster for cluster in known() if cluster.name == sys.argv[1])
    answers = handler(lambda address: account(service_account(cluster, address), cloud.records()))
    Server((ADDRESS, 80), answers).serve_forever()


if __name__ == "__main__":
    main()
