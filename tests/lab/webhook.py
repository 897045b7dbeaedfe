"""A webhook receiver on the wire between the lab's clusters, which remembers what Alertmanager told it."""

import http.server
import json
import threading
import time
from typing import Any, NamedTuple


class Notification(NamedTuple):
    """One POST of Alertmanager."""

    at: float
    """Seconds since the epoch."""
    path: str
    status: str
    """`firing` or `resolved`."""
    alerts: list[dict[str, Any]]
    """Each with `status`, `labels` and `annotations`."""

    def about(self, **labels: str) -> bool:
        """Whether one of its alerts has these labels."""
        return any(labels.items() <= alert["labels"].items() for alert in self.alerts)


class Webhook(http.server.ThreadingHTTPServer):
    """Answers 200 to every POST; `received` is in the order of arrival."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        self.received: list[Notification] = []
        received = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                received.append(Notification(time.time(), self.path, told["status"], told["alerts"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it so
                """Say nothing."""

        super().__init__((address, 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/{path}"

    def told(self, status: str, **labels: str) -> list[Notification]:
        """The notifications of this status about alerts with these labels."""
        return [n for n in self.received if n.status == status and n.about(**labels)]
