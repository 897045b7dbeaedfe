"""
A page behind an auth proxy, shown to one browser on this machine.

Other users of the machine, and pages of other sites in the same browser, reach its port too. So it listens on loopback
only, under a host name that nobody else knows (which also keeps out whoever leads a name of theirs to 127.0.0.1), and
answers a cookie that the browser gets once, by an address that works once.
"""

import secrets
import ssl
from collections.abc import Callable, Mapping
from email.message import Message
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import cast
from urllib.parse import urlsplit

import httpx

LOOPBACK = "127.0.0.1"
_TICKET = "/-/fleet/"
"""Begins the one path that gives the cookie; none of the pages has such a path."""
_COOKIE = "fleet-session"
_LARGEST = 8 << 20
"""Bytes of a request's body; a long query and a large dashboard are far below it."""
_OWN_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
"""Headers that are of one connection and no other (RFC 9110, 7.6.1)."""
_SAME_PAGE = {None, "same-origin", "none"}
"""What browsers say in Sec-Fetch-Site of requests of the page itself, and of an address that was typed."""


class Upstream:
    """A page's server. `base` is where it is reached, `host` the name in its certificate."""

    def __init__(self, base: str, host: str, trust: ssl.SSLContext, token: Callable[[], str | None]) -> None:
        self.host = host
        self.token = token
        # Nothing is followed, decoded or given up here: all of it is the browser's.
        self.client = httpx.Client(base_url=base, verify=trust, timeout=httpx.Timeout(30, read=None), trust_env=False)

    def send(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> httpx.Response:
        """Ask for a path with the token; raises `httpx.HTTPError`. The answer is a stream, and must be closed."""
        token = self.token()
        shown = [*headers, ("Authorization", f"Bearer {token}")] if token else headers
        request = self.client.build_request(
            method, path, headers=shown, content=body or None, extensions={"sni_hostname": self.host}
        )
        return self.client.send(request, stream=True)


class LocalProxy(ThreadingHTTPServer):
    """Serves one page until it is shut down."""

    daemon_threads = True  # a page that waits for news does not hold up the end

    def __init__(self, upstream: Upstream, start: str = "/") -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.upstream = upstream
        self.start = start
        self.host = f"{secrets.token_hex(8)}.localhost:{self.server_port}"  # browsers lead it here (RFC 6761)
        self.session = secrets.token_urlsafe(32)
        self._ticket: str | None = secrets.token_urlsafe(32)
        self._lock = Lock()

    @property
    def url(self) -> str:
        """The address that lets one browser in."""
        return f"http://{self.host}{_TICKET}{self._ticket}"

    def admits(self, path: str) -> bool:
        """Whether a path is that address; it is so once."""
        with self._lock:
            if self._ticket is None or not compare_digest(path.encode(), f"{_TICKET}{self._ticket}".encode()):
                return False
            self._ticket = None
            return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def proxy(self) -> LocalProxy:
        """The server, by its own type."""
        return cast("LocalProxy", self.server)

    def _answer(self) -> None:
        self.close_connection = True  # so that an answer of unknown length has an end
        if self.headers.get("Host") != self.proxy.host:
            return self._refuse(421, "Nothing is served under this name.")
        if self.headers.get("Sec-Fetch-Site") not in _SAME_PAGE:
            return self._refuse(403, "Nothing is served to pages of others.")
        if self.command == "GET" and self.proxy.admits(self.path):
            return self._let_in()
        if not self._has_session():
            return self._refuse(403, "This address works once, and for one browser. Run fleet open again.")
        if "Transfer-Encoding" in self.headers or not (self.headers.get("Content-Length") or "0").isdigit():
            return self._refuse(411, "A body needs a length.")
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST:
            return self._refuse(413, f"A body has {_LARGEST} bytes at most.")
        return self._pass(self.rfile.read(length))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 — names of the base class

    def _let_in(self) -> None:
        self.send_response(303)
        self.send_header("Set-Cookie", f"{_COOKIE}={self.proxy.session}; Path=/; HttpOnly; SameSite=Strict")
        self.send_header("Location", self.proxy.start)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _has_session(self) -> bool:
        shown = _cookies(self.headers).get(_COOKIE, "")
        return compare_digest(shown.encode(), self.proxy.session.encode())

    def _pass(self, body: bytes) -> None:
        try:
            response = self.proxy.upstream.send(self.command, self.path, _forwarded(self.headers), body)
        except httpx.HTTPError as error:
            return self._refuse(502, f"The page's server does not answer: {error}")
        try:
            self.send_response(response.status_code)
            for name, value in response.headers.multi_items():
                if name not in _OWN_CONNECTION:
                    self.send_header(name, _relative(value) if name == "location" else value)
            self.end_headers()
            for chunk in response.iter_raw():
                self.wfile.write(chunk)
        except (OSError, httpx.HTTPError):
            pass  # one of both ends has gone; the other is told by the end of its connection
        finally:
            response.close()
        return None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it so
        """Say nothing: what is asked for is nobody else's."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Leave date and server to whose answer it is."""
        self.send_response_only(code, message)
        self.send_header("Connection", "close")


def _cookies(headers: Message) -> Mapping[str, str]:
    pairs = (pair.strip().partition("=") for line in headers.get_all("Cookie", []) for pair in line.split(";"))
    return {name: value for name, _, value in pairs}


def _forwarded(headers: Message) -> list[tuple[str, str]]:
    """Give what the page's server is told: the page's own cookies, and no credential that a browser may add."""
    dropped = {*_OWN_CONNECTION, "authorization", "content-length", "cookie"}
    own = "; ".join(f"{name}={value}" for name, value in _cookies(headers).items() if name != _COOKIE)
    return [
        *((name, value) for name, value in headers.items() if name.lower() not in dropped),
        *([("Cookie", own)] if own else []),
    ]


def _relative(location: str) -> str:
    """Keep the browser here, whatever address the page's server believes to have."""
    parts = urlsplit(location)
    return parts._replace(scheme="", netloc="").geturl() or "/"
