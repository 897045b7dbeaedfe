import json
import re
from typing import Any

import pulumi
import pytest
import yaml

from settings import Fleet
from stacks import deploy
from tests import ROOT
from tests.unit.builders import HUB, fleet
from tests.unit.conftest import RELEASES, TOKEN, Engine, secret, validate, write_kubeconfig
from tests.unit.kinds import CONFIG_MAP, SECRET, SERVICE, SERVICE_ACCOUNT, STACK, STATEFUL_SET
from tests.unit.shipped import OTHER_STACK, deploy_shipped

AGENT = "prometheus-agent"


@pytest.fixture
def deployed(engine, kubeconfig):
    return lambda **sections: engine.deploy(lambda: deploy(fleet(**sections)))


def prometheus_yml(engine, cluster, name=AGENT):
    [found] = [
        r.inputs["data"]["prometheus.yml"]
        for r in engine.all(CONFIG_MAP)
        if r.inputs["metadata"]["name"] == name and f"::{cluster}::" in r.provider
    ]
    return yaml.safe_load(found)


@pytest.fixture(scope="module")
def whole(kubeconfig):
    """
    A stack with every section: the example's hub, and beside it what the example leaves out.

    It is deployed once, so tests only read it.
    """
    example = yaml.safe_load((ROOT / "Pulumi.hub.yaml").read_text())["config"]["promfleet:fleet"]
    clusters = {"hub": {"context": "hub"}, "eu1": {"context": "eu1"}}
    del example["hub"]["agents"]["eu1"]
    pushgateway = {"expose": {"host": "push.example"}}
    model = Fleet.model_validate(example | {"clusters": clusters, "agents": {"eu1": {}}, "pushgateway": pushgateway})
    return Engine().deploy(lambda: deploy(model))


class TestWhole:
    def test_everything_stands_in_its_own_cluster(self, whole):
        """
        Each object is on an explicit provider, that of the cluster in whose name it was made.
        """
        objects = [r for r in whole.resources if r.typ.startswith("kubernetes:")]

        assert len(objects) > 100
        assert [r.name for r in objects if f"::{re.split('[-.]', r.name)[0]}::" not in r.provider] == []

    def test_everything_belongs_to_a_component(self, whole):
        """
        No object hangs under the stack itself.
        """
        objects = [urn for urn in whole.registered if "kubernetes:" in urn and "pulumi:providers:" not in urn]

        assert objects
        loose = {urn.rpartition("::")[2] for urn in objects if "promfleet:index:" not in urn}
        assert loose == {"hub-kube-system", "eu1-kube-system"}  # read, not made

    def test_everything_is_what_kubernetes_expects(self, whole):
        """
        No object has a field that its published schema does not know, or lacks one that it asks for.
        """
        kinds = {item["kind"] for item in whole.objects}

        assert kinds > {"StatefulSet", "DaemonSet", "NetworkPolicy", "Ingress", "Certificate"}
        validate(whole.objects)

    def test_every_container_is_restricted_and_bounded(self, whole):
        """
        Nothing runs as root, writes to its image, gains privileges or takes memory without end.
        """
        pods = {
            r.inputs["metadata"]["name"]: r.inputs["spec"]["template"]["spec"]
            for r in whole.resources
            if "template" in r.inputs.get("spec", {})
        }

        assert pods.keys() == {
            "alertmanager",
            "blackbox-exporter",
            "grafana",
            "kube-state-metrics",
            "node-exporter",
            "prometheus-agent",
            "prometheus-hub",
            "pushgateway",
        }
        for pod in pods.values():
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in pod["containers"]:
                security = container["securityContext"]
                assert security["runAsNonRoot"]
                assert security["readOnlyRootFilesystem"]
                assert security["allowPrivilegeEscalation"] is False
                assert security["capabilities"] == {"drop": ["ALL"]}
                assert {"memory"} <= container["resources"]["limits"].keys()
                assert "readinessProbe" in container

    def test_nothing_is_waited_for_longer_than_a_rollout(self, whole):
        """
        What the provider waits for has the stack file's time-out, so that a pod that never starts is told soon.
        """
        kinds = {"Deployment", "DaemonSet", "StatefulSet", "Service", "PersistentVolumeClaim"}
        waits = [wait for wait in whole.waits if wait[0] in kinds]

        assert len(waits) > 20
        assert [wait for wait in waits if wait[2] != "900s"] == []

    def test_nothing_carries_a_token_in_plain_sight(self, whole):
        """
        The cluster issues the tokens; besides Secrets nothing that is made contains one.
        """
        assert {r.typ for r in whole.resources if TOKEN in repr(r.inputs)} == {SECRET}


class TestOneStack:
    def test_an_agent_writes_to_the_hub_beside_it(self, deployed):
        """
        The URL is the write door's, and the token the one that the hub's cluster issued for this agent.
        """
        engine = deployed(hub=HUB, agents={"eu1": {}})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["url"] == "https://hub.example:8443/api/v1/write"
        assert secret(engine.one(SECRET, "prometheus-agent-token").inputs["stringData"]) == {"token": TOKEN}

    def test_the_hubs_agents_elsewhere_get_identities_too(self, deployed):
        """
        An agent that another stack deploys is let in.
        """
        engine = deployed(hub=HUB | {"agents": ["us1"]}, agents={"eu1": {}})

        accounts = {r.inputs["metadata"]["name"] for r in engine.all(SERVICE_ACCOUNT)}
        assert {"writer-eu1", "writer-us1", "reader"} <= accounts

    def test_tokens_are_renewed_wherever_the_agent_is_deployed(self, deployed):
        """
        The hub's section says how often, of agents here and elsewhere.
        """
        engine = deployed(hub=HUB | {"agents": {"eu1": {"rotation": 1}, "us1": {"rotation": 2}}}, agents={"eu1": {}})

        tokens = {r.inputs["metadata"]["name"] for r in engine.all(SECRET)}
        assert {token for token in tokens if token.startswith("writer-")} == {
            "writer-eu1-token-0",
            "writer-eu1-token-1",
            "writer-us1-token-1",
            "writer-us1-token-2",
        }


class TestTwoStacks:
    def test_an_agent_finds_its_hub_in_the_other_stack(self, engine, deployed):
        """
        URL and identity come through the reference.
        """
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK

        deployed(agents={"eu1": {"hub": {"stack": "organization/promfleet/hub"}}})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["url"] == "https://hub.example:8443/api/v1/write"
        assert secret(engine.one(SECRET).inputs["stringData"]) == {"token": "from-the-other-stack"}

    def test_a_hub_that_does_not_know_the_agent_is_named(self, engine, deployed):
        """
        The message says where to add it.
        """
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK

        with pytest.raises(pulumi.RunError, match=r"Add us1 to hub\.agents there"):
            deployed(agents={"us1": {"hub": {"stack": "organization/promfleet/hub"}}})

    def test_agents_of_one_stack_may_have_the_same_hub(self, engine, deployed):
        """
        Each refers to the other stack under a name of its own: equal references are refused as any equal resources are.
        """
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK | {"identities": {"eu1": "first", "us1": "second"}}

        deployed(agents={cluster: {"hub": {"stack": "organization/promfleet/hub"}} for cluster in ("eu1", "us1")})

        tokens = {secret(r.inputs["stringData"])["token"] for r in engine.all(SECRET)}
        assert tokens == {"first", "second"}


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """What each stack file of the repository makes; deployed once, so tests only read it."""
    return deploy_shipped(tmp_path_factory.mktemp("kube"))


@pytest.fixture
def pair(engine, kubeconfig, monkeypatch):
    """
    Deploy a hub's stack, and then one with an agent that writes to it; what the hub's exports, the agent's finds.

    Of either a file of this repository, with what is to be different in the hub's `expose`.
    """

    def deploy_both(**expose: Any) -> Engine:
        exported: dict[str, Any] = {}
        monkeypatch.setattr(pulumi, "export", exported.__setitem__)
        hub, agent = (example(name) for name in ("hub", "eu1"))
        hub["hub"]["expose"].update(expose)
        engine.deploy(lambda: deploy(Fleet.model_validate(hub)))
        known = {key: value for key, value in exported["hub"].items() if isinstance(value, str)}
        engine.stacks["organization/promfleet/hub"] = {"hub": known, "identities": {"eu1": TOKEN}}
        return engine.deploy(lambda: deploy(Fleet.model_validate(agent)))

    return deploy_both


def example(name: str) -> dict[str, Any]:
    """The fleet of a stack file of this repository, in clusters that the kubeconfig has."""
    fleet = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]["promfleet:fleet"]
    for cluster, facts in fleet["clusters"].items():
        facts["context"] = cluster
    return fleet


class TestPair:
    def test_the_agent_verifies_the_hub_by_its_own_authority(self, pair):
        """
        What signs for the hub stands in the hub's stack file alone, and is what the agent of the other stack trusts.
        """
        engine = pair()

        authority = example("hub")["hub"]["expose"]["tls"]["ca"]
        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["url"] == "https://prometheus.acme.example/api/v1/write"
        assert write["tls_config"] == {"ca_file": "/etc/prometheus/trusted/ca.crt"}
        assert engine.one(CONFIG_MAP, "prometheus-agent-ca").inputs["data"] == {"ca.crt": authority}

    def test_or_by_what_is_distributed_in_its_cluster(self, pair):
        """
        The name of the ConfigMap comes from the hub's stack too.
        """
        engine = pair(tls={"issuer": "acme-authority", "caConfigMap": "acme-authorities"})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["tls_config"] == {"ca_file": "/etc/prometheus/trusted/ca.crt"}
        volumes = engine.one(STATEFUL_SET, AGENT).inputs["spec"]["template"]["spec"]["volumes"]
        [volume] = [volume for volume in volumes if volume["name"] == "trusted"]
        assert volume["configMap"] == {"name": "acme-authorities"}

    def test_or_as_everybody_does(self, pair):
        """
        Without an authority of one's own the public ones are trusted.
        """
        engine = pair(via="loadBalancer", ingressClass=None, tls={"issuer": "letsencrypt"})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert "tls_config" not in write


class TestStackFiles:
    def test_register_each_resource_once(self, shipped):
        """
        What is shipped can be deployed: no two resources of a stack have one URN.
        """
        assert {"Pulumi.dev.yaml", "Pulumi.eu1.yaml", "Pulumi.hub.yaml", "Pulumi.thanos.yaml"} <= shipped.keys()
        for engine in shipped.values():
            assert len(set(engine.registered)) == len(engine.registered) > 20

    @pytest.mark.parametrize("release", RELEASES)
    def test_are_what_each_release_of_kubernetes_expects(self, shipped, release):
        """
        Whichever supported release a cluster has, it neither refuses nor drops a part of any object.
        """
        distinct = {json.dumps(item, sort_keys=True): item for engine in shipped.values() for item in engine.objects}

        assert len(distinct) > 200
        validate(distinct.values(), [release])

    def test_each_stateful_set_names_a_service_that_is_there(self, shipped):
        """
        The governing Service is in the same cluster, and chooses the pods; it can't be changed later.
        """
        for engine in shipped.values():
            services = {
                (r.provider, r.inputs["metadata"]["name"]): r.inputs["spec"]["selector"] for r in engine.all(SERVICE)
            }
            for workload in engine.all(STATEFUL_SET):
                spec = workload.inputs["spec"]
                chosen = services[workload.provider, spec["serviceName"]]
                assert chosen.items() <= spec["template"]["metadata"]["labels"].items()


class TestKubeconfig:
    def test_an_unknown_context_is_refused_before_anything_is_made(self, engine, deployed, tmp_path, monkeypatch):
        """
        The message has the place in the stack file and the contexts that exist.
        """
        write_kubeconfig(tmp_path / "kubeconfig", "minikube")
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))

        with pytest.raises(pulumi.RunError, match=r'clusters\.hub\.context: "hub" is in no kubeconfig.*minikube'):
            deployed(hub=HUB)

        assert [r for r in engine.resources if r.typ != STACK] == []
