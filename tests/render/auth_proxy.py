"""The auth proxies of rendered stacks as processes on loopback, and a stand-in for the API server that they ask."""

import json
import socket
import ssl
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml

from lab import pki
from lab.build import command
from tests.http_server import Handler, HttpServer
from tests.lab.processes import free_port
from tests.unit.conftest import Engine

from .alertmanager import PATIENCE, until

API = "https://kubernetes.default.svc"
"""The API server's own audience, which tokens have that ask for no other."""


class Token(NamedTuple):
    """A bearer token as the API server knows it."""

    account: str
    """ServiceAccount of the stack's namespace."""
    audience: str = API

    @property
    def user(self) -> str:
        return f"system:serviceaccount:promfleet:{self.account}"

    @property
    def text(self) -> str:
        return f"{self.account} for {self.audience}".replace(" ", "_")


class ApiServer(HttpServer):
    """Reviews tokens and accesses as Kubernetes does, by the Roles that a stack was rendered to."""

    def __init__(self, objects: Sequence[Mapping[str, Any]], tokens: Sequence[Token]) -> None:
        self.tokens = {token.text: token for token in tokens}
        self.rules = {o["metadata"]["name"]: o["rules"] for o in objects if o["kind"] == "Role"}
        self.bindings = [o for o in objects if o["kind"] == "RoleBinding"]
        super().__init__(_answering(self._review))

    def _review(self, asked: bytes) -> bytes:
        review = json.loads(asked)
        spec = review["spec"]
        review["status"] = self._token(spec) if review["kind"] == "TokenReview" else self._access(spec)
        return json.dumps(review).encode()

    def _token(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        wanted = spec.get("audiences") or [API]
        token = self.tokens.get(spec["token"])
        if token is None or token.audience not in wanted:
            return {"authenticated": False, "error": f"invalid for {wanted}"}
        groups = ["system:serviceaccounts", "system:authenticated"]
        return {
            "authenticated": True,
            "user": {"username": token.user, "groups": groups},
            "audiences": [token.audience],
        }

    def _access(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        asked = spec["resourceAttributes"]
        resource = f"{asked['resource']}/{asked['subresource']}"
        allowed = any(
            asked["group"] in rule["apiGroups"]
            and resource in rule["resources"]
            and asked["name"] in rule["resourceNames"]
            and asked["verb"] in rule["verbs"]
            for binding in self.bindings
            if spec["user"].rpartition(":")[2] in [subject["name"] for subject in binding["subjects"]]
            for rule in self.rules.get(binding["roleRef"]["name"], ())
        )
        return {"allowed": allowed}


def _answering(answer: Any) -> type[Handler]:
    """Make a handler that answers every request with 200 and what `answer` makes of its body."""

    class Answering(Handler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.answer(200, answer(self.body()))

        do_GET = do_POST = do_PUT = do_DELETE = _answer

    return Answering


class Running(NamedTuple):
    """Auth proxies that take requests, by app and name."""

    ports: Mapping[tuple[str, str], int]
    pids: Mapping[tuple[str, str], int]
    ca: Path
    """Who signed their certificate."""
    client: httpx.Client

    def ask(
        self,
        proxy: tuple[str, str],
        method: str,
        path: str,
        token: Token | None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Come to an auth proxy."""
        shown = {"Authorization": f"Bearer {token.text}"} if token else {}
        url = f"https://127.0.0.1:{self.ports[proxy]}{path}"
        return self.client.request(method, url, headers=shown | dict(headers or {}), content=content)

    def passing(self, proxy: tuple[str, str], path: str, tokens: Sequence[Token]) -> dict[str, set[Token]]:
        """Who comes through an auth proxy, by the method; methods that nobody may use are left out."""
        found = {
            method: {token for token in tokens if self.ask(proxy, method, path, token).status_code == 200}
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH")
        }
        return {method: who for method, who in found.items() if who}


@contextmanager
def running(
    engine: Engine, tokens: Sequence[Token], folder: Path, upstream: tuple[str, int] | None = None
) -> Generator[Running]:
    """
    Run every auth proxy that a stack was rendered to until the block ends, with the rendered arguments and files.

    They lead to somebody who answers everything; with `upstream`, that of the app named there alone runs, and leads to
    its port.
    """
    objects = [o for o in engine.objects if o.get("metadata", {}).get("namespace") == "promfleet"]
    api, behind = ApiServer(objects, tokens), HttpServer(_answering(lambda _: b"{}"))
    authority = pki.authority("auth-proxy")
    pki.issue(authority, "auth-proxy", hosts=["127.0.0.1", "localhost"]).write(folder, "tls")
    authority.write(folder, "ca")
    kubeconfig = folder / "kubeconfig"
    cluster = {"name": "api", "cluster": {"server": f"http://{api.host}"}}
    context = {"name": "api", "context": {"cluster": "api", "user": "auth-proxy"}}
    kubeconfig.write_text(
        yaml.safe_dump(
            {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context]}
            | {"users": [{"name": "auth-proxy", "user": {}}], "current-context": "api"}
        )
    )
    ports, processes = {}, {}
    files = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
    try:
        for app, container in _auth_proxies(objects):
            if upstream and app != upstream[0]:
                continue
            name = container["name"].removeprefix("kube-rbac-proxy-")
            config = folder / f"{app}-{name}.yaml"
            config.write_text(files[f"{app}-kube-rbac-proxy"][f"{name}.yaml"])
            ports[app, name] = free_port()
            here = {
                "secure-listen-address": f"127.0.0.1:{ports[app, name]}",
                "proxy-endpoints-port": free_port(),
                "upstream": f"http://127.0.0.1:{upstream[1] if upstream else behind.server_port}/",
                "config-file": config,
                "tls-cert-file": folder / "tls.crt",
                "tls-private-key-file": folder / "tls.key",
            }
            kept = [flag for flag in container["args"] if flag.removeprefix("--").partition("=")[0] not in here]
            arguments = [*kept, *(f"--{flag}={value}" for flag, value in here.items()), f"--kubeconfig={kubeconfig}"]
            with (folder / f"{app}-{name}.log").open("w") as log:
                started = subprocess.Popen([str(command("kube-rbac-proxy")), *arguments], stderr=log)
            processes[app, name] = started
        for port in ports.values():
            until("an auth proxy opens", lambda port=port: _is_open(port))
        ca = folder / "ca.crt"
        with httpx.Client(verify=ssl.create_default_context(cafile=str(ca)), timeout=PATIENCE) as client:
            yield Running(ports, {proxy: process.pid for proxy, process in processes.items()}, ca, client)
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(PATIENCE)
        for server in (api, behind):
            server.server_close()


def _auth_proxies(objects: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in objects:
        if "template" in item.get("spec", {}):
            for container in item["spec"]["template"]["spec"]["containers"]:
                if container["name"].startswith("kube-rbac-proxy-"):
                    yield item["metadata"]["name"], container


def _is_open(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
