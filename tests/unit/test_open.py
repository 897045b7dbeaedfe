import asyncio
import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from fleet.browse import Name, Page, RenewedToken, page_of
from fleet.cli import app
from fleet.local_proxy import LocalProxy, Upstream
from fleet.stack import StackError
from lab import pki
from render.prometheus.auth_proxies import BROWSE, READ
from tests.http_server import POLL, Handler, HttpServer
from tests.unit.builders import EVERYTHING, HUB, fleet

HOST = "hub.example"
TOKEN = "issued-for-minutes"


class Pages(Handler):
    """An auth proxy's pages; they tell what they were asked."""

    asked: list[tuple[str, str, dict[str, str], bytes]]
    go_on: Event

    def do_GET(self):
        self.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, self.body()))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", f"https://{HOST}/query?g0.expr=up")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Set-Cookie", "grafana_session=g; Path=/")
        self.end_headers()
        self.wfile.write(b"first\n")
        if self.path == "/live":
            self.wfile.flush()
            self.go_on.wait(30)
            self.wfile.write(b"second\n")

    do_POST = do_GET


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and key of the page's host, in one file."""
    authority = pki.authority("pages")
    pair = pki.issue(authority, "pages", hosts=[HOST])
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(pair.key + pair.certificate + authority.certificate)
    return file


@pytest.fixture
def pages(certificate) -> Iterator[HttpServer]:
    handler = type("Asked", (Pages,), {"asked": [], "go_on": Event()})
    with HttpServer(handler, tls=(certificate, certificate)) as server:
        yield server
        handler.go_on.set()


@pytest.fixture
def serve(pages, certificate):
    """Start a local proxy before the pages, by this host name and with this token."""
    proxies = []

    def serve(host=HOST, token=TOKEN):
        trust = ssl.create_default_context(cafile=str(certificate))
        proxy = LocalProxy(Upstream(f"https://127.0.0.1:{pages.server_port}", host, trust, lambda: token))
        proxies.append(proxy)
        Thread(target=proxy.serve_forever, args=[POLL], daemon=True).start()
        return proxy

    yield serve
    for proxy in proxies:
        proxy.shutdown()
        proxy.server_close()
        proxy.upstream.client.close()


def ask(proxy, path, method="GET", body=None, **headers):
    """Ask as a browser does, unless a header says otherwise; the answer is not read yet."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=30)
    shown = {"Host": proxy.host} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, shown)
    return connection.getresponse()


def let_in(proxy):
    """Open the address that was printed, and give the cookie."""
    answer = ask(proxy, urlsplit(proxy.url).path)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    return answer.headers["Set-Cookie"].partition(";")[0]


class TestLocalProxy:
    def test_shows_the_page_with_the_token(self, serve, pages):
        """
        The browser has none, and sees none.
        """
        proxy = serve()

        answer = ask(proxy, "/api/v1/query?query=up", Cookie=let_in(proxy))

        [(method, path, headers, _)] = pages.RequestHandlerClass.asked
        assert (answer.status, answer.read()) == (200, b"first\n")
        assert (method, path, headers["authorization"]) == ("GET", "/api/v1/query?query=up", f"Bearer {TOKEN}")
        assert TOKEN not in str(answer.headers)

    def test_is_on_loopback_only(self, serve):
        """
        No other machine reaches it.
        """
        assert serve().server_address[0] == "127.0.0.1"

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
    def test_answers_no_other_name(self, serve, pages, host):
        """
        Who leads a name of theirs to 127.0.0.1 (DNS rebinding) gets nothing, with the cookie neither.
        """
        proxy = serve()

        answer = ask(proxy, "/", Host=f"{host}:{proxy.server_port}", Cookie=let_in(proxy))

        assert answer.status == 421
        assert pages.RequestHandlerClass.asked == []

    def test_needs_the_cookie(self, serve, pages):
        """
        Another user of this machine who finds the port sees nothing.
        """
        proxy = serve()
        let_in(proxy)

        assert ask(proxy, "/").status == 403
        assert ask(proxy, "/", Cookie="fleet-session=guessed").status == 403
        assert pages.RequestHandlerClass.asked == []

    def test_lets_one_browser_in(self, serve):
        """
        The address stands in the list of processes, where others can read it.
        """
        proxy = serve()
        path = urlsplit(proxy.url).path
        let_in(proxy)

        assert ask(proxy, path).status == 403
        assert ask(proxy, "/-/fleet/None").status == 403

    def test_the_cookie_is_the_page_s_alone(self, serve):
        """
        No script reads it, and no other site makes the browser send it.
        """
        proxy = serve()

        cookie = ask(proxy, urlsplit(proxy.url).path).headers["Set-Cookie"]

        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_serves_no_page_of_others(self, serve, site):
        """
        Also not one that this machine serves at another port.
        """
        proxy = serve()

        assert ask(proxy, "/", Cookie=let_in(proxy), Sec_Fetch_Site=site).status == 403

    def test_passes_what_is_the_page_s(self, serve, pages):
        """
        Its cookies and its body; neither ours nor a credential that the browser has.
        """
        proxy = serve()
        cookie = f"{let_in(proxy)}; grafana_session=g"

        answer = ask(proxy, "/login", "POST", b"user=a", Cookie=cookie, Authorization="Basic YTpi")

        [(method, _, headers, body)] = pages.RequestHandlerClass.asked
        assert (method, body, headers["cookie"]) == ("POST", b"user=a", "grafana_session=g")
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert answer.headers["Set-Cookie"] == "grafana_session=g; Path=/"

    def test_without_a_token(self, serve, pages):
        """
        Grafana has a login of its own.
        """
        proxy = serve(token=None)

        ask(proxy, "/", Cookie=let_in(proxy), Authorization="Basic YTpi").read()

        [(_, _, headers, _)] = pages.RequestHandlerClass.asked
        assert "authorization" not in headers

    def test_keeps_the_browser_here(self, serve):
        """
        Where the page's server sends it to the address by which it is known.
        """
        proxy = serve()

        assert ask(proxy, "/moved", Cookie=let_in(proxy)).headers["Location"] == "/query?g0.expr=up"

    def test_waits_for_news(self, serve, pages):
        """
        What comes is shown before the rest does.
        """
        proxy = serve()

        answer = ask(proxy, "/live", Cookie=let_in(proxy))

        assert answer.readline() == b"first\n"
        pages.RequestHandlerClass.go_on.set()
        assert answer.readline() == b"second\n"

    def test_verifies_whom_it_shows_the_token(self, serve, pages):
        """
        A server with another's certificate is shown none.
        """
        proxy = serve(host="other.example")

        answer = ask(proxy, "/", Cookie=let_in(proxy))

        assert answer.status == 502
        assert b"certificate verify failed" in answer.read()
        assert pages.RequestHandlerClass.asked == []

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Content_Length": str(9 << 20)}, 413),
            ({"Content_Length": "-1"}, 411),
            ({"Transfer_Encoding": "chunked"}, 411),
        ],
        ids=["large", "negative", "chunked"],
    )
    def test_takes_bodies_of_a_known_size(self, serve, headers, status):
        """
        It holds each in memory.
        """
        proxy = serve()

        assert ask(proxy, "/", "POST", Cookie=let_in(proxy), **headers).status == status

    def test_says_nothing(self, serve, capfd):
        """
        Neither what is asked for nor the token stands on a terminal or in a log.
        """
        proxy = serve()

        ask(proxy, "/api/v1/query?query=secret", Cookie=let_in(proxy)).read()
        with socket.create_connection(("127.0.0.1", proxy.server_port), timeout=30) as wrong:
            wrong.sendall(b"GET /secret HTTP/9.9\r\n\r\n")
            while wrong.recv(4096):
                pass

        assert capfd.readouterr() == ("", "")


class TestRenewedToken:
    def test_is_the_account_s_for_minutes(self):
        """
        It is asked for by whoever runs the command.
        """
        asked = []

        class Answer:
            async def __aenter__(self):
                return self

            async def __aexit__(self, *_):
                pass

            def json(self):
                return {"spec": {"expirationSeconds": 600}, "status": {"token": TOKEN}}

        class Api:
            def call_api(self, method, **request):
                asked.append((method, request))
                return Answer()

        token = asyncio.new_event_loop().run_until_complete(RenewedToken.issued(Api(), "promfleet", "viewer"))

        [(method, request)] = asked
        assert token.value == TOKEN
        assert (method, request["url"], request["namespace"]) == ("POST", "serviceaccounts/viewer/token", "promfleet")
        assert request["json"]["spec"] == {"expirationSeconds": 600}


class TestPages:
    def test_are_found(self):
        """
        Each by the account that sees it and no other.
        """
        described = fleet(**EVERYTHING)

        assert {name: page_of(described, name)[1] for name in Name} == {
            Name.PROMETHEUS: Page("prometheus-hub", 8447, "viewer"),
            Name.QUERY: Page("thanos-query", 8447, "viewer"),
            Name.ALERTMANAGER: Page("alertmanager", 8444, "alertmanager-operator"),
            Name.GRAFANA: Page("grafana", 3000, None),
        }

    @pytest.mark.parametrize("name", [Name.ALERTMANAGER, Name.QUERY, Name.GRAFANA])
    def test_that_there_are_not_are_refused(self, name):
        """
        By the section that would make them.
        """
        with pytest.raises(StackError, match="this stack has no section"):
            page_of(fleet(hub=HUB), name)

    def test_of_an_agent_s_stack_are_refused(self, tmp_path, monkeypatch):
        """
        It says which stack to name.
        """
        monkeypatch.chdir(tmp_path)
        (tmp_path / "Pulumi.eu1.yaml").write_text(
            "config: {promfleet:fleet: {clusters: {eu1: {context: a}}, agents: {eu1: {hub: {stack: o/p/hub}}}}}\n"
        )

        result = CliRunner().invoke(app, ["open", "prometheus", "--stack", "eu1"])

        assert result.exit_code == 2
        assert "this stack has no Prometheus server; name the stack of the hub with --stack" in result.stderr

    def test_of_a_watcher_are_on_its_machine(self):
        """
        It says how to open them there.
        """
        described = fleet(clusters={"eu1": {"context": "a"}}, watcher={"clusters": ["eu1"]})

        with pytest.raises(StackError, match="ssh -L 9090:"):
            page_of(described, Name.PROMETHEUS)

    def test_that_can_t_be_reached_are_no_traceback(self, tmp_path, monkeypatch):
        """
        A kubeconfig that does not know the context, for one.
        """
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
        hub = "hub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}}"
        (tmp_path / "Pulumi.hub.yaml").write_text(
            f"config: {{promfleet:fleet: {{clusters: {{hub: {{context: gke_hub}}}}, {hub}}}}}\n"
        )

        result = CliRunner().invoke(app, ["open", "prometheus", "--no-browser"])

        assert result.exit_code == 3
        assert result.stderr.startswith("fleet open: cluster hub, context gke_hub, refuses this: ")

    def test_pages_are_not_a_reader_s(self):
        """
        Grafana and Receive ask; people look at more.
        """
        pages = {"/", "/-/ready", "/targets", "/config", "/api/v1/status/config", "/api/v1/targets"}

        assert pages <= {*BROWSE.paths}
        assert not pages & {*READ.paths}
        assert not [path for path in BROWSE.paths if re.search("admin|write|/-/(?!ready$)", path)]
