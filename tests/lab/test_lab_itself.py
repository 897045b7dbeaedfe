import json
import signal
import subprocess

import pytest

from lab.cluster import NAMES, known
from lab.down import KUBELET, mounts
from lab.images import BUSYBOX
from lab.node import components, held, node_holder
from lab.status import look

pytestmark = pytest.mark.lab


NAMESPACE = "default"


def pod(name, command, **spec):
    """Describe a pod that runs one command as nobody, and ends."""
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65534,
        "fsGroup": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {"name": "main", "image": BUSYBOX, "command": ["/bin/sh", "-ec", command]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": security,
            "containers": [container | spec.pop("main", {})],
        }
        | spec,
    }


@pytest.fixture
def said(lab):
    """Run a pod to its end and give what it said; it is taken away afterwards."""
    made = []

    def run(cluster, described, *others):
        name = described["metadata"]["name"]
        made.extend((cluster, item["kind"], item["metadata"]["name"]) for item in (described, *others))
        lab.apply(cluster, [*others, described])
        lab.kubectl(
            cluster, "-n", NAMESPACE, "wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"
        )
        return lab.kubectl(cluster, "-n", NAMESPACE, "logs", name)

    yield run
    for cluster, kind, name in made:
        lab.kubectl(cluster, "-n", NAMESPACE, "delete", kind, name, "--ignore-not-found", "--grace-period=1")


def cluster_of(name):
    return next(cluster for cluster in known() if cluster.name == name)


def node_of(name):
    node = held(node_holder(cluster_of(name)))
    assert node, f"{name} does not run"
    return node


def fleet_lab_up(lab):
    subprocess.run(["fleet", "lab", "up"], env=lab.env, check=True, capture_output=True)


def component(cluster, name):
    return components(node_of(cluster))[name]


class TestDns:
    @pytest.mark.parametrize("cluster", NAMES)
    def test_a_pod_finds_the_route_to_the_hub(self, said, lab, cluster):
        """
        In every cluster the hub's name resolves to that cluster's own Service.
        """
        service = json.loads(lab.kubectl(cluster, "-n", "promfleet-lab", "get", "service", "hub", "-o", "json"))

        answer = said(cluster, pod("asks-dns", "nslookup hub.promfleet-lab.svc.cluster.local"))

        assert service["spec"]["clusterIP"] in answer

    def test_nothing_outside_has_a_name(self, said):
        """
        The lab's DNS knows the cluster only, and says so at once instead of asking anyone.
        """
        answer = said("eu1", pod("asks-outside", "busybox timeout 2 busybox nslookup outside.example || true"))

        assert "can't find outside.example" in answer


class TestStorage:
    def test_a_claim_binds_and_a_non_root_pod_writes_there(self, said):
        """
        The default class gives a volume that belongs to the pod's group.
        """
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "written", "namespace": NAMESPACE},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}},
        }
        writer = pod(
            "writes",
            "echo kept > /data/file; cat /data/file; ls -nd /data",
            main={"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
            volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "written"}}],
        )

        answer = said("eu1", writer, claim)

        assert "kept" in answer
        assert " 65534 " in answer


class TestUp:
    def test_a_second_run_starts_nothing(self, lab):
        """
        Every component is the process that it was before.
        """
        before = {name: {p.pid for p in components(node_of(name)).values()} for name in NAMES}

        fleet_lab_up(lab)

        after = {name: {p.pid for p in components(node_of(name)).values()} for name in NAMES}
        assert after == before

    @pytest.mark.parametrize("name", ["etcd", "kube-scheduler"])
    def test_a_dead_component_comes_back(self, lab, name):
        """
        What was killed is started again, and the cluster is well.
        """
        killed = component("us1", name)
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        assert look(cluster_of("us1")).dead == (name,)

        fleet_lab_up(lab)

        assert component("us1", name).pid != killed.pid
        assert look(cluster_of("us1")).is_ready


class TestConnect:
    def test_what_is_deleted_comes_back(self, lab):
        """
        A stack that is destroyed takes what lies in its namespace along.
        """
        lab.kubectl("us1", "-n", "promfleet", "delete", "configmap", "hub-ca")

        lab.connect()

        kept = json.loads(lab.kubectl("us1", "-n", "promfleet", "get", "configmap", "hub-ca", "-o", "json"))
        assert kept["data"]["ca.crt"] == lab.ca.read_text()


class TestDown:
    def test_of_another_lab_leaves_this_one_alone(self, lab, tmp_path):
        """
        Also where there is no such lab: every node still has its own folder mounted over the machine's.
        """
        subprocess.run(["fleet", "lab", "down"], env={**lab.env, "PROMFLEET_LAB": str(tmp_path / "lab")}, check=True)

        assert [name for name in NAMES if KUBELET not in mounts(node_of(name).pid)] == []
