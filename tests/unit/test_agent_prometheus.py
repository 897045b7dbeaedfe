from typing import cast

import pulumi
import pytest

from components import AgentPrometheus
from components.agent_prometheus import CA_FILE, TOKEN_FILE, AgentPrometheusArgs, AgentShard
from render.scrape.annotated import AUTHORITY
from settings import images
from settings.agent import shard_name
from tests.unit.builders import pod
from tests.unit.kinds import CONFIG_MAP, SECRET, SERVICE


def shard(number: int) -> AgentShard:
    return {"name": shard_name(number), "config": "global: {}\n", "storage": "2Gi"}


def args(**other: object) -> AgentPrometheusArgs:
    given = {
        "namespace": "promfleet",
        "prefix": "promfleet",
        "shards": [shard(0)],
        "flags": ["--agent"],
        "token": pulumi.Output.secret("the-token"),
        "memory": ("128Mi", "512Mi"),
        "grace": 75,
        "image": images.PROMETHEUS,
        "rollout_timeout": 150,
        **other,
    }
    return cast("AgentPrometheusArgs", given)


@pytest.fixture
def agent(engine):
    return lambda **other: engine.deploy(lambda: AgentPrometheus("eu1", args(**other)))


class TestAgentPrometheus:
    def test_its_token_is_in_a_secret_and_in_no_other_object(self, agent):
        """
        Neither a ConfigMap nor an argument carries the credential.
        """
        engine = agent()

        holders = [r.typ for r in engine.resources if "the-token" in repr(r.inputs)]

        assert holders == [SECRET]

    def test_finds_token_and_authorities_where_its_configuration_says(self, agent):
        """
        The files named in remote_write are mounted.
        """
        engine = agent()

        mounted = {m["mountPath"] for m in pod(engine)["containers"][0]["volumeMounts"]}

        assert {TOKEN_FILE.removesuffix("/token"), CA_FILE.removesuffix("/ca.crt")} <= mounted

    @pytest.mark.parametrize(
        ("given", "mounted"),
        [({}, "prometheus-agent-ca"), ({"ca": "PEM"}, "prometheus-agent-ca"), ({"ca_config_map": "bundle"}, "bundle")],
    )
    def test_trusts_what_it_is_given(self, agent, given, mounted):
        """
        A ConfigMap that somebody distributes is used as it is; certificates in the stack file get one of their own.
        """
        engine = agent(**given)

        [trusted] = [v for v in pod(engine)["volumes"] if v["name"] == "trusted"]
        assert trusted["configMap"]["name"] == mounted
        own = engine.one(CONFIG_MAP, "prometheus-agent-ca").inputs["data"]
        assert own == {"ca.crt": given.get("ca", "")}

    @pytest.mark.parametrize("given", [None, "bundle"])
    def test_finds_what_signs_for_annotated_targets_where_its_configuration_says(self, agent, given):
        """
        The ConfigMap is mounted at the folder of the file that the jobs name, and only where there is one.
        """
        engine = agent(**({"targets_ca_config_map": given} if given else {}))

        found = [v["configMap"]["name"] for v in pod(engine)["volumes"] if v["name"] == "targets"]
        paths = [m["mountPath"] for m in pod(engine)["containers"][0]["volumeMounts"] if m["name"] == "targets"]
        assert (found, paths) == (([given], [AUTHORITY.removesuffix("/ca.crt")]) if given else ([], []))

    def test_keeps_its_write_ahead_log_on_a_volume(self, agent):
        """
        A restarted pod finds what it had not sent.
        """
        engine = agent()

        [data] = [v for v in pod(engine)["volumes"] if v["name"] == "data"]
        assert data["persistentVolumeClaim"]["claimName"] == "prometheus-agent"

    def test_is_given_time_to_deliver(self, agent):
        """
        The grace period is the one the flush deadline was chosen for.
        """
        assert pod(agent())["terminationGracePeriodSeconds"] == 75

    def test_opens_no_port(self, agent):
        """
        Nobody asks an agent anything.
        """
        engine = agent()

        assert "ports" not in pod(engine)["containers"][0]
        assert "ports" not in engine.one(SERVICE).inputs["spec"]
