import pytest

from components import KubeStateMetrics, Namespace, NodeExporter
from components.labels import labels
from tests.unit.builders import pod
from tests.unit.kinds import CLUSTER_ROLE, DAEMON_SET, NAMESPACE, NETWORK_POLICY, STATEFUL_SET


class TestNodeExporter:
    def test_shares_the_network_and_no_more(self, engine):
        """
        Of the host's namespaces only the network's is needed for the node's own numbers.
        """
        engine.deploy(lambda: NodeExporter("eu1", {"namespace": "nodes"}))

        spec = pod(engine, DAEMON_SET)

        assert spec["hostNetwork"] is True
        assert spec.keys().isdisjoint({"hostPID", "hostIPC"})
        assert all(m["readOnly"] for m in spec["containers"][0]["volumeMounts"])

    def test_runs_on_every_node(self, engine):
        """
        Taints keep no node out of sight.
        """
        engine.deploy(lambda: NodeExporter("eu1", {"namespace": "nodes"}))

        spec = pod(engine, DAEMON_SET)

        assert spec["tolerations"] == [{"operator": "Exists"}]


class TestKubeStateMetrics:
    def deploy(self, engine):
        return engine.deploy(
            lambda: KubeStateMetrics("eu1", {"namespace": "promfleet", "prefix": "promfleet", "series": 10000})
        )

    def test_asks_for_what_it_may_list_and_nothing_else(self, engine):
        """
        Its arguments and its ClusterRole agree; an object it asks for in vain would keep it from starting.
        """
        self.deploy(engine)

        container = pod(engine)["containers"][0]
        [asked] = [a.removeprefix("--resources=") for a in container["args"] if a.startswith("--resources=")]
        rules = engine.one(CLUSTER_ROLE).inputs["rules"]
        assert asked.split(",") == sorted(kind for rule in rules for kind in rule["resources"])

    @pytest.mark.parametrize("kind", ["secrets", "configmaps"])
    def test_reads_no_secret(self, engine, kind):
        """
        Upstream's default ClusterRole lists Secrets and ConfigMaps.
        """
        self.deploy(engine)

        assert kind not in {kind for rule in engine.one(CLUSTER_ROLE).inputs["rules"] for kind in rule["resources"]}

    def test_never_runs_twice(self, engine):
        """
        During an update a StatefulSet's old pod goes first; with two, every object would be counted twice.
        """
        self.deploy(engine)

        spec = engine.one(STATEFUL_SET).inputs["spec"]

        assert spec["replicas"] == 1


class TestNamespace:
    def test_holds_its_pods_to_a_level(self, engine):
        """
        The API server refuses, reports and warns of a pod above the level.
        """
        engine.deploy(lambda: Namespace("eu1", {"namespace": "promfleet", "admits": "restricted"}))

        given = engine.one(NAMESPACE).inputs["metadata"]["labels"]

        levels = {k.rpartition("/")[2]: v for k, v in given.items() if k.startswith("pod-security")}
        assert levels == {"enforce": "restricted", "audit": "restricted", "warn": "restricted"}

    def test_lets_nobody_in_by_default(self, engine):
        """
        Every port that is open has a policy that opens it.
        """
        engine.deploy(lambda: Namespace("eu1", {"namespace": "promfleet", "admits": "restricted"}))

        spec = engine.one(NETWORK_POLICY).inputs["spec"]

        assert spec == {"podSelector": {}, "policyTypes": ["Ingress"]}


class TestLabels:
    @pytest.mark.parametrize(
        ("image", "version"),
        [
            ("mirror.example:5000/prometheus:v3.15.0", "v3.15.0"),
            ("prometheus:v3.15.0@sha256:abc", "v3.15.0"),
            ("mirror.example:5000/prometheus@sha256:abc", None),
        ],
    )
    def test_the_version_is_the_tag(self, image, version):
        """
        A port is no tag, and a digest is no version.
        """
        assert labels("app", "app", image).get("app.kubernetes.io/version") == version
