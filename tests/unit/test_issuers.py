"""Writers without a shared secret: who signs their tokens, and what is deployed of it."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from typer.testing import CliRunner

from fleet.cli import app
from fleet.exits import Exit
from lab import pki
from live import reason, token_of
from live.issuer import issuer_of
from render.prometheus.auth_proxies import WRITE
from render.writers import write_proxy
from settings import Fleet, Receiver
from settings.issuer import LARGEST_SET, Issuer
from stacks import deploy, with_issuers
from tests import ROOT
from tests.http_server import Handler, HttpServer

from .builders import EVERYTHING, HUB, fleet
from .conftest import TOKEN, Engine, validate
from .kinds import CONFIG_MAP, ROLE_BINDING, SECRET, SERVICE, STACK_REFERENCE, STATEFUL_SET

OF_HUB, OF_EU1, OF_US1 = (f"{digit}{'_' * 169}8" for digit in "hij")
"""Moduli of three keys, of 1024 bits."""
KEY = {"use": "sig", "kty": "RSA", "kid": "one", "alg": "RS256", "n": OF_EU1, "e": "AQAB"}
EU1 = {"url": "https://kubernetes.default.svc.cluster.local", "jwks": {"keys": [KEY]}}
US1 = {"url": "https://us1.example", "jwksUri": "https://us1.example/keys"}
OWN = {"url": "https://hub.example", "jwksUri": "https://hub.example/keys"}
STACK = "organization/promfleet/hub"


def said(**hub: Any) -> dict[str, Any]:
    """A hub, and an agent in its stack with an issuer."""
    clusters = {"hub": {"context": "hub"}, "eu1": {"context": "eu1", "issuer": EU1}}
    return {"clusters": clusters, "hub": {**HUB, **hub}, "agents": {"eu1": {}}}


@pytest.fixture
def deployed(engine: Engine, kubeconfig: None) -> Callable[[dict[str, Any]], Engine]:
    return lambda sections: engine.deploy(lambda: deploy(Fleet.model_validate(sections)))


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a stack exports."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", found.__setitem__)
    return found


def agent_volume(engine: Engine) -> dict[str, Any]:
    """The volume with the token that an agent shows."""
    pod = engine.one(STATEFUL_SET, "prometheus-agent").inputs["spec"]["template"]["spec"]
    [found] = [volume for volume in pod["volumes"] if volume["name"] == "token"]
    return found


def hub_containers(engine: Engine) -> list[str]:
    pod = engine.one(STATEFUL_SET, "prometheus-hub").inputs["spec"]["template"]["spec"]
    return [container["name"] for container in pod["containers"]]


def rules(engine: Engine) -> str:
    """Every rule file of the server."""
    return "".join(engine.one(CONFIG_MAP, "prometheus-hub-rules").inputs["data"].values())


class TestOneStack:
    def test_no_writer_has_a_secret(self, deployed: Any, exported: dict[str, Any]) -> None:
        """
        Neither a Secret nor an output, a ServiceAccount or a Role: the agent shows what its own cluster issues.
        """
        engine = deployed(said())

        names = {one["metadata"]["name"] for one in engine.objects}
        assert not [name for name in names if "writer" in name or name == "prometheus-agent-token"]
        assert exported["writerTokens"] == {}
        [source] = agent_volume(engine)["projected"]["sources"]
        assert source["serviceAccountToken"] == {
            "path": "token",
            "audience": "https://hub.example",
            "expirationSeconds": 3600,
        }
        validate(engine.objects)

    def test_envoy_listens_where_agents_write(self, deployed: Any) -> None:
        """
        At the same port of the same Service, in place of kube-rbac-proxy.
        """
        engine = deployed(said())

        assert "envoy" in hub_containers(engine)
        assert "kube-rbac-proxy-write" not in hub_containers(engine)
        ports = engine.one(SERVICE, "prometheus-hub").inputs["spec"]["ports"]
        assert {"name": "write", "port": 8443, "targetPort": "write"} in ports

    def test_the_hub_knows_the_issuer_before_the_agent_shows_its_token(self, deployed: Any) -> None:
        """
        A kube-rbac-proxy that still listens would refuse the token for good.
        """
        engine = deployed(said())

        assert {"hub-statefulset", "hub-envoy"} <= engine.dependencies["AgentPrometheus", "eu1"]

    def test_a_large_cluster_may_send_more_wherever_its_series_are_written(self) -> None:
        """
        In its stack's `clusters`, or in `hub.agents` for another stack's; a small one has the least.
        """
        large, near = {"series": 3_000_000}, {"url": "https://near.example", "jwksUri": "https://near.example/keys"}
        sections = said(storage="2Ti", agents={"far": {**large, "issuer": US1}, "near": {"issuer": near}})
        sections["clusters"]["eu1"] |= large

        described = write_proxy(Fleet.model_validate(sections), WRITE)

        assert described
        rates = {one.name: one.rate for one in described.writers}
        assert rates["eu1"] == rates["far"] > rates["near"]

    def test_envoy_is_watched(self, deployed: Any) -> None:
        """
        It is scraped in the server's pod, and has alerts; a fleet without issuers has neither.
        """
        engine = deployed(said())

        config = engine.one(CONFIG_MAP, "prometheus-hub").inputs["data"]["prometheus.yml"]
        [job] = [one for one in yaml.safe_load(config)["scrape_configs"] if one["job_name"] == "write-proxy"]
        assert job["static_configs"][0]["targets"] == ["127.0.0.1:8643"]
        assert "PromfleetWritersNotVerified" in rules(engine)
        without = said()
        del without["clusters"]["eu1"]["issuer"]
        assert "PromfleetWritersNotVerified" not in rules(deployed(without))

    def test_a_changed_key_rolls_nothing(self, deployed: Any) -> None:
        """
        It is in a ConfigMap that Envoy reads anew.
        """
        before = deployed(said()).one(STATEFUL_SET, "prometheus-hub").inputs
        changed = said()
        changed["clusters"]["eu1"] = {"context": "eu1", "issuer": US1}

        engine = deployed(changed)

        assert engine.one(STATEFUL_SET, "prometheus-hub").inputs == before
        assert "us1.example" in engine.one(CONFIG_MAP, "prometheus-hub-envoy").inputs["data"]["listeners.json"]

    def test_the_agent_of_another_namespace_is_known_by_it(self, deployed: Any) -> None:
        """
        Its ServiceAccount is where its own stack has it.
        """
        issuer = {**US1, "namespace": "monitoring"}

        engine = deployed(said(agents={"us1": {"issuer": issuer}}))

        listeners = engine.one(CONFIG_MAP, "prometheus-hub-envoy").inputs["data"]["listeners.json"]
        assert "system:serviceaccount:monitoring:prometheus-agent" in listeners

    def test_the_operator_runs_an_agent_with_such_a_token(self, deployed: Any) -> None:
        """
        Its custom resource has the same volume.
        """
        sections = said()
        sections["clusters"]["eu1"]["operator"] = {}

        engine = deployed(sections)

        [agent] = [one for one in engine.objects if one["kind"] == "PrometheusAgent"]
        [volume] = [one for one in agent["spec"]["volumes"] if one["name"] == "token"]
        assert volume["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "https://hub.example"
        validate(engine.objects)


class TestTokensBeside:
    def test_are_for_whom_has_no_issuer(self, deployed: Any, exported: dict[str, Any]) -> None:
        """
        Of the hub's cluster, whose keys Envoy knows then.
        """
        sections = said(agents={"us1": {"rotation": 1}})
        sections["clusters"]["hub"]["issuer"] = OWN

        engine = deployed(sections)

        assert exported["writerTokens"].keys() == {"us1"}
        listeners = engine.one(CONFIG_MAP, "prometheus-hub-envoy").inputs["data"]["listeners.json"]
        assert all(f"writer-us1-token-{number}" in listeners for number in (0, 1))
        assert "https://hub.example/keys" in listeners
        made = {one["metadata"]["name"] for one in engine.objects if one["kind"] == "Secret"}
        assert {"writer-us1-token-0", "writer-us1-token-1"} <= made

    def test_are_kept_until_another_stack_is_updated(self, deployed: Any, exported: dict[str, Any]) -> None:
        """
        Both are accepted, as long as the stack file says so.
        """
        sections = said(agents={"us1": {"issuer": US1, "token": True}})
        sections["clusters"]["hub"]["issuer"] = OWN

        engine = deployed(sections)

        assert exported["writerTokens"].keys() == {"us1"}
        assert exported["hub"]["audiences"] == dict.fromkeys(("eu1", "us1"), "https://hub.example")
        listeners = engine.one(CONFIG_MAP, "prometheus-hub-envoy").inputs["data"]["listeners.json"]
        assert "writer-us1-token-0" in listeners
        assert "https://us1.example/keys" in listeners


class TestReceive:
    def test_takes_the_same_tokens(self, deployed: Any) -> None:
        """
        Through Envoy beside each router; nobody is bound to a Role for writing, and the Ruler shows another token.
        """
        sections = {**said(), "thanos": EVERYTHING["thanos"]}
        sections["clusters"]["hub"]["issuer"] = OWN

        engine = deployed(sections)

        assert "envoy" not in hub_containers(engine)
        routers = [one for one in engine.objects if one["metadata"]["name"] == "thanos-receive-router"]
        [pod] = [one["spec"]["template"]["spec"] for one in routers if one["kind"] == "Deployment"]
        assert "envoy" in [container["name"] for container in pod["containers"]]
        bound = [one.inputs["metadata"]["name"] for one in engine.all(ROLE_BINDING)]
        assert not [name for name in bound if name.startswith("thanos-receive-router-writer")]
        config = engine.one(CONFIG_MAP, "prometheus-hub").inputs["data"]["prometheus.yml"]
        assert "write-proxy" in [one["job_name"] for one in yaml.safe_load(config)["scrape_configs"]]
        ports = engine.one(SERVICE, "thanos-receive-router-pods").inputs["spec"]["ports"]
        assert "write-health" in [port["name"] for port in ports]
        ruler = engine.one(STATEFUL_SET, "thanos-ruler").inputs["spec"]["template"]["spec"]
        [write] = [flag for flag in ruler["containers"][0]["args"] if flag.startswith("--remote-write.config")]
        assert "/var/run/secrets/promfleet.io/token" in write
        assert "auth-proxy-token" in [volume["name"] for volume in ruler["volumes"]]
        validate(engine.objects)


class TestTwoStacks:
    @pytest.mark.parametrize("operated", [False, True], ids=["plain", "operated"])
    def test_an_agent_shows_what_its_hub_accepts(self, engine: Engine, deployed: Any, *, operated: bool) -> None:
        """
        The other stack says whether that is a token of its own cluster; then no credential crosses between stacks.
        """
        sections = {
            "clusters": {"eu1": {"context": "eu1"} | ({"operator": {}} if operated else {})},
            "agents": {"eu1": {"hub": {"stack": STACK}}},
        }
        public = {"writeUrl": "https://hub.example/api/v1/write", "ca": "", "caConfigMap": "", "protocol": "2.0"}
        audiences = {"eu1": "https://hub.example"}
        engine.stacks[STACK] = {"hub": {**public, "audiences": audiences}, "writerTokens": {}}

        deployed(sections)

        objects = engine.objects
        [volume] = [
            volume
            for one in objects
            if one["kind"] in ("StatefulSet", "PrometheusAgent")
            for volume in one["spec"].get("template", one)["spec"].get("volumes", ())
            if volume["name"] == "token"
        ]
        assert volume["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "https://hub.example"
        assert "prometheus-agent-token" not in {one["metadata"]["name"] for one in objects}

    def test_an_agent_shows_a_token_of_the_hub_if_it_is_to(self, engine: Engine, deployed: Any) -> None:
        """
        It reads the token in the outputs of the hub's stack.
        """
        agent = {"hub": {"stack": STACK}, "token": True}
        sections = {"clusters": {"eu1": {"context": "eu1"}}, "agents": {"eu1": agent}}
        public = {"writeUrl": "https://hub.example/api/v1/write", "ca": "", "caConfigMap": "", "protocol": "2.0"}
        engine.stacks[STACK] = {"hub": {**public, "audiences": {}}, "writerTokens": {"eu1": TOKEN}}

        deployed(sections)

        assert agent_volume(engine)["secret"]["secretName"] == "prometheus-agent-token"
        [given] = [one["stringData"] for one in engine.objects if one["metadata"]["name"] == "prometheus-agent-token"]
        assert given == {"token": TOKEN}


AUTHORITY = yaml.safe_load((ROOT / "Pulumi.hub.yaml").read_text())["config"]["promfleet:fleet"]["hub"]["expose"]["tls"][
    "ca"
]
"""Certificates of somebody's own authority."""


class TestPublicFacts:
    def test_of_a_hub_by_its_address_can_be_written(self, engine: Engine, deployed: Any, exported: Any) -> None:
        """
        The stack of an agent takes the audience as the hub's stack has it, of an IPv6 address too.
        """
        tls = {"secret": "hub-tls", "ca": AUTHORITY}
        deployed(said(expose={"host": "fd00::5", "tls": tls}))

        told = exported["hub"]["audiences"]["eu1"]
        receiver = Receiver.model_validate({"url": "https://[fd00::5]:8443/api/v1/write", "audience": told})
        assert (
            receiver.audience
            == told
            == agent_volume(engine)["projected"]["sources"][0]["serviceAccountToken"]["audience"]
        )

    def test_are_all_that_the_stack_of_an_agent_needs(self, engine: Engine, deployed: Any) -> None:
        """
        It refers to no other stack, has no Secret, and trusts the authority that is written.
        """
        hub = {"url": "https://hub.example/api/v1/write", "audience": "https://hub.example", "ca": AUTHORITY}
        sections = {"clusters": {"eu1": {"context": "eu1"}}, "agents": {"eu1": {"hub": hub}}}

        deployed(sections)

        assert {one.typ for one in engine.resources} & {STACK_REFERENCE, SECRET} == set()
        [source] = agent_volume(engine)["projected"]["sources"]
        assert source["serviceAccountToken"]["audience"] == "https://hub.example"
        assert engine.one(CONFIG_MAP, "prometheus-agent-ca").inputs["data"] == {"ca.crt": AUTHORITY}
        config = yaml.safe_load(engine.one(CONFIG_MAP, "prometheus-agent").inputs["data"]["prometheus.yml"])
        [write] = config["remote_write"]
        assert write["url"] == "https://hub.example/api/v1/write"
        assert write["tls_config"] == {"ca_file": "/etc/prometheus/trusted/ca.crt"}
        validate(engine.objects)


DISCOVERY, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"


class ApiServer(HttpServer):
    """Says who signs tokens, as Kubernetes does."""

    def __init__(self, number: str, tls: tuple[Path, Path] | None = None) -> None:
        self.answers: dict[str, Any] = {
            "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
            DISCOVERY: {"issuer": EU1["url"], "jwks_uri": "https://10.0.0.1/openid/v1/jwks"},
            KEYS: {"keys": [{**KEY, "n": number, "x5t": "thumbprint"}]},
        }
        self.refusals: dict[str, Any] = {}
        answers, refusals = self.answers, self.refusals

        class Answering(Handler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0].rstrip("/")
                known = refusals.get(path, answers.get(path))
                status = 404 if known is None else 403 if path in refusals else 200
                self.answer(status, (known if isinstance(known, str) else json.dumps(known)).encode())

        super().__init__(Answering, tls=tls)


@pytest.fixture
def servers() -> Iterator[dict[str, ApiServer]]:
    """API servers by the names of their contexts, of which `twin` has the key of `eu1`."""
    numbers = {"hub": OF_HUB, "eu1": OF_EU1, "us1": OF_US1, "twin": f"AAAA{OF_EU1}"}
    with ExitStack() as started:
        yield {name: started.enter_context(ApiServer(number)) for name, number in numbers.items()}


@pytest.fixture
def context(servers: dict[str, ApiServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig with contexts of such API servers, and two of none."""
    addresses = {name: f"http://{server.host}" for name, server in servers.items()}
    addresses |= {"away": "http://127.0.0.1:1", "gone": "http://127.0.0.1:2"}
    document = {
        "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in addresses],
        "clusters": [{"name": name, "cluster": {"server": address}} for name, address in addresses.items()],
        "users": [{"name": "me", "user": {"token": "mine"}}],
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(file))
    return file


@pytest.fixture
def public(servers: dict[str, ApiServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """What anybody may ask about the cluster eu1, which names it as its issuer."""
    authority = pki.authority("public")
    pki.issue(authority, "public", hosts=["localhost"]).write(tmp_path, "tls")
    authority.write(tmp_path, "ca")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    with ApiServer(OF_EU1, (tmp_path / "tls.crt", tmp_path / "tls.key")) as server:
        url = f"https://localhost:{server.server_port}"
        server.answers[DISCOVERY] = {"issuer": url, "jwks_uri": f"{url}{KEYS}"}
        servers["eu1"].answers[DISCOVERY] = server.answers[DISCOVERY]
        yield server


class TestFound:
    """Issuers that no stack file names."""

    def test_are_those_of_agents_of_this_stack(self, engine: Engine, context: Path) -> None:
        """
        Nobody shows a token of the hub's cluster, which is not asked.
        """
        known = with_issuers(asked({"hub": "away", "eu1": "eu1", "us1": "us1"}))

        assert {name: moduli(one.issuer) for name, one in known.clusters.items()} == {
            "hub": [],
            "eu1": [OF_EU1],
            "us1": [OF_US1],
        }

    def test_are_said(self, engine: Engine, context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A preview shows whose tokens the hub accepts.
        """
        said: list[str] = []
        monkeypatch.setattr(pulumi.log, "info", said.append)

        with_issuers(asked({"hub": "hub", "eu1": "eu1"}))

        assert said == [f"Issuers of tokens that were found: eu1 {EU1['url']}"]

    @pytest.mark.parametrize(
        "other",
        [
            {"hub": {"agents": {"ap1": {}}}},
            {"agents": {"us1": {"token": True}}},
            {"hub": {"agents": {"eu1": {"token": True}}}},  # for one update
        ],
    )
    def test_are_also_that_of_the_hub_if_others_show_its_tokens(
        self, engine: Engine, context: Path, other: dict[str, Any]
    ) -> None:
        """
        Envoy verifies those too.
        """
        known = with_issuers(asked({"hub": "hub", "eu1": "eu1", "us1": "us1"}, other))

        assert moduli(known.clusters["hub"].issuer) == [OF_HUB]

    @pytest.mark.parametrize(
        "sections", [{"agents": {"eu1": {"token": True}}}, {"clusters": {"eu1": {"context": "gone", "issuer": EU1}}}]
    )
    def test_are_not_asked_for_where_the_stack_file_says_what_to_do(
        self, engine: Engine, context: Path, sections: dict[str, Any]
    ) -> None:
        """
        No connection is needed then.
        """
        given = asked({"hub": "away", "eu1": "gone"}, sections)

        assert with_issuers(given) == given

    def test_are_missed_with_what_to_write_instead(self, engine: Engine, context: Path) -> None:
        """
        Every cluster that does not answer is named.
        """
        with pytest.raises(pulumi.RunError) as refused:
            with_issuers(asked({"hub": "hub", "eu1": "away", "us1": "gone"}))

        for name, reached in (("eu1", "away"), ("us1", "gone")):
            assert f"clusters.{name}: its API server did not say who signs the tokens of its pods: " in str(
                refused.value
            )
            assert f"`fleet issuer --context {reached}` prints, or agents.{name}.token: true." in str(refused.value)

    def test_have_keys_of_their_own(self, engine: Engine, servers: dict[str, ApiServer], context: Path) -> None:
        """
        Of two clusters with one key, either could write as the other, however one of them spells it.
        """
        servers["twin"].answers[KEYS]["keys"][0] |= {"crv": "P-256", "x": "AAAA"}  # of other kinds of keys
        with pytest.raises(pulumi.RunError, match=r"clusters\.us1\.issuer: has keys of eu1"):
            with_issuers(asked({"hub": "hub", "eu1": "eu1", "us1": "twin"}))

    def test_are_known_before_tokens_are_to_be_verified(self, engine: Engine, kubeconfig: None) -> None:
        """
        Who deploys a fleet without asking its clusters learns what is missing.
        """
        sections = said(agents={"ap1": {}})

        with pytest.raises(pulumi.RunError, match=r"clusters\.hub\.issuer: is missing: tokens .* shown by ap1\. Write"):
            engine.deploy(lambda: deploy(Fleet.model_validate(sections)))


def moduli(issuer: Issuer | None) -> list[str | None]:
    """What tells the keys of an issuer apart."""
    return [key.n for key in issuer.jwks.keys] if issuer and issuer.jwks else []


def asked(contexts: dict[str, str], changes: dict[str, Any] | None = None) -> Fleet:
    """A hub and an agent in each other cluster, reached by these contexts; issuers are left out."""
    agents = {name: {} for name in contexts if name != "hub"}
    sections: dict[str, Any] = {
        "clusters": {n: {"context": c} for n, c in contexts.items()},
        "hub": HUB,
        "agents": agents,
    }
    for section, change in (changes or {}).items():
        sections[section] = {**sections[section], **change}
    return Fleet.model_validate(sections)


class TestCommand:
    def test_prints_what_a_stack_file_takes(self, context: Path) -> None:
        """
        Public keys only, and of each what verifies a signature.
        """
        result = CliRunner().invoke(app, ["issuer", "--context", "eu1", "--kubeconfig", str(context)])

        assert result.exit_code == 0, result.output
        printed = yaml.safe_load(result.stdout)["issuer"]
        assert printed == EU1
        assert fleet(
            clusters={"hub": {"context": "hub"}, "eu1": {"context": "b", "issuer": printed}},
            hub=HUB,
            agents={"eu1": {}},
        )

    def test_a_cluster_that_does_not_answer_is_named(self, context: Path) -> None:
        """
        With the exit code of what is not available.
        """
        result = CliRunner().invoke(app, ["issuer", "--context", "away", "--kubeconfig", str(context)])

        assert (result.exit_code, "away" in result.stderr) == (Exit.FAILED, True)

    @pytest.mark.parametrize("asked", ["issuer", "token"])
    def test_a_cluster_that_says_nothing_is_given_up(
        self, context: Path, monkeypatch: pytest.MonkeyPatch, asked: str
    ) -> None:
        """
        Clients of kr8s would wait for ever, behind a firewall that drops packets.
        """
        monkeypatch.setattr(f"live.{asked}.LIMIT", 1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            document = yaml.safe_load(context.read_text())
            [eu1] = [one for one in document["clusters"] if one["name"] == "eu1"]
            eu1["cluster"]["server"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
            context.write_text(yaml.safe_dump(document))
            question = {
                "issuer": lambda: issuer_of("eu1", str(context)),
                "token": lambda: token_of("eu1", str(context), "promfleet", "reader", 600),
            }[asked]

            with pytest.raises(TimeoutError) as given_up:
                asyncio.run(question())

        assert reason(given_up.value) == "no answer within 15 s"

    def test_an_answer_moves_no_cursor(self, servers: dict[str, ApiServer], context: Path) -> None:
        """
        Who runs a cluster could otherwise write over what the terminal shows of others.
        """
        servers["eu1"].refusals[KEYS] = {"kind": "Status", "message": "no \x1b[2J keys \u009b2J here"}

        result = CliRunner().invoke(app, ["issuer", "--context", "eu1", "--kubeconfig", str(context)])

        assert result.exit_code == Exit.FAILED
        assert result.stderr.rstrip("\n").isprintable(), result.stderr
        assert "keys" in result.stderr

    def test_a_url_of_the_keys_is_printed_if_anybody_reads_them_there(self, context: Path, public: ApiServer) -> None:
        """
        Then the hub learns the next key by itself.
        """
        result = CliRunner().invoke(app, ["issuer", "--context", "eu1", "--kubeconfig", str(context)])

        assert result.exit_code == 0, result.output
        told = public.answers[DISCOVERY]
        assert yaml.safe_load(result.stdout)["issuer"] == {"url": told["issuer"], "jwksUri": told["jwks_uri"]}

    @pytest.mark.parametrize(
        "uri",
        [
            "{plain}/openid/v1/jwks",
            "{public}/openid/v1/jwks?of=eu1",
            "{public}/elsewhere",
            "{public}/large",
            "https://[/keys",
            5,
        ],
    )
    def test_keys_are_printed_if_no_hub_could_fetch_them(
        self, servers: dict[str, ApiServer], context: Path, public: ApiServer, uri: Any
    ) -> None:
        """
        Whatever the issuer answers to those who have no credential: keys without TLS, with a query, too many, or none.
        """
        plain, secured = (f"//localhost:{server.server_port}" for server in (servers["eu1"], public))
        written = uri.format(plain=f"http:{plain}", public=f"https:{secured}") if isinstance(uri, str) else uri
        public.answers[DISCOVERY]["jwks_uri"] = written
        public.answers["/large"] = {**public.answers[KEYS], "more": "." * LARGEST_SET}

        result = CliRunner().invoke(app, ["issuer", "--context", "eu1", "--kubeconfig", str(context)])

        assert result.exit_code == 0, result.output
        assert yaml.safe_load(result.stdout)["issuer"]["jwks"] == EU1["jwks"]

    @pytest.mark.parametrize(
        ("path", "answer", "said"),
        [
            (KEYS, "<html>", f"{KEYS} answers something else than a JSON object"),
            (KEYS, [1], f"{KEYS} answers something else than a JSON object"),
            (DISCOVERY, {}, "of what it answers, url: is empty"),
            (KEYS, {}, "of what it answers, jwks.keys: is empty"),
            (KEYS, {"keys": ["key"]}, 'of what it answers, jwks.keys[0]: "key" is not a mapping'),
            (KEYS, {"keys": [{**KEY, "kid": None}]}, "of what it answers, jwks.keys[0].kid: is empty"),
            (KEYS, {"keys": [{**KEY, "alg": "PS256"}]}, 'jwks.keys[0].alg: "PS256" is none of the choices'),
            (KEYS, {"keys": [{**KEY, "n": "AAAA"}]}, "jwks.keys[0]: is not a public key: its numbers fit none"),
        ],
        ids=["no JSON", "a list", "no issuer", "no keys", "no mapping", "no kid", "other algorithm", "no key"],
    )
    def test_an_answer_that_is_none_is_named(
        self, servers: dict[str, ApiServer], context: Path, path: str, answer: Any, said: str
    ) -> None:
        """
        A login page in front of the API server, or keys that Envoy could not use.
        """
        servers["eu1"].answers[path] = answer

        result = CliRunner().invoke(app, ["issuer", "--context", "eu1", "--kubeconfig", str(context)])

        assert (result.exit_code, said in result.stderr) == (Exit.FAILED, True), result.stderr
