"""Who gets through the hub's two auth proxies, over the network, as agents and readers come."""

import ssl
import sys

import httpx
import pytest

from .fleets import AGENTS, FLEET, HUB_AUDIENCE

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("furnished")]  # which test_catalogue looks for
HOST = FLEET["hub"]["expose"]["host"]
WRITE, READ = 30443, 30444
QUERY = "/api/v1/query?query=up"
AGENT = "prometheus-agent"
PATHS = [
    "/api/v1/write",
    "/api/v1/query?query=up",
    "/api/v1/query_range",
    "/api/v1/labels",
    "/api/v1/status/config",
    "/api/v1/admin/tsdb/snapshot",
    "/api/v1/otlp/v1/metrics",
    "/federate",
    "/metrics",
    "/-/reload",
    "/-/quit",
    "/",
]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


@pytest.fixture
def proxy(lab, deployed):
    """Ask an auth proxy: (port, method, path, token) -> status."""
    context = ssl.create_default_context(cafile=str(lab.ca))
    address = lab.node_address("hub")

    def ask(port: int, method: str, path: str, token: str | None = None, content: bytes = b"") -> int:
        headers = {"Host": HOST} | ({"Authorization": f"Bearer {token}"} if token else {})
        with httpx.Client(verify=context, timeout=10) as client:
            return client.request(
                method,
                f"https://{address}:{port}{path}",
                headers=headers,
                content=content,
                extensions={"sni_hostname": HOST},
            ).status_code

    return ask


@pytest.fixture
def tokens(lab, deployed):
    """Those of the agents, as their clusters issue them, and of people who read."""
    agents = {name: lab.token(AGENT, cluster=name, audience=HUB_AUDIENCE) for name in AGENTS}
    return agents | {"reader": lab.token("reader")}


class TestWriter:
    def test_writes(self, proxy, tokens):
        """
        An empty message of remote write is accepted.
        """
        assert proxy(WRITE, "POST", "/api/v1/write", tokens["eu1"], b"\x00") in (200, 204)

    def test_does_nothing_else_at_its_proxy(self, proxy, tokens):
        """
        Every other path does not exist, and no other method is allowed.
        """
        passed = {
            (method, path): status
            for path in PATHS
            for method in METHODS
            if (status := proxy(WRITE, method, path, tokens["eu1"], b"\x00")) < 400
        }

        assert passed.keys() == {("POST", "/api/v1/write")}

    def test_does_not_pass_the_read_proxy(self, proxy, tokens):
        """
        Who may write may not ask.
        """
        statuses = {proxy(READ, method, path, tokens["eu1"]) for path in PATHS for method in METHODS}

        assert statuses <= {401, 404}

    @pytest.mark.parametrize(
        ("who", "status"),
        [
            ({"audience": HUB_AUDIENCE}, {200, 204}),
            ({"audience": "https://another-hub.example"}, {503}),
            ({}, {503}),  # as the agent's API server takes it
            ({"audience": HUB_AUDIENCE, "account": "default"}, {503}),
            (
                {"audience": HUB_AUDIENCE, "cluster": "hub", "account": "reader"},
                {503},
            ),  # of a key that Envoy does not know
        ],
        ids=["an agent", "for another hub", "for no hub", "another account", "another cluster"],
    )
    def test_is_an_agent_with_a_token_for_this_hub(self, lab, deployed, proxy, who, status):
        """
        A valid token is not enough: issuer, audience and account are those of an agent.
        """
        token = lab.token(**{"account": AGENT, "cluster": "eu1", **who})

        assert proxy(WRITE, "POST", "/api/v1/write", token, b"\x00") in status

    def test_shows_a_token(self, deployed, proxy):
        """
        Without one, and with a made-up one, nobody writes.
        """
        assert {proxy(WRITE, "POST", "/api/v1/write", token, b"\x00") for token in (None, "made-up")} == {401}


class TestReader:
    def test_asks(self, proxy, tokens):
        """
        Queries come through by GET and by POST.
        """
        assert {proxy(READ, method, QUERY, tokens["reader"]) for method in ("GET", "POST")} == {200}

    def test_does_nothing_else_at_its_proxy(self, proxy, tokens):
        """
        Neither administration nor federation nor writing is behind it.
        """
        passed = {
            path.partition("?")[0]
            for path in PATHS
            for method in METHODS
            if proxy(READ, method, path, tokens["reader"]) not in (403, 404)
        }

        assert passed == {"/api/v1/query", "/api/v1/query_range", "/api/v1/labels"}

    def test_does_not_pass_the_write_proxy(self, proxy, tokens):
        """
        Who may ask may not write: Envoy knows no issuer of such tokens.
        """
        statuses = {proxy(WRITE, method, path, tokens["reader"], b"\x00") for path in PATHS for method in METHODS}

        assert statuses == {404, 503}


class TestStrangers:
    def test_get_401_without_a_token_of_this_cluster(self, lab, proxy):
        """
        No token, a made-up one and another cluster's are all unknown.
        """
        foreign = lab.token("default", namespace="default", cluster="eu1")

        assert {proxy(READ, "POST", QUERY, token) for token in (None, "made-up", foreign)} == {401}

    @pytest.mark.parametrize("namespace", ["default", "kube-system", "promfleet"])
    def test_get_403_with_any_other_identity_of_the_cluster(self, lab, proxy, namespace):
        """
        A valid token is not enough, also that of a default ServiceAccount.
        """
        token = lab.token("default", namespace=namespace)

        assert {proxy(READ, method, QUERY, token) for method in METHODS} == {403}

    @pytest.mark.parametrize("port", [WRITE, READ])
    def test_plain_http_does_not_reach_the_hub(self, lab, deployed, port):
        """
        kube-rbac-proxy answers plain HTTP with a refusal of its own, and Envoy ends the connection.
        """
        try:
            answer = httpx.get(f"http://{lab.node_address('hub')}:{port}{QUERY}", timeout=10)
        except httpx.RemoteProtocolError:
            assert port == WRITE
        else:
            assert (answer.status_code, "HTTPS" in answer.text) == (400, True)

    def test_prometheus_itself_does_not_listen(self, lab, deployed):
        """
        Nothing answers on its own port at the pod's address.
        """
        address = lab.kubectl(
            "hub", "-n", "promfleet", "get", "pod", "prometheus-hub-0", "-o", "jsonpath={.status.podIP}"
        )

        def listens(host: str, port: int) -> bool:
            asked = f"import socket; socket.create_connection(({host!r}, {port}), 2)"
            return lab.enter("hub", sys.executable, "-c", asked) == 0

        assert listens(lab.node_address("hub"), READ)
        assert not listens(address, 9090)
