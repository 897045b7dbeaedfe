"""Envoy of rendered stacks as a process on loopback, tokens of clusters that exist in tests only, and who listens."""

import base64
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from components.k8s.write_proxy import CONFIG, TLS
from lab import pki
from lab.toolchains import envoy
from render.write_proxy import ADMIN, AUTHORITIES, HEALTH_PATH
from tests.exposition import total
from tests.http_server import Handler, HttpServer
from tests.lab.processes import free_port
from tests.unit.conftest import Engine

from .alertmanager import PATIENCE, until

AGENT = "system:serviceaccount:promfleet:prometheus-agent"
AUDIENCE = "https://hub.example"
HOUR = 3600


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _number(number: int) -> str:
    return _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class Cluster:
    """A cluster that signs tokens: `key` as its JSON Web Key Set has it, of kind EC if that is asked for."""

    issuer = "https://kubernetes.default.svc.cluster.local"

    def __init__(self, name: str, *, elliptic: bool = False) -> None:
        self.name = name
        self._private = (
            ec.generate_private_key(ec.SECP256R1())
            if elliptic
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        self.key = {"kid": name, "use": "sig", **_public(self._private.public_key())}

    def settings(self, *others: "Cluster") -> dict[str, Any]:
        """The section `issuer` with its key, and with those of others."""
        return {"url": self.issuer, "jwks": {"keys": [one.key for one in (self, *others)]}}

    def token(self, **claims: Any) -> str:
        """A token of its agent for this hub that is valid for an hour; a claim of None is left out."""
        now = int(time.time())
        said = {"iss": self.issuer, "sub": AGENT, "aud": [AUDIENCE], "iat": now, "exp": now + HOUR} | claims
        said = {name: value for name, value in said.items() if value is not None}
        head = {"alg": self.key["alg"], "kid": self.name}
        text = ".".join(_base64(json.dumps(part).encode()) for part in (head, said))
        return f"{text}.{_base64(self._signature(text.encode()))}"

    def _signature(self, content: bytes) -> bytes:
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self._private.sign(content, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _public(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The numbers of a key as RFC 7518 has them."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
    point = key.public_numbers()
    x, y = (_base64(number.to_bytes(32, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y}


class Listening(HttpServer):
    """Remembers the headers of every request that comes, and answers 204."""

    def __init__(self) -> None:
        self.came: list[Any] = []
        upstream = self

        class Answering(Handler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                upstream.take(self.headers, self.body())
                self.send_response(204)  # which has no length
                self.end_headers()

        super().__init__(Answering)

    def take(self, headers: Any, body: bytes) -> None:
        """Remember a request."""
        self.came.append(headers)


class KeyServer(HttpServer):
    """Answers GET with `answer`: bytes, or None for no answer at all."""

    def __init__(self, folder: Path) -> None:
        self.answer: bytes | None = b""
        self.asked = 0
        self.ends = threading.Event()
        server = self

        class Answering(Handler):
            def do_GET(self) -> None:
                server.asked += 1
                if server.answer is None:
                    server.ends.wait(PATIENCE)
                else:
                    self.answer(200, server.answer)

        super().__init__(Answering, tls=(folder / "tls.crt", folder / "tls.key"))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server_port}/keys"


class Running:
    """An Envoy that takes requests."""

    def __init__(self, folder: Path, path: str) -> None:
        self.folder, self.path, self.pid = folder, path, 0
        self.port, self.health = free_port(), free_port()
        self.upstream = Listening()
        self.client = httpx.Client(
            verify=ssl.create_default_context(cafile=str(folder / "ca.crt")), timeout=PATIENCE, trust_env=False
        )

    def ask(
        self,
        token: str | None,
        *,
        method: str = "POST",
        path: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        content: Any = b"sample",
    ) -> httpx.Response:
        """Come with a token."""
        shown = [("Authorization", f"Bearer {token}")] if token else []
        url = httpx.URL(f"https://127.0.0.1:{self.port}", raw_path=(path or self.path).encode())
        return self.client.request(method, url, headers=[*shown, *headers], content=content)

    def connected(self) -> ssl.SSLSocket:
        """A connection for requests that no client of HTTP would send."""
        verified = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        return verified.wrap_socket(connection, server_hostname="127.0.0.1")

    @property
    def resident(self) -> int:
        """Bytes of its memory."""
        return psutil.Process(self.pid).memory_info().rss

    def waits_for(self, status: int, token: str, what: str) -> None:
        """Wait until a token gets an answer of this status."""
        until(what, lambda: self.ask(token).status_code == status)

    def metric(self, name: str) -> float:
        """Sum the series of one of its own metrics."""
        return total(httpx.get(f"http://127.0.0.1:{self.health}/metrics", trust_env=False).text, name)

    @property
    def said(self) -> str:
        """All that it printed."""
        return "".join((self.folder / name).read_text() for name in ("out", "err"))

    def lay(self, files: Mapping[str, str]) -> None:
        """Put files where it looks for them, each at once, as the kubelet does."""
        for name, text in files.items():
            unfinished = self.folder / f".{name}"
            unfinished.write_text(self.here(text))
            unfinished.rename(self.folder / name)

    def here(self, text: str) -> str:
        """What a rendered text says about a pod, about this process."""
        for there, here in {
            CONFIG: str(self.folder),
            TLS: str(self.folder),
            AUTHORITIES: str(self.folder / "ca.crt"),
            ADMIN: f"@{self.folder.name}-{self.port}",
            '"port_value": 8443': f'"port_value": {self.port}',
            '"port_value": 8643': f'"port_value": {self.health}',
            '"port_value": 9090': f'"port_value": {self.upstream.server_port}',
            '"port_value": 19291': f'"port_value": {self.upstream.server_port}',
        }.items():
            text = text.replace(there, here)
        return text


def certificates(folder: Path) -> None:
    """Write what Envoy and servers on loopback show, and who signed it."""
    authority = pki.authority("envoy")
    pki.issue(authority, "envoy", hosts=["127.0.0.1", "localhost"]).write(folder, "tls")
    authority.write(folder, "ca")


def container_and_files(engine: Engine, app: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The container of Envoy in a workload, and its ConfigMap's data."""
    [found] = [
        container
        for item in engine.objects
        if item["metadata"]["name"] == app and "template" in item.get("spec", {})
        for container in item["spec"]["template"]["spec"]["containers"]
        if container["name"] == "envoy"
    ]
    [files] = [item["data"] for item in engine.objects if item["metadata"]["name"] == f"{app}-envoy"]
    return found, files


def command(running: Running, container: Mapping[str, Any]) -> list[str]:
    """How it is started here."""
    return [str(envoy()), *(running.here(argument) for argument in container["args"])]


@contextmanager
def running(engine: Engine, folder: Path, app: str, path: str) -> Generator[Running]:
    """Run the Envoy of a workload until the block ends."""
    container, files = container_and_files(engine, app)
    one = Running(folder, path)
    one.lay(files)
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(command(one, container), stdout=out, stderr=err)
    one.pid = process.pid
    try:
        until("Envoy takes requests", lambda: process.poll() is not None or _is_open(one))
        assert process.poll() is None, one.said
        yield one
    finally:
        process.terminate()
        process.wait(PATIENCE)
        one.client.close()
        one.upstream.server_close()


def _is_open(running: Running) -> bool:
    try:
        healthy = httpx.get(f"http://127.0.0.1:{running.health}{HEALTH_PATH}", trust_env=False).is_success
        return healthy and running.ask(None).status_code in (401, 503)
    except httpx.TransportError:
        return False
