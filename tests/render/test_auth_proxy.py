"""Who gets through which auth proxy: kube-rbac-proxy itself, with the arguments, files and Roles of rendered stacks."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from lab.build import command
from render.thanos import names
from render.thanos.names import GRPC
from render.thanos.receive import hashring, router_flags
from render.tokens import AUDIENCE
from settings import Fleet
from tests.lab.processes import free_port
from tests.remote_write import sample
from tests.unit.builders import EVERYTHING
from tests.unit.builders import HUB as HUB_ALONE

from .alertmanager import PATIENCE, until
from .auth_proxy import Running, Token, running
from .deployed import deployed

pytestmark = pytest.mark.render
PLAIN = {"clusters": EVERYTHING["clusters"], "hub": HUB_ALONE, "agents": {"eu1": {}}}
"""A hub that its agents write to."""
EU1, US1, READER, GRAFANA = (Token(account) for account in ("writer-eu1", "writer-us1", "reader", "grafana"))
OPERATOR, PUSHER, CLEANER = Token("alertmanager-operator"), Token("pushgateway-pusher"), Token("pushgateway-cleaner")
HUB, RULER = Token("prometheus-hub", AUDIENCE), Token("thanos-ruler", AUDIENCE)
"""As they come to auth proxies of their own."""
HUB_AT_KUBELETS, RULER_AT_API = Token("prometheus-hub"), Token("thanos-ruler")
ROUTER, STRANGER, VIEWER = Token("thanos-receive-router"), Token("default"), Token("viewer")
TOKENS = [EU1, US1, READER, GRAFANA, OPERATOR, PUSHER, CLEANER, HUB, RULER, HUB_AT_KUBELETS]
TOKENS += [RULER_AT_API, ROUTER, STRANGER, VIEWER]
QUESTION = "/api/v1/query"


def _alike(who: set[Token], *methods: str) -> dict[str, set[Token]]:
    return dict.fromkeys(methods or ("GET", "POST"), who)


PASSES: dict[tuple[str, str], tuple[str, dict[str, set[Token]]]] = {
    ("prometheus-hub", "read"): (QUESTION, _alike({READER, ROUTER})),
    ("prometheus-hub", "browse"): ("/targets", _alike({VIEWER})),
    ("prometheus-hub", "metrics"): ("/metrics", {"GET": {HUB}}),
    ("alertmanager", "notify"): ("/api/v2/alerts", _alike({HUB, RULER})),
    ("alertmanager", "operate"): ("/api/v2/silence/1", _alike({OPERATOR}, "GET", "POST", "DELETE")),
    ("alertmanager", "read"): ("/api/v2/alerts", {"GET": {READER, OPERATOR}}),
    ("pushgateway", "push"): ("/metrics/job/a", {"POST": {PUSHER}, "PUT": {PUSHER}, "DELETE": {CLEANER}}),
    ("pushgateway", "metrics"): ("/metrics", {"GET": {HUB}}),
    ("blackbox-exporter", "probe"): ("/probe", {"GET": {HUB}}),
    ("thanos-query", "read"): (QUESTION, _alike({READER, GRAFANA, RULER_AT_API})),
    ("thanos-query", "browse"): ("/stores", _alike({VIEWER})),
    ("thanos-query", "metrics"): ("/metrics", {"GET": {HUB}}),
    ("thanos-query", "frontend"): ("/metrics", {"GET": {HUB}}),
    ("thanos-bucket-web", "browse"): ("/blocks", {"GET": {READER}}),
    ("thanos-receive-router", "write"): (
        "/api/v1/receive",
        {"POST": {EU1, US1, RULER_AT_API}},
    ),
}
"""Every auth proxy of the whole stack: a path behind it, and who comes there by which method."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("whole")
    with running(deployed(EVERYTHING, folder), TOKENS, folder) as proxies:
        yield proxies


class TestWhole:
    def test_every_proxy_is_in_the_table(self, whole: Running) -> None:
        """
        A new auth proxy has to say who comes through it.
        """
        assert whole.ports.keys() == PASSES.keys()

    def test_only_who_is_named_comes_through(self, whole: Running) -> None:
        """
        For every identity, with each of its tokens, and every method; the token that kubelets see opens nothing.
        """
        with ThreadPoolExecutor(len(PASSES)) as pool:  # an auth proxy asks the API server five times a second
            found = pool.map(lambda proxy: whole.passing(proxy, PASSES[proxy][0], TOKENS), PASSES)
            passed = dict(zip(PASSES, found, strict=True))

        assert passed == {proxy: who for proxy, (_, who) in PASSES.items()}

    @pytest.mark.parametrize("proxy", PASSES, ids="-".join)
    def test_every_request_needs_a_token(self, whole: Running, proxy: tuple[str, str]) -> None:
        """
        No path of any auth proxy is open to all.
        """
        assert whole.ask(proxy, "GET", PASSES[proxy][0], None).status_code == 401

    @pytest.mark.parametrize(
        ("proxy", "path", "who"),
        [
            (("alertmanager", "operate"), "/api/v2/alerts", OPERATOR),
            (("alertmanager", "operate"), "/-/reload", OPERATOR),
            (("pushgateway", "push"), "/metrics", PUSHER),
            (("pushgateway", "push"), "/api/v1/admin/wipe", CLEANER),
            (("prometheus-hub", "read"), "/federate", READER),
            (("prometheus-hub", "read"), "/targets", READER),
            (("prometheus-hub", "browse"), "/api/v1/write", VIEWER),
            (("prometheus-hub", "browse"), "/-/reload", VIEWER),
            (("prometheus-hub", "read"), "/api/v1/write", EU1),
            (("thanos-query", "metrics"), QUESTION, HUB),
        ],
    )
    def test_what_is_not_named_is_not_there(
        self, whole: Running, proxy: tuple[str, str], path: str, who: Token
    ) -> None:
        """
        Who silences can't raise alerts, who deletes groups can't wipe, and nobody federates.
        """
        statuses = {whole.ask(proxy, method, path, who).status_code for method in ("GET", "POST", "PUT", "DELETE")}

        assert statuses == {404}


class TestPlainHub:
    def test_agents_write_and_do_nothing_else(self, tmp_path: Path) -> None:
        """
        Without a Receive the hub has a write auth proxy, for the agents' tokens alone.
        """
        with running(deployed(PLAIN, tmp_path), TOKENS, tmp_path) as proxies:
            passed = proxies.passing(("prometheus-hub", "write"), "/api/v1/write", TOKENS)

        assert passed == {"POST": {EU1}}


@pytest.fixture(scope="module")
def receive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, int]]:
    """A router that keeps samples itself, told of the rendered hashring, behind its auth proxy; and its HTTP port."""
    folder = tmp_path_factory.mktemp("receive")
    said = Fleet.model_validate(EVERYTHING)
    grpc, http, write = free_port(), free_port(), free_port()
    ring = hashring(said, 1).replace(f"thanos-receive-0.thanos-receive.promfleet.svc:{GRPC}", "")
    (folder / "hashring.json").write_text(ring.replace('"address": ""', f'"address": "127.0.0.1:{grpc}"'))
    here = {
        "grpc-address": f"127.0.0.1:{grpc}",
        "http-address": f"127.0.0.1:{http}",
        "remote-write.address": f"127.0.0.1:{write}",
        "receive.hashrings-file": folder / "hashring.json",
        "receive.local-endpoint": f"127.0.0.1:{grpc}",
        "receive.replication-factor": 1,
        "tsdb.path": folder / "data",
    }
    assert said.thanos
    assert said.thanos.receive
    _, *flags = router_flags(said.thanos.receive)
    left = {*here, "receive.limits-config-file"}
    kept = [flag for flag in flags if flag.removeprefix("--").partition("=")[0] not in left]
    arguments = ["receive", *kept, *(f"--{flag}={value}" for flag, value in here.items())]
    with (folder / "thanos.log").open("w") as log:
        process = subprocess.Popen([str(command("thanos")), *arguments], stderr=log)
    try:
        until("Receive starts", partial(_is_ready, http))
        with running(deployed(EVERYTHING, folder), TOKENS, folder, (names.ROUTER, write)) as proxies:
            yield proxies, http
    finally:
        process.terminate()
        process.wait(PATIENCE)


class TestTenants:
    @pytest.mark.parametrize(
        ("who", "headers", "stored"),
        [
            (EU1, {}, EU1.user),
            (US1, {}, US1.user),
            (RULER_AT_API, {}, RULER.user),
            (EU1, {"THANOS-TENANT": US1.user}, EU1.user),
            (EU1, {"Connection": "THANOS-TENANT"}, None),
            (EU1, {"Connection": "close, thanos-tenant", "THANOS-TENANT": US1.user}, None),
        ],
        ids=["agent", "elsewhere", "ruler", "named", "dropped", "named-and-dropped"],
    )
    def test_are_the_authenticated_user_or_missing(
        self, receive: tuple[Running, int], who: Token, headers: dict[str, str], stored: str | None
    ) -> None:
        """
        A sample is stored under its writer's name or refused with an error that is tried again, never under no name.
        """
        proxies, http = receive
        before = series(http)

        answer = proxies.ask(
            ("thanos-receive-router", "write"),
            "POST",
            "/api/v1/receive",
            who,
            sample(f"new_{os.urandom(4).hex()}"),
            headers,
        )

        after = series(http)
        assert {tenant for tenant, count in after.items() if count != before.get(tenant, 0)} == {stored} - {None}
        assert (answer.status_code, "no matching hashring" in answer.text) == ((200, False) if stored else (500, True))


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready").is_success
    except httpx.TransportError:
        return False


def series(port: int) -> dict[str, float]:
    """How many series each tenant has."""
    lines = httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("prometheus_tsdb_head_series{")]
    return {line.split('tenant="')[1].partition('"')[0]: float(line.rpartition(" ")[2]) for line in found}
