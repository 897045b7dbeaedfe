"""Who may write: Envoy itself, with the arguments and files of rendered stacks."""

import json
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from render.prometheus.auth_proxies import WRITE
from render.thanos.authenticated import WRITE as RECEIVE
from render.thanos.names import ROUTER
from render.tokens import AUDIENCE as INTERNAL
from render.write_proxy import CONNECTIONS, LARGEST, LARGEST_HEADERS, MEMORY, write_proxy_files
from render.writers import write_proxy
from settings import Fleet
from settings.issuer import LARGEST_SET
from tests.unit.builders import EVERYTHING
from tests.unit.builders import HUB as HUB_ALONE
from tests.unit.conftest import Engine

from .alertmanager import until
from .deployed import deployed
from .envoy import AGENT, HOUR, Cluster, KeyServer, Running, certificates, command, container_and_files, running

pytestmark = pytest.mark.render
HUB, EU1, NEXT, US1 = Cluster("hub"), Cluster("eu1"), Cluster("next"), Cluster("us1", elliptic=True)
"""Three clusters of the same issuer, as kubeadm makes them, and the key that one of them will have."""
LEGACY = {"iss": "kubernetes/serviceaccount", "aud": None, "exp": None}
ELSEWHERE = {"iss": "https://us1.example"}
"""Who says that it signed tokens whose keys are at a URL."""
SECRET = "kubernetes.io/serviceaccount/secret.name"


def said(**clusters: Any) -> dict[str, Any]:
    """A hub, eu1 in its stack, us1 in another one; ap1 has a token still."""
    issuers = {"hub": HUB.settings(), "eu1": EU1.settings(), "us1": US1.settings()} | clusters
    return {
        "clusters": {name: {"context": name, "issuer": issuers[name]} for name in ("hub", "eu1")},
        "hub": {**HUB_ALONE, "agents": {"us1": {"issuer": issuers["us1"]}, "ap1": {"rotation": 1}}},
        "agents": {"eu1": {}},
    }


def files(**clusters: Any) -> dict[str, str]:
    """Envoy's files for such a stack."""
    described = write_proxy(Fleet.model_validate(said(**clusters)), WRITE)
    assert described
    return write_proxy_files(described)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return deployed(said(), tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def hub(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Only asked, never changed."""
    folder = tmp_path_factory.mktemp("e")
    certificates(folder)
    with running(engine, folder, "prometheus-hub", WRITE.paths[0]) as one:
        yield one


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> Iterator[Running]:
    """One that a test may change."""
    certificates(tmp_path)
    with running(engine, tmp_path, "prometheus-hub", WRITE.paths[0]) as one:
        yield one


def ap1(**claims: Any) -> str:
    """A token of a Secret in the hub's cluster."""
    account = {"sub": "system:serviceaccount:promfleet:writer-ap1", SECRET: "writer-ap1-token-1"}
    return HUB.token(**{**LEGACY, **account, **claims})


class TestConfiguration:
    @pytest.mark.parametrize("app", ["prometheus-hub", ROUTER])
    def test_is_accepted_by_envoy(self, app: str, tmp_path: Path) -> None:
        """
        In front of Prometheus and of Receive, with keys inline and at a URL.
        """
        stack = said(us1={"url": "https://us1.example", "jwksUri": "https://us1.example/keys"})
        if app == ROUTER:
            stack["thanos"] = EVERYTHING["thanos"]
        certificates(tmp_path)
        container, found = container_and_files(deployed(stack, tmp_path), app)
        one = Running(tmp_path, "")
        one.lay(found)

        done = subprocess.run(
            [*command(one, container), "--mode", "validate"], capture_output=True, text=True, check=False
        )

        assert (done.returncode, "OK" in done.stdout) == (0, True), done.stderr

    def test_contains_no_secret_and_no_token(self, engine: Engine) -> None:
        """
        Public keys only: whoever reads the ConfigMap can't write.
        """
        _, found = container_and_files(engine, "prometheus-hub")

        provider = json.loads(found["listeners.json"])["resources"][0]["filter_chains"][0]["filters"][0]
        [keys] = [
            json.loads(one["local_jwks"]["inline_string"])["keys"]
            for name, one in provider["typed_config"]["http_filters"][0]["typed_config"]["providers"].items()
            if name == "eu1"
        ]
        assert keys == [EU1.key]


class TestWriters:
    @pytest.mark.parametrize("token", [EU1.token(), US1.token(), ap1(), ap1(**{SECRET: "writer-ap1-token-0"})])
    def test_write(self, hub: Running, token: str) -> None:
        """
        Agents with tokens of their own clusters, though all have the same issuer, and one with a token of the hub's.
        """
        assert hub.ask(token).status_code == 204

    @pytest.mark.parametrize(
        ("token", "status"),
        [
            (EU1.token(exp=int(time.time()) - HOUR), 503),
            (EU1.token(nbf=int(time.time()) + HOUR), 503),
            (EU1.token(exp=None), 401),
            (EU1.token(exp=int(time.time()) + 2 * HOUR), 401),
            (EU1.token()[:-8] + "AAAAAAAA", 503),
            (EU1.token(iss="https://elsewhere.example"), 503),
            (NEXT.token(), 503),
            (HUB.token(), 503),
            (EU1.token(aud=["https://kubernetes.default.svc"]), 503),
            (EU1.token(aud=None), 503),
            (EU1.token(sub="system:serviceaccount:shop:default"), 503),
            (EU1.token(sub="system:serviceaccount:promfleet:writer-ap1"), 503),
            (ap1(sub="system:serviceaccount:promfleet:reader"), 503),
            (ap1(sub=AGENT), 503),
            (ap1(**{SECRET: "writer-ap1-token-2"}), 503),
            ("e30.e30.", 401),
            ("not-a-token", 401),
            (None, 401),
        ],
        ids=[
            *(
                "expired",
                "not-yet-valid",
                "never-expires",
                "expires-late",
                "forged",
                "unknown-issuer",
                "unknown-key",
                "hub-as-agent",
            ),
            *("other-audience", "no-audience", "other-account", "other-account-of-ours", "reader", "agent-as-token"),
            *("deleted-secret", "unsigned", "no-jwt", "none"),
        ],
    )
    def test_others_do_not(self, hub: Running, token: str | None, status: int) -> None:
        """
        What a change could make good, at the hub or at the agent, gets 503: an agent tries again and loses nothing.
        """
        before = len(hub.upstream.came)

        assert hub.ask(token).status_code == status
        assert len(hub.upstream.came) == before

    def test_a_second_token_does_not_help(self, hub: Running) -> None:
        """
        Two Authorization headers are one malformed one.
        """
        other = ("Authorization", f"Bearer {NEXT.token()}")

        assert hub.ask(EU1.token(), headers=[other]).status_code == 401

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/api/v1/write", 405),
            ("PUT", "/api/v1/write", 405),
            ("DELETE", "/api/v1/write", 405),
            ("POST", "/api/v1/query", 404),
            ("POST", "/api/v1/write/../query", 404),
            ("POST", "/api/v1/write/", 404),
            ("POST", "/api/v1/write%2f..%2fquery", 400),
            ("POST", "/-/quit", 404),
            ("POST", "/stats", 404),
        ],
    )
    def test_do_nothing_else(self, hub: Running, method: str, path: str, status: int) -> None:
        """
        One method of one path is there.
        """
        before = len(hub.upstream.came)

        assert hub.ask(EU1.token(), method=method, path=path).status_code == status
        assert len(hub.upstream.came) == before

    @pytest.mark.parametrize("size", [LARGEST_HEADERS * 1024 - 512, 4 * LARGEST_HEADERS * 1024])
    def test_strangers_fit_its_memory(self, own: Running, size: int) -> None:
        """
        As many as it admits, with as much as each may send before it shows a token.
        """
        before, count = own.resident, 200
        with ExitStack() as stack:
            for _ in range(count):
                connection = stack.enter_context(own.connected())
                with suppress(OSError):  # it may be refused while it sends
                    connection.sendall(b"POST /api/v1/write HTTP/1.1\r\nHost: hub\r\nX: " + b"a" * size)
            until("all are there", lambda: own.metric("envoy_http_downstream_cx_total") >= count)
            each = (own.resident - before) / count

        assert before + each * CONNECTIONS < MEMORY * 2**20

    def test_headers_that_come_slowly_come_again(self, hub: Running) -> None:
        """
        A connection that stands still for seconds costs no sample: an agent loses what is answered with 408.
        """
        with hub.connected() as connection:
            connection.sendall(b"POST /api/v1/write HTTP/1.1\r\nHost: hub\r\n")
            answer = connection.recv(1024)

        assert answer.startswith(b"HTTP/1.1 503 ")

    def test_a_body_is_limited(self, hub: Running) -> None:
        """
        By its announced length, which it must have.
        """
        announced = hub.ask(EU1.token(), content=b"x" * (LARGEST + 1))
        chunked = hub.ask(EU1.token(), content=iter([b"x"]))

        assert (announced.status_code, chunked.status_code) == (413, 411)

    def test_tokens_stay_with_envoy(self, hub: Running) -> None:
        """
        Neither Prometheus nor the log sees one, accepted or not.
        """
        shown = [EU1.token(), EU1.token(exp=int(time.time()) - HOUR), NEXT.token(), ap1()]
        statuses = [hub.ask(token).status_code for token in shown]
        statuses.append(hub.ask(None, path=f"/api/v1/write?access_token={EU1.token(iat=1)}").status_code)
        shown.append(EU1.token(iat=1))
        hub.ask(None, path="/last")

        assert statuses == [204, 503, 503, 204, 401]
        assert not [came for came in hub.upstream.came if came["Authorization"]]
        until("the log is written", lambda: "/last" in hub.said)
        assert not [token for token in shown if token.split(".")[2] in hub.said or token.split(".")[1] in hub.said]


class TestReceive:
    def test_tenants_are_proved(self, tmp_path: Path) -> None:
        """
        A writer's tenant is that of its cluster, whatever it says and asks to have dropped; the Ruler has its own.
        """
        stack = {**said(), "thanos": EVERYTHING["thanos"]}
        forged = ("THANOS-TENANT", "system:serviceaccount:promfleet:writer-us1")
        certificates(tmp_path)
        with running(deployed(stack, tmp_path), tmp_path, ROUTER, RECEIVE.paths[0]) as one:
            ruler = HUB.token(sub="system:serviceaccount:promfleet:thanos-ruler", aud=[INTERNAL])
            one.ask(EU1.token())
            one.ask(EU1.token(), headers=[forged])
            one.ask(EU1.token(), headers=[forged, ("Connection", "THANOS-TENANT")])
            one.ask(US1.token())
            one.ask(ap1())
            one.ask(ruler)
            next_key = one.ask(NEXT.token()).status_code
            wrong = [one.ask(token).status_code for token in (EU1.token(aud=[INTERNAL]), HUB.token(aud=[INTERNAL]))]
            tenants = [came.get_all("THANOS-TENANT") for came in one.upstream.came]

        accounts = ["writer-eu1", "writer-eu1", "writer-eu1", "writer-us1", "writer-ap1", "thanos-ruler"]
        assert tenants == [[f"system:serviceaccount:promfleet:{account}"] for account in accounts]
        assert (next_key, wrong) == (503, [503, 503])


class TestChanges:
    def test_a_key_is_replaced_with_and_without_overlap(self, own: Running) -> None:
        """
        No restart; until the hub knows a key, its agent is asked to try again.
        """
        before, after = EU1.token(), NEXT.token()
        assert (own.ask(before).status_code, own.ask(after).status_code) == (204, 503)

        own.lay(files(eu1=EU1.settings(NEXT)))
        own.waits_for(204, after, "the next key is known")
        assert own.ask(before).status_code == 204

        own.lay(files(eu1=NEXT.settings()))
        own.waits_for(503, before, "the former key is gone")
        assert own.ask(after).status_code == 204

    def test_an_issuer_is_taken_out(self, own: Running) -> None:
        """
        Its tokens are refused though they have not expired, and others are not.
        """
        stack = said()
        stack["hub"]["agents"].pop("us1")
        described = write_proxy(Fleet.model_validate(stack), WRITE)
        assert described
        assert own.ask(US1.token()).status_code == 204

        own.lay(write_proxy_files(described))

        own.waits_for(503, US1.token(), "us1 is refused")
        assert own.ask(EU1.token()).status_code == 204

    @pytest.mark.parametrize("broken", ["{", '{"resources": [{"@type": "type.googleapis.com/no.such.Type"}]}'])
    def test_broken_files_leave_the_former_in_force(self, own: Running, broken: str) -> None:
        """
        And a metric says that they were refused.
        """
        metric = "envoy_listener_manager_lds_update_rejected"
        failure = "envoy_listener_manager_lds_update_failure"
        before = own.metric(metric) + own.metric(failure)

        own.lay({"listeners.json": broken})

        until("it is refused", lambda: own.metric(metric) + own.metric(failure) > before)
        assert own.ask(EU1.token()).status_code == 204
        assert own.ask(NEXT.token()).status_code == 503

    def test_a_certificate_is_renewed(self, own: Running) -> None:
        """
        New connections see the new one.
        """
        before, renewed = _certificate(own), own.folder / "renewed"
        certificates(renewed)

        for file in renewed.iterdir():
            file.rename(own.folder / file.name)

        until("the new certificate is shown", lambda: _certificate(own) != before)


class TestRates:
    def test_a_cluster_that_sends_too_much_is_asked_to_wait(self, engine: Engine, tmp_path: Path) -> None:
        """
        With 429, which agents retry; another cluster is not slowed down.
        """
        described = write_proxy(Fleet.model_validate(said()), WRITE)
        assert described
        certificates(tmp_path)
        slow = [one._replace(rate=1) if one.name == "eu1" else one for one in described.writers]
        with running(engine, tmp_path, "prometheus-hub", WRITE.paths[0]) as one:
            one.lay(write_proxy_files(described._replace(writers=slow)))
            token = EU1.token()
            one.waits_for(429, token, "eu1 has sent enough")

            assert one.ask(US1.token()).status_code == 204


class TestMemory:
    def test_agents_wait_and_probes_do_not_fail_while_there_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        It refuses requests before the kernel ends it, and is not restarted for that.
        """
        monkeypatch.setattr("render.write_proxy.MEMORY", 1)
        certificates(tmp_path)
        with running(deployed(said(), tmp_path), tmp_path, "prometheus-hub", WRITE.paths[0]) as one:
            one.waits_for(503, EU1.token(), "agents wait")

            assert one.metric("envoy_overload_envoy_overload_actions_stop_accepting_requests_active") == 1


class TestKeysAtAUrl:
    @pytest.mark.parametrize(
        "bad",
        [None, b"<html>", b'{"keys": []}', json.dumps({"keys": [US1.key]}).encode() + b" " * LARGEST_SET],
        ids=["hangs", "lies", "forgets", "never ends"],
    )
    def test_nothing_is_lost_while_they_are_away(self, engine: Engine, tmp_path: Path, bad: bytes | None) -> None:
        """
        Agents are asked to try again, others write, and once the keys are there so does everybody.
        """
        certificates(tmp_path)
        server = KeyServer(tmp_path)
        server.answer = bad
        us1 = {"url": ELSEWHERE["iss"], "jwksUri": server.url}
        token = US1.token(**ELSEWHERE)
        with running(engine, tmp_path, "prometheus-hub", WRITE.paths[0]) as one:
            one.lay(files(us1=us1))
            until("keys are asked for", lambda: server.asked > 0)
            one.waits_for(503, token, "us1 waits")
            assert one.ask(EU1.token()).status_code == 204

            server.answer = json.dumps({"keys": [US1.key]}).encode()
            server.ends.set()

            one.waits_for(204, token, "us1 writes")
            server.answer = bad
            assert one.ask(token).status_code == 204
        server.server_close()


def _certificate(one: Running) -> str:
    return ssl.get_server_certificate(("127.0.0.1", one.port))
