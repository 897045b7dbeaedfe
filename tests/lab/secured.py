"""Somebody's exporter outside of all clusters, on the wire between them, which asks for a password."""

import base64

from tests.http_server import EXPOSITION, Handler, HttpServer

USER = "scraper"
ANSWER = b'people_total{cluster="elsewhere"} 1\n'


class Secured(HttpServer):
    """Answers with one series, which says that it was of another cluster, and with 401 without the password of now."""

    def __init__(self, address: str, password: str) -> None:
        self.password = password
        secured = self

        class Answering(Handler):
            def do_GET(self) -> None:
                said = base64.b64encode(f"{USER}:{secured.password}".encode()).decode()
                self.answer(200 if self.headers["Authorization"] == f"Basic {said}" else 401, ANSWER, EXPOSITION)

        super().__init__(Answering, address)
