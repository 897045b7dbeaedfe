"""
The auth proxy of the lab's object store: lets a request through if its service account has the right on the bucket.

Run as `python -m lab.gcp.objectstore_proxy STATE`; the argument only names whose it is. Bodies are held in memory.
"""

import http.client
import json
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ..connect import authority_file
from . import cloud
from .metadata import Server
from .objectstore import ADDRESS, BEHIND, PORT, TIMEOUT

HEALTH = "/_internal/healthcheck"
SESSION = "/upload/resumable/"
OBJECT = re.compile(r"(?:/download)?/storage/v1/b/(?P<bucket>[^/]+)/o/.+")
OBJECTS = re.compile(r"/storage/v1/b/(?P<bucket>[^/]+)/o/?")
UPLOAD = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o/?")
CONTENT = re.compile(r"/(?!storage/v1/|upload/|download/|batch/|_internal/)(?P<bucket>[^/]+)/.+")
VERBS = {"GET": "get", "HEAD": "get", "DELETE": "delete", "PUT": "update", "PATCH": "update", "POST": "create"}
_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding", "date", "server"}


def needed(method: str, path: str) -> tuple[str, str]:
    """Give the bucket and the permission on its objects that a request asks for; without bucket, only operators may."""
    place = path.partition("?")[0]
    for pattern, verbs in ((OBJECT, VERBS), (OBJECTS, {"GET": "list"}), (UPLOAD, dict.fromkeys(VERBS, "create"))):
        if found := pattern.fullmatch(place):
            return unquote(found["bucket"]), verbs.get(method, "")
    found = CONTENT.fullmatch(place)
    return (unquote(found["bucket"]), "get") if found and VERBS.get(method) == "get" else ("", "")


def refusal(
    records: cloud.Records, email: str, method: str, path: str, exists: Callable[[str, str], bool]
) -> tuple[HTTPStatus, str] | None:
    """
    Say why a request may not pass, as Google Cloud would; None if it may.

    `exists` tells whether a bucket has an object: who writes over one deletes it, and needs the right to.
    """
    if email == cloud.OPERATOR or path == HEALTH:
        return None
    if not email:
        return HTTPStatus.UNAUTHORIZED, "Anonymous caller does not have access."
    if path.startswith(SESSION):  # who has an upload's number was let in when it began
        return None
    bucket, permission = needed(method, path)
    permissions = cloud.permissions(records, email, bucket)
    if permission == "create" and permission in permissions and "delete" not in permissions:
        written = parse_qs(urlsplit(path).query).get("name", [""])[0]
        permission = "delete" if written and exists(bucket, written) else permission
    if permission in permissions:
        return None
    asked = f"storage.objects.{permission}" if permission else f"{method} {path}"
    return HTTPStatus.FORBIDDEN, f"{email} does not have {asked} access to the bucket {bucket or 'that it names'}."


def _exists(bucket: str, name: str) -> bool:
    connection = http.client.HTTPConnection(*BEHIND, timeout=TIMEOUT)
    try:
        connection.request("GET", f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}")
        return connection.getresponse().status == HTTPStatus.OK
    finally:
        connection.close()


class AuthorizingProxy(BaseHTTPRequestHandler):
    """Passes requests on, or refuses them."""

    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self._body()  # read it in any case, or the next request on this connection begins in its midst
        email = cloud.holder(self.headers.get("Authorization"))
        try:
            if refused := refusal(cloud.records(), email, self.command, self.path, _exists):
                self._refuse(*refused)
            else:
                self._forward(body)
        except (OSError, http.client.HTTPException) as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self.log_error("%s %s: %s", self.command, self.path, reason)
        text = json.dumps({"error": {"code": status, "message": reason}})
        self._answer(status, {"Content-Type": "application/json"}, text.encode())

    def _forward(self, body: bytes | None) -> None:
        connection = http.client.HTTPConnection(*BEHIND, timeout=TIMEOUT)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self._answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = self.headers.get("Content-Length")
            return self.rfile.read(int(length)) if length else None
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            """Trailers are not passed on."""
        return b"".join(pieces)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError, ssl.SSLError):
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well."""


class TlsServer(Server):
    """Shakes hands in the thread of each connection, so that no client holds up the others."""

    def finish_request(self, request, client_address) -> None:
        request.settimeout(TIMEOUT * 4)
        with suppress(OSError):
            request.do_handshake()
            super().finish_request(request, client_address)


def main() -> None:
    folder = authority_file().parent
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "objectstore.crt", folder / "objectstore.key")
    server = TlsServer((ADDRESS, PORT), AuthorizingProxy)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
