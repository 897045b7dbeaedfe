import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from alerts.disks import DISKS
from components import KubeStateMetrics, Namespace, NodeExporter, NodeExporterArgs
from components.k8s.labels import labels
from components.kube_state_metrics import RESOURCES, labels_allowlist
from render.node_exporter import COLLECTORS
from settings import images
from settings.exporters import LABELS_OF
from settings.types import Image
from tests.unit.builders import pod
from tests.unit.kinds import CLUSTER_ROLE, DAEMON_SET, DEPLOYMENT, NAMESPACE, NETWORK_POLICY, ROLE_BINDING, SERVICE

PATHS = ("prometheus", "mirror.example:5000/p8s/prometheus")
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True) | st.from_regex(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]{60,65}", fullmatch=True
)
DIGEST = "@sha256:" + "0a" * 32
LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
"""labelValueFmt of k8s.io/apimachinery; the program writes no empty value."""


POD_MOUNT = "pods/1a2b/volumes/kubernetes.io~projected/token"
VOLUME_MOUNT = "plugins/kubernetes.io/csi/pd.csi/1a2b/globalmount"


def node_exporter(port: int) -> NodeExporterArgs:
    return {"namespace": "nodes", "port": port, "image": images.NODE_EXPORTER, "rollout_timeout": 150}


class TestNodeExporter:
    def test_shares_the_network_and_no_more(self, engine):
        """
        Of the host's namespaces only the network's is needed for the node's own numbers.
        """
        engine.deploy(lambda: NodeExporter("eu1", node_exporter(9100)))

        spec = pod(engine, DAEMON_SET)

        assert spec["hostNetwork"] is True
        assert spec.keys().isdisjoint({"hostPID", "hostIPC"})
        assert all(m["readOnly"] for m in spec["containers"][0]["volumeMounts"])

    def test_runs_on_every_node(self, engine):
        """
        Taints keep no node out of sight.
        """
        engine.deploy(lambda: NodeExporter("eu1", node_exporter(9100)))

        spec = pod(engine, DAEMON_SET)

        assert spec["tolerations"] == [{"operator": "Exists"}]

    def test_runs_on_no_node_behind_which_no_machine_is(self, engine):
        """
        A virtual node has neither a network nor files to share, and an update would wait for its pod.
        """
        engine.deploy(lambda: NodeExporter("eu1", node_exporter(9100)))

        rules = pod(engine, DAEMON_SET)["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]

        [term] = rules["nodeSelectorTerms"]
        assert term["matchExpressions"] == [
            {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]},
            {"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]},
        ]

    @pytest.mark.parametrize("port", [9100, 9101])
    def test_takes_one_port_of_the_node(self, engine, port):
        """
        The Service leads where it listens, and the scheduler knows that the port is taken.
        """
        engine.deploy(lambda: NodeExporter("eu1", node_exporter(port)))

        [container] = pod(engine, DAEMON_SET)["containers"]
        [way] = engine.one(SERVICE).inputs["spec"]["ports"]
        assert container["args"][0] == f"--web.listen-address=[$(HOST_IP)]:{port}"
        assert container["ports"] == [{"name": "metrics", "containerPort": port, "hostPort": port}]
        assert (way["port"], way["targetPort"]) == (port, "metrics")


class TestMounts:
    """Mounts of pods come and go, and are not the node's disks, wherever a distribution has them."""

    @pytest.mark.parametrize(
        ("mount", "measured"),
        [
            *(
                (f"{root}/{POD_MOUNT}", False)
                for root in ("/var/lib/kubelet", "/var/lib/k0s/kubelet", "/var/data/kubelet")
            ),
            (f"/var/snap/microk8s/common/var/lib/kubelet/{POD_MOUNT}", False),
            ("/run/containerd/io.containerd.runtime.v2.task/k8s.io/1a2b/rootfs", False),
            ("/run/k0s/containerd/io.containerd.grpc.v1.cri/sandboxes/1a2b/shm", False),
            ("/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io/1a2b/rootfs", False),
            ("/var/lib/containers/storage/overlay-containers/1a2b/userdata/shm", False),
            ("/run/credentials/systemd-sysusers.service", False),
            *((disk, True) for disk in ("/", "/var/lib/containerd", "/var/lib/kubelet", "/mnt/kubelet/data", "/run")),
        ],
    )
    def test_are_measured_if_they_are_disks(self, mount: str, measured: bool) -> None:  # noqa: FBT001 — a parameter
        """
        node_exporter looks for its pattern anywhere in a path.
        """
        [flag] = [flag for flag in COLLECTORS if flag.startswith("--collector.filesystem.mount-points-exclude=")]

        assert bool(re.search(flag.partition("=")[2], mount)) is not measured

    @pytest.mark.parametrize("root", ["/var/lib/kubelet", "/var/lib/k0s/kubelet", "/var/data/kubelet"])
    def test_of_volumes_raise_no_alert_on_disks(self, root: str) -> None:
        """
        An existing node-exporter may measure them. Volumes have alerts of their own.
        """
        alerts = [alert for alert in DISKS.alerts if "mountpoint!~" in alert.expr]

        assert len(alerts) > 5
        for alert in alerts:
            for left_out in re.findall('mountpoint!~"([^"]+)"', alert.expr):
                assert re.fullmatch(left_out, f"{root}/{POD_MOUNT}")
                assert re.fullmatch(left_out, f"{root}/{VOLUME_MOUNT}")
                assert not re.fullmatch(left_out, root.removesuffix("/kubelet"))


class TestKubeStateMetrics:
    def deploy(self, engine):
        return engine.deploy(
            lambda: KubeStateMetrics(
                "eu1",
                {
                    "namespace": "promfleet",
                    "prefix": "promfleet",
                    "scrapers": ["prometheus-agent"],
                    "series": 10000,
                    "image": images.KUBE_STATE_METRICS,
                    "rollout_timeout": 150,
                },
            )
        )

    def test_asks_for_what_it_may_list_and_nothing_else(self, engine):
        """
        Its arguments and its ClusterRole agree; an object it asks for in vain would keep it from starting.
        """
        self.deploy(engine)

        container = pod(engine, DEPLOYMENT)["containers"][0]
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

    def test_is_there_again_where_its_node_is_dead(self, engine):
        """
        No pod of a StatefulSet would be. One is enough, but for the moment in which an update has made the next one.
        """
        self.deploy(engine)

        spec = engine.one(DEPLOYMENT).inputs["spec"]

        assert spec["replicas"] == 1
        assert "strategy" not in spec

    @pytest.mark.parametrize(
        ("labels", "flags"),
        [
            ({}, []),
            ({"pods": []}, []),
            ({"namespaces": ["team"]}, ["--metric-labels-allowlist=namespaces=[team]"]),
            (
                {"pods": ["team", "app.kubernetes.io/name"], "nodes": ["pool"]},
                ["--metric-labels-allowlist=nodes=[pool],pods=[team,app.kubernetes.io/name]"],
            ),
        ],
    )
    def test_exposes_the_labels_of_the_stack_file(self, labels, flags):
        """
        By itself it tells none.
        """
        assert labels_allowlist(labels) == flags

    def test_lists_every_kind_whose_labels_may_be_told(self):
        """
        It would tell none of another one.
        """
        listed = {kind for kinds in RESOURCES.values() for kind in kinds}

        assert {*LABELS_OF.values()} <= listed


class TestNamespace:
    def test_holds_its_pods_to_a_level(self, engine):
        """
        The API server refuses, reports and warns of a pod above the level.
        """
        engine.deploy(lambda: Namespace("eu1", {"namespace": "promfleet", "admits": "restricted"}))

        given = engine.one(NAMESPACE).inputs["metadata"]["labels"]

        levels = {k.rpartition("/")[2]: v for k, v in given.items() if k.startswith("pod-security")}
        assert levels == {"enforce": "restricted", "audit": "restricted", "warn": "restricted"}

    def test_denies_ingress_by_default(self, engine):
        """
        Every port that is open has a policy that opens it.
        """
        engine.deploy(lambda: Namespace("eu1", {"namespace": "promfleet", "admits": "restricted"}))

        spec = engine.one(NETWORK_POLICY).inputs["spec"]

        ours = {"matchLabels": {"app.kubernetes.io/part-of": "promfleet"}}
        assert spec == {"podSelector": ours, "policyTypes": ["Ingress"]}

    @pytest.mark.parametrize(
        ("level", "constraints"),
        [("restricted", "system:openshift:scc:nonroot-v2"), ("privileged", "system:openshift:scc:privileged")],
    )
    def test_security_context_constraints_are_bound_on_openshift(self, engine, level, constraints):
        """
        Its default gives pods users of its own, and refuses those that bring theirs.
        """
        engine.deploy(lambda: Namespace("eu1", {"namespace": "ours", "admits": level, "openshift": True}))

        binding = engine.one(ROLE_BINDING).inputs

        assert binding["roleRef"]["name"] == constraints
        assert [who["name"] for who in binding["subjects"]] == ["system:serviceaccounts:ours"]


class TestLabels:
    @pytest.mark.parametrize(
        ("image", "version"),
        [
            ("mirror.example:5000/prometheus:v3.15.0", "v3.15.0"),
            ("prometheus:v3.15.0@sha256:abc", "v3.15.0"),
            ("mirror.example:5000/prometheus@sha256:abc", None),
            (f"prometheus:v3.15.0-{'a' * 60}", f"v3.15.0-{'a' * 55}"),
            (f"prometheus:{'1' * 62}.5", "1" * 62),
            ("prometheus:_v3.15.0-", "v3.15.0"),
            ("prometheus:_", None),
        ],
    )
    def test_the_version_is_the_tag(self, image, version):
        """
        A port is no tag, a digest is no version, and what a label can't hold is left out.
        """
        assert labels("app", "app", image).get("app.kubernetes.io/version") == version

    @given(st.builds("{}:{}{}".format, st.sampled_from(PATHS), TAGS, st.sampled_from(["", DIGEST])))
    def test_each_image_of_a_stack_file_gives_labels_that_kubernetes_takes(self, image):
        """
        A tag may be twice as long as a label's value, and begin and end with what a value may not.
        """
        TypeAdapter(Image).validate_python(image)

        version = labels("app", "app", image).get("app.kubernetes.io/version", "none")

        assert LABEL_VALUE.fullmatch(version)
        assert len(version) <= 63
