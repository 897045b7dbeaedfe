"""The lab's Google Cloud Storage: fake-gcs-server on the machine's end of the wire, under Google's own name."""

import http.client
import json
import ssl
import subprocess
import sys
from contextlib import suppress
from typing import Any

import psutil

from ..cluster import WIRE, state
from ..connect import authority_file, certificate
from ..node import LabError, lives, running, wait
from . import cloud

ADDRESS = str(WIRE[1])
SERVER = "fake-gcs-server"
HOST = "storage.googleapis.com"
PORT = 443
BEHIND = ("127.0.0.1", 14443)
"""Where the server itself listens; everyone comes through its auth proxy."""
TIMEOUT = 30
_ROUND_TRIP = (http.client.HTTPException, OSError)


def commands() -> list[list[str]]:
    """Give the command lines of the server and its auth proxy; they name the lab's folder, and so whose they are."""
    flags = {
        "host": BEHIND[0],
        "port": BEHIND[1],
        "scheme": "http",
        "public-host": HOST,
        "external-url": f"https://{HOST}",
        "backend": "filesystem",
        "filesystem-root": state() / "objectstore",
        "log-level": "warn",
    }
    server = [str(state() / "bin" / SERVER), *(f"-{flag}={value}" for flag, value in flags.items())]
    return [server, [sys.executable, "-m", "lab.gcp.objectstore_proxy", str(state())]]


def _find(command: list[str]) -> psutil.Process | None:
    """Find the process of a command, which an interpreter of another checkout may run."""
    return next(running(lambda process: process.cmdline()[1:] == command[1:]), None)


def start() -> None:
    """Start what doesn't run of it, and return when it answers; it finds the buckets and objects that it had."""
    log = state() / "objectstore.log"
    certificate("objectstore", [HOST, ADDRESS])
    for command in commands():
        if not _find(command):
            with log.open("ab") as output:
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
    wait(is_serving, "the object store does not answer", log, seconds=20)


def stop() -> None:
    """End what runs of it; buckets and objects stay on the disk."""
    for process in filter(None, map(_find, commands())):
        with suppress(psutil.NoSuchProcess):
            process.kill()
            wait(lambda process=process: not lives(process), "the object store did not end", seconds=10)


def is_serving() -> bool:
    try:
        return _exchange("GET", "/_internal/healthcheck")[0] == http.client.OK
    except _ROUND_TRIP:
        return False


def ask(method: str, path: str, body: object = None) -> dict[str, Any] | None:
    """Send an operator's request of the JSON API; None where there is no such thing, LabError where it is refused."""
    try:
        status, answer = _exchange(method, path, body)
    except _ROUND_TRIP as error:
        raise LabError(f"the object store does not answer ({error}); run `fleet lab up --with thanos`") from None
    if status == http.client.NOT_FOUND:
        return None
    if status >= http.client.BAD_REQUEST:
        raise LabError(f"the object store refused {method} {path} with {status}: {answer.decode(errors='replace')}")
    return json.loads(answer) if answer else {}


def _exchange(method: str, path: str, body: object = None) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=str(authority_file()))
    connection = http.client.HTTPSConnection(ADDRESS, PORT, context=context, timeout=TIMEOUT)
    headers = {"Authorization": f"Bearer {cloud.token(cloud.OPERATOR)}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
