"""HTTP servers on this machine, each in a thread of the test that makes it."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

POLL = 0.01
"""Seconds within which a server ends that is told to; a test waits for it."""
EXPOSITION = "text/plain; version=0.0.4"


class Handler(BaseHTTPRequestHandler):
    """Answers requests, and logs none."""

    def answer(self, status: int = 200, body: bytes = b"", content_type: str = "application/json") -> None:
        """Send a whole response."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, content: Any, status: int = 200) -> None:
        """Send a document."""
        self.answer(status, json.dumps(content).encode())

    def body(self) -> bytes:
        """The body of the request, which may be read once."""
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it so
        """Say nothing."""


class HttpServer(ThreadingHTTPServer):
    """Answers from when it is made until its `with` block ends, or `server_close`."""

    daemon_threads = True

    def __init__(
        self, handler: type[Handler], address: str = "127.0.0.1", tls: tuple[Path, Path] | None = None
    ) -> None:
        """Listen on a free port of an address, over TLS with the files of a certificate and its key."""
        super().__init__((address, 0), handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=[POLL], daemon=True).start()

    @property
    def host(self) -> str:
        """Address and port."""
        return f"{self.server_address[0]!s}:{self.server_port}"

    def server_close(self) -> None:
        self.shutdown()
        super().server_close()
