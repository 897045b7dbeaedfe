import json
import re
from typing import Any

import pulumi
import pytest
import yaml

from settings import Fleet, Images
from stacks import deploy
from tests import ROOT
from tests.unit.builders import HUB, fleet
from tests.unit.conftest import RELEASES, TOKEN, Engine, secret, validate, write_kubeconfig
from tests.unit.kinds import CERTIFICATE, CONFIG_MAP, NAMESPACE, SECRET, SERVICE, SERVICE_ACCOUNT, STACK, STATEFUL_SET
from tests.unit.shipped import OTHER_STACK, deploy_shipped, known

AGENT = "prometheus-agent"
IMAGES = [field.alias for name, field in Images.model_fields.items() if name != "registry"]


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
    sections = {"clusters": clusters, "agents": {"eu1": {}}, "pushgateway": pushgateway}
    model = known(Fleet.model_validate(example | sections))
    return Engine().deploy(lambda: deploy(model))


def pods(engine: Engine) -> dict[tuple[str | None, str], dict[str, Any]]:
    """The pods of every workload, by its provider and its name."""
    return {
        (r.provider, r.inputs["metadata"]["name"]): r.inputs["spec"]["template"]["spec"]
        for r in engine.resources
        if "template" in r.inputs.get("spec", {})
    }


class TestWhole:
    def test_every_object_is_in_its_own_cluster(self, whole):
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

    def test_every_workload_is_there(self, whole):
        """
        So that what is said of all pods is said of each of these.
        """
        assert {name for _, name in pods(whole)} == {
            "alertmanager",
            "blackbox-exporter",
            "grafana",
            "kube-state-metrics",
            "node-exporter",
            "prometheus-agent",
            "prometheus-hub",
            "pushgateway",
        }

    def test_addresses_of_pods_and_nodes_are_in_brackets(self, whole):
        """
        One of IPv6 would run into the port behind it; one of IPv4 may stand in brackets.
        """
        args = [arg for pod in pods(whole).values() for one in pod["containers"] for arg in one.get("args", [])]

        assert [arg for arg in args if "_IP)" in arg] == [
            "--cluster.advertise-address=[$(POD_IP)]:9094",
            "--web.listen-address=[$(HOST_IP)]:9100",
            "--web.listen-address=[$(HOST_IP)]:9100",
        ]

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
        The clusters issue the tokens, and nothing that is made contains one.
        """
        assert [r.name for r in whole.resources if TOKEN in repr(r.inputs)] == []


LONG = "a" * 31 + "-" + "b" * 31
"""A name of as many characters as the stack file takes for a cluster."""
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DNS_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")


@pytest.fixture(scope="module")
def long(kubeconfig):
    """A stack whose texts are as long and as odd as the stack file takes them; tests only read it."""
    tag, digest = "v3.15.0-" + "_." * 60, "@sha256:" + "0a" * 32
    endpoints = [{"address": f"{name}:1", "tlsSecret": name} for name in ("config", "tls", f"{LONG}.{LONG}.secret")]
    model = fleet(
        clusters={
            name: {"context": context, "issuer": {"url": f"https://{context}", "jwksUri": f"https://{context}/keys"}}
            for name, context in {f"{LONG[:-1]}0": "hub", LONG: "eu1"}.items()
        },
        namespace="n" * 49,
        hub={**HUB, "cluster": f"{LONG[:-1]}0", "agents": {f"{LONG[:-1]}1": {"rotation": 9}}, "replicas": 2},
        agents={LONG: {}},
        images=dict.fromkeys(IMAGES, f"mirror.example:5000/a/b:{tag}{digest}"),
        alerts={"clusters": {LONG: {"TargetDown": {"team": "a"}}}},
        alertmanager={"receivers": {LONG: {"slack": {"channel": "#a"}}}, "default": LONG},
        probes={LONG: {"targets": ["https://shop.example"]}},
        pushgateway={},
        thanos={
            "storage": {"filesystem": {"claim": f"{LONG}.{LONG}.claim"}},
            "queryFrontend": {},
            "query": {"endpoints": endpoints},
            "store": {"shards": 32, "splitAt": "30d"},
            "memcached": {},
            "ruler": {},
            "receive": {"expose": {"host": "receive.example"}},
            "bucketWeb": {"expose": {"host": "bucket.example"}},
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi.Config, "require_secret", lambda self, key: pulumi.Output.secret(key))
        return Engine().deploy(lambda: deploy(model))


class TestPods:
    def test_every_container_is_restricted_and_bounded(self, whole, long):
        """
        Nothing runs as root, writes to its image, gains privileges, takes memory without end or hangs unnoticed.
        """
        for pod in (*pods(whole).values(), *pods(long).values()):
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["enableServiceLinks"] is False
            for container in pod["containers"]:
                security = container["securityContext"]
                assert security["runAsNonRoot"]
                assert security["readOnlyRootFilesystem"]
                assert security["allowPrivilegeEscalation"] is False
                assert security["capabilities"] == {"drop": ["ALL"]}
                assert {"memory"} == container["resources"]["limits"].keys()
                assert container.keys() >= {"readinessProbe", "livenessProbe"}

    def test_no_scratch_volume_fills_the_node(self, whole, long):
        """
        The kubelet evicts a pod that writes more.
        """
        all_pods = [*pods(whole).values(), *pods(long).values()]
        scratch = [volume for pod in all_pods for volume in pod.get("volumes", []) if "emptyDir" in volume]

        assert {volume["name"] for volume in scratch} == {"scratch", "tmp"}
        assert all("sizeLimit" in volume["emptyDir"] for volume in scratch)

    @pytest.mark.parametrize("cluster", ["hub", "eu1"])
    def test_have_every_limit_that_a_quota_can_want(self, deployed, cluster):
        """
        A namespace with a quota admits no container that leaves one out, and none whose request is above its limit.
        """
        engine = deployed(
            hub=HUB,
            agents={"eu1": {}},
            thanos={"storage": {"filesystem": {"claim": "blocks"}}, "queryFrontend": {}, "memcached": {}},
            limits={"cpu": 2, "ephemeralStorage": "1Gi"},
        )

        made = [pod for (provider, _), pod in pods(engine).items() if f"::{cluster}::" in str(provider)]
        assert len(made) >= 3
        for container in (container for pod in made for container in pod["containers"]):
            said = container["resources"]
            assert said["limits"].keys() == said["requests"].keys() == {"cpu", "memory", "ephemeral-storage"}
            assert (said["limits"]["cpu"], said["limits"]["ephemeral-storage"]) == ("2", "1Gi")
        validate(engine.objects)

    def test_are_no_others_where_no_quota_is(self, deployed):
        """
        Nothing that is left out of the stack file changes a pod.
        """
        assert pods(deployed(hub=HUB)) == pods(deployed(hub=HUB, limits={}))


class TestNames:
    def test_of_labels_are_what_kubernetes_takes(self, long):
        """
        However long a tag or a cluster's name is: the API server would refuse the object.
        """
        values = {
            value
            for item in long.objects
            for labels in (item["metadata"].get("labels", {}), item.get("spec", {}).get("selector", {}))
            for value in (labels.get("matchLabels", labels)).values()
        }

        assert len(values) > 20
        assert [value for value in values if not LABEL_VALUE.fullmatch(value)] == []

    def test_of_objects_are_what_kubernetes_takes(self, long):
        """
        Names of Services and namespaces are labels of DNS; all others may be longer, and of several parts.
        """
        for item in long.objects:
            name = item["metadata"]["name"]
            form = DNS_LABEL if item["kind"] in {"Namespace", "Service"} else DNS_NAME
            assert form.fullmatch(name), name

    def test_in_pods_are_distinct(self, long):
        """
        A Secret of the stack file may have the name of anything else, and more characters than a volume.
        """
        for pod in pods(long).values():
            ports = [port["name"] for one in pod["containers"] for port in one.get("ports", [])]
            volumes = [volume["name"] for volume in pod.get("volumes", [])]
            for names in (ports, volumes, [one["name"] for one in pod["containers"]]):
                assert len(names) == len(set(names))
                assert all(DNS_LABEL.fullmatch(name) for name in names)
            assert max(map(len, ports), default=0) <= 15


class TestOneStack:
    def test_an_agent_writes_to_the_hub_of_its_stack(self, deployed):
        """
        The URL is the write auth proxy's, and the token the one that the hub's cluster issued for this agent.
        """
        engine = deployed(hub=HUB, agents={"eu1": {}})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["url"] == "https://hub.example:8443/api/v1/write"
        assert secret(engine.one(SECRET, "prometheus-agent-token").inputs["stringData"]) == {"token": TOKEN}

    @pytest.mark.parametrize(("via", "port"), [("nodePort", 30443), ("loadBalancer", 8443)])
    def test_a_hub_may_be_reached_by_an_address_of_ipv6(self, deployed, via, port):
        """
        In URLs it stands in brackets, in certificates without, and in the name of no resource.
        """
        expose = {"host": "fd00::5", "via": via, "tls": {"issuer": "ours", "caConfigMap": "ours"}}

        engine = deployed(hub=HUB | {"expose": expose}, agents={"eu1": {}})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["url"] == f"https://[fd00::5]:{port}/api/v1/write"
        assert engine.one(CERTIFICATE).inputs["spec"]["ipAddresses"] == ["fd00::5"]
        assert [r.name for r in engine.resources if "::" in r.name] == []
        validate(engine.objects)

    @pytest.mark.parametrize(("written", "ports"), [({}, [30445]), ({"readNodePort": 30446}, [30445, 30446])])
    def test_the_cluster_chooses_no_port_of_its_nodes(self, deployed, written, ports):
        """
        It might choose the one that is written for another host.
        """
        expose = {"host": "hub.example", "via": "nodePort", "tls": {"secret": "hub-tls"}}
        alertmanager = {"receivers": {"sre": {}}, "default": "sre"}

        engine = deployed(
            hub=HUB | {"expose": expose},
            agents={"eu1": {}},
            alertmanager=alertmanager | {"expose": {"host": "alerts.example", "nodePort": 30445, **written}},
        )

        service = engine.one(SERVICE, "alertmanager-outside").inputs["spec"]
        assert [port.get("nodePort") for port in service["ports"]] == ports

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
        engine = deployed(
            hub=HUB | {"agents": {"eu1": {"rotation": 1}, "us1": {"rotation": 2}}}, agents={"eu1": {"token": True}}
        )

        tokens = {r.inputs["metadata"]["name"] for r in engine.all(SECRET)}
        assert {token for token in tokens if token.startswith("writer-")} == {
            "writer-eu1-token-0",
            "writer-eu1-token-1",
            "writer-us1-token-1",
            "writer-us1-token-2",
        }


class TestExporters:
    @pytest.mark.parametrize(
        ("facts", "run"),
        [
            ({}, {"kube-state-metrics", "node-exporter"}),
            ({"platform": "openshift"}, {"kube-state-metrics", "node-exporter"}),
            ({"platform": "autopilot"}, {"kube-state-metrics"}),
            ({"nodeExporter": {"enabled": False}}, {"kube-state-metrics"}),
            ({"kubeStateMetrics": {"enabled": False}}, {"node-exporter"}),
            ({"nodeExporter": {"existing": {"namespace": "a", "service": "b"}}}, {"kube-state-metrics"}),
            ({"kubeStateMetrics": {"existing": {"namespace": "a", "service": "b"}}}, {"node-exporter"}),
        ],
        ids=["any", "openshift", "autopilot", "no-nodes", "no-state", "existing-nodes", "existing-state"],
    )
    def test_run_where_the_cluster_has_none(self, deployed, facts, run):
        """
        One that is off, or somebody else's, leaves nothing behind, and neither does its namespace.
        """
        engine = deployed(clusters={"hub": {"context": "hub", **facts}}, hub=HUB)

        exporters = {"kube-state-metrics", "node-exporter"}
        assert {name for _, name in pods(engine)} & exporters == run
        namespaces = {r.inputs["metadata"]["name"] for r in engine.all(NAMESPACE)}
        assert ("promfleet-node-exporter" in namespaces) == ("node-exporter" in run)
        validate(engine.objects)

    def test_listen_and_tell_as_the_stack_file_says(self, deployed):
        """
        Each cluster has its own port and labels.
        """
        facts = {"nodeExporter": {"port": 9101}, "kubeStateMetrics": {"labels": {"pods": ["team"]}}}

        engine = deployed(clusters={"hub": {"context": "hub", **facts}}, hub=HUB)

        args = {name: pod["containers"][0].get("args", []) for (_, name), pod in pods(engine).items()}
        assert "--web.listen-address=[$(HOST_IP)]:9101" in args["node-exporter"]
        assert "--metric-labels-allowlist=pods=[team]" in args["kube-state-metrics"]


class TestTwoStacks:
    def test_an_agent_finds_its_hub_in_the_other_stack(self, engine, deployed):
        """
        Only public facts come through the reference, and no Secret is made of them.
        """
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK

        deployed(agents={"eu1": {"hub": {"stack": "organization/promfleet/hub"}}})

        [write] = prometheus_yml(engine, "eu1")["remote_write"]
        assert write["url"] == "https://hub.example:8443/api/v1/write"
        assert engine.all(SECRET) == []

    @pytest.mark.parametrize(
        ("token", "instead"),
        [
            (False, r"Write hub\.agents\.us1\.issuer there, .* or write agents\.us1\.token: true here"),
            (True, r"Add us1 to hub\.agents there, with token: true if it has an issuer"),
        ],
    )
    def test_a_hub_that_does_not_know_the_agent_is_named(self, engine, deployed, token, instead):
        """
        The message says where to add it.
        """
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK

        with pytest.raises(pulumi.RunError, match=instead):
            deployed(agents={"us1": {"hub": {"stack": "organization/promfleet/hub"}, "token": token}})

    def test_agents_of_one_stack_may_have_the_same_hub(self, engine, deployed):
        """
        Each refers to the other stack under a name of its own: equal references are refused as any equal resources are.
        """
        engine.stacks["organization/promfleet/hub"] = OTHER_STACK | {"writerTokens": {"eu1": "first", "us1": "second"}}

        same = {"hub": {"stack": "organization/promfleet/hub"}, "token": True}
        deployed(agents={"eu1": same, "us1": same})

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
        outputs = {key: value for key, value in exported["hub"].items() if isinstance(value, str | dict)}
        engine.stacks["organization/promfleet/hub"] = {"hub": outputs}
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
