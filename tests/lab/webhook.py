"""A webhook receiver on the wire between the lab's clusters, which remembers what Alertmanager told it."""

import json
import time
from typing import Any, NamedTuple

from tests.http_server import Handler, HttpServer


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


class Webhook(HttpServer):
    """Answers 200 to every POST; `received` is in the order of arrival."""

    def __init__(self, address: str) -> None:
        self.received: list[Notification] = []
        received = self.received

        class Answering(Handler):
            def do_POST(self) -> None:
                told = json.loads(self.body())
                received.append(Notification(time.time(), self.path, told["status"], told["alerts"]))
                self.answer()

        super().__init__(Answering, address)

    def url(self, path: str) -> str:
        return f"http://{self.host}/{path}"

    def told(self, status: str, **labels: str) -> list[Notification]:
        """The notifications of this status about alerts with these labels."""
        return [n for n in self.received if n.status == status and n.about(**labels)]
