"""Tokens of people: what they ask the API server for, and what they are told where it issues none."""

import json
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from fleet import client
from fleet.cli import app
from fleet.client import open_prometheus
from fleet.exits import Exit
from fleet.stack import StackError
from lab import pki
from tests.http_server import Handler, HttpServer

TOKEN = "issued-to-a-person"
HOST = "hub.example"
MAXIMUM = 86400
"""Seconds; what lasts longer this API server issues for so long."""
FILE = """
config:
  promfleet:fleet:
    clusters: {hub: {context: gke_hub}}
    namespace: monitoring
    hub: {cluster: hub, expose: {host: hub.example, tls: {secret: hub-tls}}}
"""
ALERTMANAGER = "    alertmanager: {receivers: {nobody-yet: {}}, default: nobody-yet}\n"
STACK = {
    "prometheus": {
        "context": "gke_hub",
        "kubeconfig": "",
        "namespace": "monitoring",
        "service": "prometheus-hub",
        "readUrl": f"https://{HOST}:8444",
        "ca": "",
        "caConfigMap": "",
    }
}
"""Outputs."""
FORBIDDEN = 'serviceaccounts "reader" is forbidden: User "ines" cannot create resource "serviceaccounts/token"'
RIGHT = (
    "You need the right to `create` `serviceaccounts/token` of the ServiceAccount reader in the namespace monitoring"
)
REFUSALS = [
    (403, f"{FORBIDDEN}. {RIGHT}"),
    (404, "the namespace monitoring has no ServiceAccount reader; run `pulumi up` for this stack first"),
    (422, "may not specify a duration larger than 2^32 seconds"),
]
"""Status of the API server's answer, and what is said of it."""
MESSAGES = {403: FORBIDDEN, 404: 'serviceaccounts "reader" not found', 422: REFUSALS[2][1]}


class ApiServer(HttpServer):
    """Issues tokens as Kubernetes does, or refuses."""

    def __init__(self) -> None:
        self.refuses: int | None = None
        """Status of its answers, if it issues nothing."""
        self.requested: list[tuple[str, dict[str, Any]]] = []
        """Path and `spec` of each request."""
        api_server = self

        class Answering(Handler):
            def do_GET(self) -> None:
                self.answer_json({"major": "1", "minor": "36", "gitVersion": "v1.36.3"})

            def do_POST(self) -> None:
                request = json.loads(self.body())
                api_server.requested.append((self.path, request["spec"]))
                if refused := api_server.refuses:
                    self.answer_json({"kind": "Status", "code": refused, "message": MESSAGES[refused]}, refused)
                    return
                seconds = min(MAXIMUM, request["spec"]["expirationSeconds"])
                issued = {**request, "spec": {"expirationSeconds": seconds}, "status": {"token": TOKEN}}
                self.answer_json(issued, 201)

        super().__init__(Answering)


@pytest.fixture
def api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """That of the hub's cluster, in the kubeconfig of the user, who is in the folder of its stack file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    Path("Pulumi.hub.yaml").write_text(FILE + ALERTMANAGER)
    with ApiServer() as server:
        write_kubeconfig(server.server_port)
        yield server


def write_kubeconfig(port: int) -> None:
    document = {
        "contexts": [{"name": "gke_hub", "context": {"cluster": "c", "user": "ines"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "ines", "user": {"token": "of-ines"}}],
    }
    Path("kubeconfig").write_text(yaml.safe_dump(document))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["token", *arguments])


class TestCommand:
    @pytest.mark.parametrize(("who", "account"), [("reader", "reader"), ("operator", "alertmanager-operator")])
    def test_prints_the_token_alone(self, api_server: ApiServer, who: str, account: str) -> None:
        """
        Of the account that is named, for an hour.
        """
        result = run(who)

        assert (result.exit_code, result.stdout, result.stderr) == (0, f"{TOKEN}\n", "")
        path = f"/api/v1/namespaces/monitoring/serviceaccounts/{account}/token"
        assert api_server.requested == [(path, {"expirationSeconds": 3600})]

    def test_lasts_as_long_as_one_says(self, api_server: ApiServer) -> None:
        """
        In Prometheus' words.
        """
        assert run("reader", "--lifetime", "10m").exit_code == 0

        assert [spec for _, spec in api_server.requested] == [{"expirationSeconds": 600}]

    def test_that_ends_sooner_is_told(self, api_server: ApiServer) -> None:
        """
        Beside the token, so that nobody learns it from a 401.
        """
        result = run("reader", "--lifetime", "30d")

        assert (result.exit_code, result.stdout) == (0, f"{TOKEN}\n")
        assert result.stderr == "fleet token: the cluster issues it for 1d only\n"

    @pytest.mark.parametrize("lifetime", ["9m", "599s", "1", "soon", ""])
    def test_a_lifetime_that_no_api_server_issues_is_refused(self, api_server: ApiServer, lifetime: str) -> None:
        """
        Before any is asked.
        """
        result = run("reader", "--lifetime", lifetime)

        assert result.exit_code == Exit.USAGE
        assert "is not a duration of at least 10m" in result.stderr
        assert api_server.requested == []

    @pytest.mark.parametrize(("status", "said"), REFUSALS, ids=["no right", "no account", "too long"])
    def test_says_why_there_is_none(self, api_server: ApiServer, status: int, said: str) -> None:
        """
        And which right is missing, or what is to be run.
        """
        api_server.refuses = status

        result = run("reader")

        assert (result.exit_code, result.stdout) == (Exit.FAILED, "")
        assert result.stderr == f"fleet token: cluster hub, context gke_hub, issues none: {said}\n"

    def test_a_cluster_that_can_t_be_reached_is_no_traceback(self, api_server: ApiServer) -> None:
        """
        It names the context of the kubeconfig.
        """
        write_kubeconfig(1)

        result = run("reader")

        assert (result.exit_code, result.stdout) == (Exit.FAILED, "")
        assert result.stderr.startswith("fleet token: cluster hub, context gke_hub, issues none: All connection")

    @pytest.mark.parametrize(
        ("who", "fleet", "said"),
        [
            ("operator", "hub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}}", "no section alertmanager"),
            ("reader", "agents: {hub: {hub: {stack: o/p/hub}}}", "name the stack of the hub with --stack"),
            ("reader", "watcher: {clusters: [hub]}", "on the machine of its watcher"),
        ],
        ids=["no Alertmanager", "an agent", "a watcher"],
    )
    def test_of_whom_a_stack_does_not_have_is_refused(
        self, api_server: ApiServer, who: str, fleet: str, said: str
    ) -> None:
        """
        Before anything is asked.
        """
        clusters = "clusters: {hub: {context: gke_hub}}"
        Path("Pulumi.hub.yaml").write_text(f"config: {{promfleet:fleet: {{{clusters}, {fleet}}}}}\n")

        result = run(who)

        assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
        assert said in result.stderr
        assert api_server.requested == []

    def test_of_a_wrong_file_is_refused(self, api_server: ApiServer) -> None:
        """
        As by every command.
        """
        Path("Pulumi.hub.yaml").write_text(FILE.replace("cluster: hub", "cluster: huv"))

        assert run("reader").exit_code == Exit.FINDINGS


class TestClient:
    @pytest.mark.parametrize(("status", "said"), REFUSALS, ids=["no right", "no account", "too long"])
    def test_says_why_it_has_no_token(self, api_server: ApiServer, status: int, said: str) -> None:
        """
        `fleet status` and `fleet snapshot` need the same right.
        """
        api_server.refuses = status

        with pytest.raises(StackError) as refused, open_prometheus(STACK):
            pass

        assert str(refused.value) == f"no access to the server in context gke_hub: {said}"

    def test_shows_a_reader_s_token(
        self, api_server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        To the auth proxy that has the certificate of the host.
        """
        shown = []

        class ReadProxy(Handler):
            def do_GET(self) -> None:
                shown.append((self.path.partition("?")[0], self.headers["Host"], self.headers["Authorization"]))
                self.answer_json({"data": {"result": []}})

        authority = pki.authority("hub")
        pair = pki.issue(authority, "hub", hosts=[HOST])
        pair.write(tmp_path, "tls")
        proxy = HttpServer(ReadProxy, tls=(tmp_path / "tls.crt", tmp_path / "tls.key"))

        @contextmanager
        def portforward(remote_port: int, local_port: int) -> Generator[int]:
            assert remote_port == 8444
            socket.create_server(("127.0.0.1", local_port)).close()
            yield proxy.server_port

        service = SimpleNamespace(spec=SimpleNamespace(ports=[{"name": "read", "port": 8444}]), portforward=portforward)
        monkeypatch.setattr(client.Service, "get", lambda name, namespace, api: service)
        stack = {"prometheus": {**STACK["prometheus"], "ca": authority.certificate.decode()}}

        with proxy, open_prometheus(stack, 7200) as hub:
            hub.query("up")

        [(path, spec)] = api_server.requested
        assert path == "/api/v1/namespaces/monitoring/serviceaccounts/reader/token"
        assert spec == {"expirationSeconds": 7200}
        assert shown == [("/api/v1/query", f"{HOST}:8444", f"Bearer {TOKEN}")]
