"""
Stand-in for what the VM of a watcher asks in Google Cloud: its metadata server, and the REST API of Secret Manager.

`python google.py FOLDER PORT` serves on 127.0.0.1. The folder has one for each secret that exists, and in it a file for
each version, named by its number; a destroyed one is empty. It needs nothing but Python, so that a machine can run it.
"""

import base64
import json
import re
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "token-of-the-vm"
_SECRETS = r"/v1/projects/(?P<project>[^/]+)/secrets/(?P<secret>[^/:]+)"


class RefusedError(Exception):
    """Has the status to answer."""


class Google:
    """The secrets of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused: set[str] = set()
        """Secrets that nobody may read."""
        self.asked: list[str] = []
        """What was asked of Secret Manager: the end of each path."""

    def versions(self, secret: str) -> dict[int, Path]:
        """Every version by its number."""
        if not (self.folder / secret).is_dir():
            raise RefusedError(404)
        return {int(file.name): file for file in sorted((self.folder / secret).iterdir())}

    def add(self, secret: str, content: bytes) -> str:
        """Make a version."""
        number = max(self.versions(secret), default=0) + 1
        (self.folder / secret / str(number)).write_bytes(content)
        return f"projects/1/secrets/{secret}/versions/{number}"

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> dict[str, Any]:
        """Answer a request."""
        if path == "/computeMetadata/v1/instance/service-accounts/default/token":
            if headers["Metadata-Flavor"] != "Google":
                raise RefusedError(403)
            return {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        if headers["Authorization"] != f"Bearer {TOKEN}":
            raise RefusedError(401)
        for (verb, form), act in self._acts().items():
            found = re.fullmatch(_SECRETS + form, path.partition("?")[0])
            if found and verb == method:
                self.asked.append(path.partition("/secrets/")[2])
                return act(found, body)
        raise RefusedError(404)

    def _acts(self) -> dict[tuple[str, str], Callable[[re.Match[str], bytes], dict[str, Any]]]:
        return {
            ("GET", r"/versions"): lambda found, _: self._list(found["secret"]),
            ("POST", r":addVersion"): lambda found, body: {
                "name": self.add(found["secret"], base64.urlsafe_b64decode(json.loads(body)["payload"]["data"])),
                "clientSpecifiedPayloadChecksum": True,  # gcloud sends one and asks whether it was looked at
            },
            ("GET", r"/versions/(?P<number>\d+|latest):access"): lambda found, _: self._access(*found.groups()[1:]),
            ("POST", r"/versions/(?P<number>\d+):destroy"): lambda found, _: self._destroy(*found.groups()[1:]),
        }

    def _list(self, secret: str) -> dict[str, Any]:
        versions = [
            {
                "name": f"projects/1/secrets/{secret}/versions/{number}",
                "state": "ENABLED" if file.stat().st_size else "DESTROYED",
            }
            for number, file in self.versions(secret).items()
        ]
        return {"versions": versions, "totalSize": len(versions)} if versions else {}

    def _access(self, secret: str, number: str) -> dict[str, Any]:
        if secret in self.refused:
            raise RefusedError(403)
        versions = self.versions(secret)
        file = versions.get(max(versions, default=0) if number == "latest" else int(number))
        if file is None:
            raise RefusedError(404)
        if not file.stat().st_size:
            raise RefusedError(400)
        return {
            "name": f"projects/1/secrets/{secret}/versions/{file.name}",
            "payload": {"data": base64.b64encode(file.read_bytes()).decode()},
        }

    def _destroy(self, secret: str, number: str) -> dict[str, Any]:
        self.versions(secret)[int(number)].write_bytes(b"")
        return {"name": f"projects/1/secrets/{secret}/versions/{number}", "state": "DESTROYED"}


def server(google: Google, port: int = 0) -> ThreadingHTTPServer:
    """Make a server that answers for it; the caller runs it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            try:
                status, said = 200, google.answer(self.command, self.path, self.headers, body)
            except RefusedError as error:
                status = error.args[0]
                said = {"error": {"code": status, "message": "refused", "status": "REFUSED"}}
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    server(Google(Path(sys.argv[1])), int(sys.argv[2])).serve_forever()
