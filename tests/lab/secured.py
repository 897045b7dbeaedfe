"""Somebody's exporter outside of all clusters, on the wire between them, which asks for a password."""

import base64
import http.server
import threading

USER = "scraper"
ANSWER = b'people_total{cluster="elsewhere"} 1\n'


class Secured(http.server.ThreadingHTTPServer):
    """Answers with one series, which says that it was of another cluster, and with 401 without the password of now."""

    daemon_threads = True

    def __init__(self, address: str, password: str) -> None:
        self.password = password
        secured = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = base64.b64encode(f"{USER}:{secured.password}".encode()).decode()
                self.send_response(200 if self.headers["Authorization"] == f"Basic {said}" else 401)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(ANSWER)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it so
                """Say nothing."""

        super().__init__((address, 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def target(self) -> str:
        """Host and port."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"
