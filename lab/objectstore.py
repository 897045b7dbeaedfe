"""The lab's Google Cloud Storage: fake-gcs-server on the machine's end of the wire, under Google's own name."""

import http.client
import json
import ssl
import subprocess
from contextlib import suppress
from typing import Any

import psutil

from .cluster import WIRE, state
from .connect import authority_file, certificate
from .node import LabError, find, wait

ADDRESS = str(WIRE[1])
HOST = "storage.googleapis.com"
PORT = 443
TIMEOUT = 30
_ROUND_TRIP = (http.client.HTTPException, OSError)


def command() -> list[str]:
    """Give its command line; it names the lab's folder, which tells this lab's store from another's."""
    pki = authority_file().parent
    flags = {
        "host": ADDRESS,
        "port": PORT,
        "scheme": "https",
        "cert-location": pki / "objectstore.crt",
        "private-key-location": pki / "objectstore.key",
        "public-host": HOST,
        "external-url": f"https://{HOST}",
        "backend": "filesystem",
        "filesystem-root": state() / "objectstore",
        "log-level": "warn",
    }
    return [str(state() / "bin" / "fake-gcs-server"), *(f"-{flag}={value}" for flag, value in flags.items())]


def start() -> None:
    """Start it unless it runs, and return when it answers; it finds the buckets and objects that it had."""
    log = state() / "objectstore.log"
    if not find(command()):
        certificate("objectstore", [HOST, ADDRESS])
        with log.open("ab") as output:
            subprocess.Popen(command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    wait(is_serving, "the object store does not answer", log, seconds=20)


def stop() -> None:
    """End it unless it has ended; buckets and objects stay on the disk."""
    process = find(command())
    if process:
        with suppress(psutil.NoSuchProcess):
            process.kill()
            process.wait(10)


def is_serving() -> bool:
    try:
        return _exchange("GET", "/_internal/healthcheck")[0] == http.client.OK
    except _ROUND_TRIP:
        return False


def ask(method: str, path: str, body: object = None) -> dict[str, Any] | None:
    """Send a request of Cloud Storage's JSON API; None where there is no such thing, LabError where it is refused."""
    try:
        status, answer = _exchange(method, path, body)
    except _ROUND_TRIP as error:
        raise LabError(f"the object store does not answer ({error}); run `fleet lab up` again") from None
    if status == http.client.NOT_FOUND:
        return None
    if status >= http.client.BAD_REQUEST:
        raise LabError(f"the object store refused {method} {path} with {status}: {answer.decode(errors='replace')}")
    return json.loads(answer) if answer else {}


def _exchange(method: str, path: str, body: object = None) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=str(authority_file()))
    connection = http.client.HTTPSConnection(ADDRESS, PORT, context=context, timeout=TIMEOUT)
    content = None if body is None else json.dumps(body)
    try:
        connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
