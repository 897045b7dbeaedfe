"""
A local reverse proxy that shows a page behind an auth proxy to one browser on this machine.

Other users of the machine, and pages of other sites in the same browser, can connect to its port too. So it listens on
loopback only, under a random host name (which also prevents DNS rebinding), and requires a cookie that the browser gets
from a URL that works once.
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
"""Prefix of the path that sets the cookie; none of the pages has such a path."""
_COOKIE = "fleet-session"
_LARGEST = 8 << 20
"""Maximum size of a request's body in bytes; long queries and large dashboards are far below it."""
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
"""Hop-by-hop headers (RFC 9110, 7.6.1)."""
_SAME_PAGE = {None, "same-origin", "none"}
"""Values of Sec-Fetch-Site in requests of the page itself, and of a URL that was typed."""


class Upstream:
    """Server of a page. `base` is the forwarded port, `host` the name in its certificate."""

    def __init__(self, base: str, host: str, trust: ssl.SSLContext, token: Callable[[], str | None]) -> None:
        self.host = host
        self.token = token
        # Redirects, encodings and timeouts are left to the browser.
        self.client = httpx.Client(base_url=base, verify=trust, timeout=httpx.Timeout(30, read=None), trust_env=False)

    def send(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> httpx.Response:
        """Send a request with the token; raises `httpx.HTTPError`. The response is a stream, and must be closed."""
        token = self.token()
        shown = [*headers, ("Authorization", f"Bearer {token}")] if token else headers
        request = self.client.build_request(
            method, path, headers=shown, content=body or None, extensions={"sni_hostname": self.host}
        )
        return self.client.send(request, stream=True)


class LocalProxy(ThreadingHTTPServer):
    """Serves one page until it is shut down."""

    daemon_threads = True  # a page with an open request does not delay the end

    def __init__(self, upstream: Upstream, start: str = "/") -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.upstream = upstream
        self.start = start
        self.host = f"{secrets.token_hex(8)}.localhost:{self.server_port}"  # browsers resolve it to loopback (RFC 6761)
        self.session = secrets.token_urlsafe(32)
        self._ticket: str | None = secrets.token_urlsafe(32)
        self._lock = Lock()

    @property
    def url(self) -> str:
        """The URL that gives one browser access."""
        return f"http://{self.host}{_TICKET}{self._ticket}"

    def admits(self, path: str) -> bool:
        """Whether a path is that of the URL, which is valid once."""
        with self._lock:
            if self._ticket is None or not compare_digest(path.encode(), f"{_TICKET}{self._ticket}".encode()):
                return False
            self._ticket = None
            return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def proxy(self) -> LocalProxy:
        """The server, with its own type."""
        return cast("LocalProxy", self.server)

    def _answer(self) -> None:
        self.close_connection = True  # marks the end of a response of unknown length
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
            return self._refuse(413, f"The body is larger than {_LARGEST} bytes.")
        return self._pass(self.rfile.read(length))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

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
            pass  # one end has closed its connection; the other one is closed too
        finally:
            response.close()
        return None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it so
        """Log nothing."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send no headers Date and Server: those of the page's server are passed on."""
        self.send_response_only(code, message)
        self.send_header("Connection", "close")


def _cookies(headers: Message) -> Mapping[str, str]:
    pairs = (pair.strip().partition("=") for line in headers.get_all("Cookie", []) for pair in line.split(";"))
    return {name: value for name, _, value in pairs}


def _forwarded(headers: Message) -> list[tuple[str, str]]:
    """Headers for the page's server: with the page's own cookies, without credentials that a browser may add."""
    dropped = {*_OWN_CONNECTION, "authorization", "content-length", "cookie"}
    own = "; ".join(f"{name}={value}" for name, value in _cookies(headers).items() if name != _COOKIE)
    return [
        *((name, value) for name, value in headers.items() if name.lower() not in dropped),
        *([("Cookie", own)] if own else []),
    ]


def _relative(location: str) -> str:
    """Rewrite redirects to this host, whatever external URL the page's server has."""
    parts = urlsplit(location)
    return parts._replace(scheme="", netloc="").geturl() or "/"
