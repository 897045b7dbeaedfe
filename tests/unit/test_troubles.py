import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from live import UnreachableError, look, troubles
from live.troubles import LONGEST
from settings import Cluster
from settings.object_labels import PART_OF
from tests.http_server import Handler, HttpServer

NAMESPACE = "promfleet"


def made(kind: str, name: str, **parts: Any) -> dict[str, Any]:
    """Make an object as the API server gives it, of this program."""
    metadata = {"name": name, "namespace": NAMESPACE, "uid": f"of-{name}", "labels": PART_OF}
    return {"kind": kind, "metadata": metadata, "spec": {}, **parts}


def pod(status: str, name: str = "prometheus-hub-0", mounts: tuple[str, ...] = ()) -> dict[str, Any]:
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in mounts]
    return made("Pod", name, spec={"volumes": volumes}, status=yaml.safe_load(status))


def event(of: str, reason: str, message: str, kind: str = "Warning", at: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "kind": "Event",
        "metadata": {"name": f"{of}.{reason}.{at}", "namespace": NAMESPACE},
        "involvedObject": {"uid": f"of-{of}", "name": of, "namespace": NAMESPACE},
        "reason": reason,
        "message": message,
        "type": kind,
        "lastTimestamp": f"2026-10-01T10:00:{at:02}Z",
    } | more


def claim(name: str, phase: str) -> dict[str, Any]:
    return made("PersistentVolumeClaim", name, status={"phase": phase})


PORT_TAKEN = """
phase: Pending
conditions:
- type: PodScheduled
  status: "False"
  reason: Unschedulable
  message: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: 0/1
    nodes are available: 1 No preemption victims found for incoming pod."
"""
IMAGE_MISSING = """
phase: Pending
conditions:
- {type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status: [prometheus]"}
- {type: PodScheduled, status: "True"}
containerStatuses:
- name: prometheus
  ready: false
  restartCount: 0
  lastState: {}
  state:
    waiting:
      reason: ImagePullBackOff
      message: 'Back-off pulling image "lab.local/never-built:1": ErrImagePull: not found'
"""
CRASHES = """
phase: Running
conditions:
- {type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status: [prometheus]"}
- {type: PodScheduled, status: "True"}
containerStatuses:
- name: config-reloader
  ready: true
  lastState: {}
  state: {running: {startedAt: "2026-10-01T09:00:00Z"}}
- name: prometheus
  ready: false
  restartCount: 4
  lastState: {terminated: {reason: Error, exitCode: 2, message: "Error parsing command line arguments"}}
  state:
    waiting:
      reason: CrashLoopBackOff
      message: back-off 1m20s restarting failed container=prometheus pod=prometheus-hub-0_promfleet(of)
"""
OUT_OF_MEMORY = """
phase: Running
conditions: [{type: Ready, status: "False", message: "containers with unready status: [prometheus]"}]
containerStatuses:
- name: prometheus
  ready: false
  restartCount: 1
  lastState: {terminated: {reason: OOMKilled, exitCode: 137}}
  state: {running: {startedAt: "2026-10-01T10:00:00Z"}}
"""
NOT_READY = """
phase: Running
conditions:
- {type: Ready, status: "False", reason: ContainersNotReady, message: "containers with unready status: [prometheus]"}
- {type: PodScheduled, status: "True"}
containerStatuses:
- {name: prometheus, ready: false, restartCount: 0, lastState: {}, state: {running: {}}}
"""
STARTING = """
phase: Pending
conditions:
- {type: Ready, status: "False", message: "containers with unready status: [prometheus]"}
- {type: PodScheduled, status: "True"}
containerStatuses:
- {name: prometheus, ready: false, restartCount: 0, lastState: {}, state: {waiting: {reason: ContainerCreating}}}
"""
READY = """
phase: Running
conditions: [{type: Ready, status: "True"}, {type: PodScheduled, status: "True"}]
containerStatuses:
- name: prometheus
  ready: true
  restartCount: 1
  lastState: {terminated: {reason: OOMKilled, exitCode: 137}}
  state: {running: {}}
"""


class TestPods:
    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (PORT_TAKEN, "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."),
            (
                IMAGE_MISSING,
                'container prometheus: ImagePullBackOff: Back-off pulling image "lab.local/never-built:1": '
                "ErrImagePull: not found",
            ),
            (
                CRASHES,
                "container prometheus: CrashLoopBackOff: back-off 1m20s restarting failed container=prometheus "
                "pod=prometheus-hub-0_promfleet(of), "
                "ended last with Error, exit code 2: Error parsing command line arguments",
            ),
            (OUT_OF_MEMORY, "container prometheus: ended last with OOMKilled, exit code 137"),
            (NOT_READY, "is not ready: containers with unready status: [prometheus]"),
        ],
        ids=["port", "image", "crash", "memory", "nothing known"],
    )
    def test_say_in_their_state_what_is_wrong(self, status, said):
        """
        What the scheduler, the runtime and the kernel have said of them, and nothing that is of no help.
        """
        assert troubles([pod(status)]) == [f"pod promfleet/prometheus-hub-0: {said}"]

    @pytest.mark.parametrize(
        ("status", "reason", "message"),
        [
            (NOT_READY, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
            (STARTING, "FailedMount", 'MountVolume.SetUp failed for volume "tls" : secret "hub-tls" not found'),
            (STARTING, "FailedAttachVolume", "Multi-Attach error for volume"),
        ],
    )
    def test_probes_and_mounts_are_said_by_events(self, status, reason, message):
        """
        A pod's state says only that it is not ready.
        """
        told = event("prometheus-hub-0", reason, message)

        assert troubles([pod(status), told]) == [f"pod promfleet/prometheus-hub-0: {reason}: {message}"]

    @pytest.mark.parametrize("status", [READY, "phase: Succeeded"], ids=["ready", "done"])
    def test_that_are_well_have_none(self, status):
        """
        Whatever happened to them before.
        """
        told = event("prometheus-hub-0", "Unhealthy", "Readiness probe failed")

        assert troubles([pod(status), told]) == []

    def test_that_go_have_none(self):
        """
        A pod that is deleted is not to become ready.
        """
        going = pod(NOT_READY)
        going["metadata"]["deletionTimestamp"] = "2026-10-01T10:00:00Z"

        assert troubles([going]) == []

    @pytest.mark.parametrize(("owner", "is_named"), [("StatefulSet", True), ("ReplicaSet", False)])
    def test_that_can_not_go_from_a_dead_node_are_named(self, owner, is_named):
        """
        Kubernetes makes no second pod of a StatefulSet while the kubelet has not confirmed that the first has ended.
        """
        going = pod(NOT_READY)
        going["metadata"]["deletionTimestamp"] = "2026-10-01T10:00:00Z"
        going["metadata"]["ownerReferences"] = [{"kind": owner, "name": "one"}]
        going["spec"]["nodeName"] = "n1"
        going["status"]["conditions"].append(
            {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}
        )

        assert troubles([going]) == is_named * [
            "pod promfleet/prometheus-hub-0: is to leave node n1, which is not ready; no other pod is made until it "
            "has. If the machine is off, delete the Node"
        ]

    def test_what_no_longer_holds_is_not_said(self):
        """
        A pod that waited for a node, and has one now, waits for something else.
        """
        before = event("prometheus-hub-0", "FailedScheduling", "0/1 nodes are available", at=1)
        now = event("prometheus-hub-0", "Unhealthy", "Startup probe failed", at=2)

        assert troubles([pod(NOT_READY), before, now]) == [
            "pod promfleet/prometheus-hub-0: Unhealthy: Startup probe failed"
        ]

    def test_the_newest_of_a_reason_is_said(self):
        """
        However it is recorded, and in whatever order events arrive.
        """
        newest = event("prometheus-hub-0", "Unhealthy", "status 500", lastTimestamp=None)
        newest["series"] = {"count": 7, "lastObservedTime": "2026-10-01T10:00:59.000000Z"}
        older = event("prometheus-hub-0", "Unhealthy", "status 503", at=30)
        told = [newest, older, event("another", "Unhealthy", "status 404", at=50)]

        assert troubles([pod(NOT_READY), *told]) == ["pod promfleet/prometheus-hub-0: Unhealthy: status 500"]

    def test_many_with_one_fault_are_one_sentence(self):
        """
        An image that can't be had is missing on every node.
        """
        pods = [pod(PORT_TAKEN, f"node-exporter-{number}") for number in range(50)]

        [said] = troubles(pods)

        names = ", ".join(f"promfleet/node-exporter-{number}" for number in range(3))
        assert said.startswith(f"pod {names} and 47 more: 0/1 nodes")

    def test_a_reason_is_one_line_that_can_be_read(self):
        """
        What a crashed container has logged may be long.
        """
        long = event("prometheus-hub-0", "FailedMount", "no\nway " * 500)

        [said] = troubles([pod(STARTING), long])

        assert "no way no way" in said
        assert said.endswith("…")
        assert len(said) < LONGEST + 50

    def test_of_others_are_left_out(self):
        """
        A namespace that was there before may have others in it.
        """
        theirs = pod(PORT_TAKEN)
        theirs["metadata"]["labels"] = {"app": "theirs"}

        assert troubles([theirs]) == []


class TestWorkloads:
    @pytest.mark.parametrize(
        ("workload", "of", "message"),
        [
            (
                made("StatefulSet", "kube-state-metrics", spec={"replicas": 1}, status={"replicas": 0}),
                "StatefulSet promfleet/kube-state-metrics: has 0 of 1 pods",
                "create Pod kube-state-metrics-0 in StatefulSet kube-state-metrics failed error: pods "
                '"kube-state-metrics-0" is forbidden: failed quota: q: must specify limits.cpu for: kube-state-metrics',
            ),
            (
                made("ReplicaSet", "thanos-query-5d", spec={"replicas": 2}, status={"replicas": 1}),
                "ReplicaSet promfleet/thanos-query-5d: has 1 of 2 pods",
                'Error creating: pods "thanos-query-5d-x" is forbidden: exceeded quota: q, requested: pods=1, used: '
                "pods=9, limited: pods=9",
            ),
            (
                made(
                    "DaemonSet",
                    "node-exporter",
                    spec={},
                    status={"desiredNumberScheduled": 3, "currentNumberScheduled": 0},
                ),
                "DaemonSet promfleet/node-exporter: has 0 of 3 pods",
                'Error creating: pods "node-exporter-x" is forbidden: violates PodSecurity "restricted:latest": host '
                "namespaces (hostNetwork=true)",
            ),
            (
                made("StatefulSet", "prometheus-agent", spec={"replicas": 1}, status={}),
                "StatefulSet promfleet/prometheus-agent: has 0 of 1 pods",
                "create Pod prometheus-agent-0 in StatefulSet prometheus-agent failed error: admission webhook "
                '"images.acme.example" denied the request: only registry.acme.example',
            ),
        ],
        ids=["limits", "quota", "security", "webhook"],
    )
    def test_say_why_they_may_not_have_pods(self, workload, of, message):
        """
        Where a quota or admission refuses a pod there is none that could say so.
        """
        name = workload["metadata"]["name"]

        said = troubles([workload, event(name, "FailedCreate", message), event(name, "SuccessfulCreate", "", "Normal")])

        assert said == [f"{of}; FailedCreate: {message}"]

    def test_with_all_their_pods_have_none(self):
        """
        What was refused before has been let in since; a ReplicaSet of before wants none.
        """
        workloads = [
            made("StatefulSet", "a", spec={"replicas": 1}, status={"replicas": 1}),
            made("ReplicaSet", "b", spec={"replicas": 0}, status={"replicas": 0}),
        ]

        assert troubles([*workloads, event("a", "FailedCreate", "no"), event("b", "FailedCreate", "no")]) == []


class TestClaims:
    def test_a_class_that_does_not_exist_is_named(self):
        """
        The claim of a StatefulSet's template has none of our labels, and is known by the pod that mounts it.
        """
        waits = pod("phase: Pending", mounts=("data-prometheus-hub-0",))
        mounted = claim("data-prometheus-hub-0", "Pending")
        mounted["metadata"]["labels"] = {"app.kubernetes.io/name": "prometheus-hub"}
        told = event(
            "data-prometheus-hub-0", "ProvisioningFailed", 'storageclass.storage.k8s.io "nope" not found', at=5
        )

        said = troubles([waits, mounted, told])

        assert said[1:] == [
            "volume claim promfleet/data-prometheus-hub-0: "
            'ProvisioningFailed: storageclass.storage.k8s.io "nope" not found'
        ]

    def test_no_default_class_is_said_though_kubernetes_finds_it_normal(self):
        """
        It is no warning there.
        """
        message = "no persistent volumes available for this claim and no storage class is set"

        said = troubles([claim("a", "Pending"), event("a", "FailedBinding", message, "Normal")])

        assert said == [f"volume claim promfleet/a: FailedBinding: {message}"]

    def test_that_waits_for_its_pod_has_none(self):
        """
        The pod is what is wrong then.
        """
        told = event("a", "WaitForFirstConsumer", "waiting for first consumer to be created before binding", "Normal")

        assert troubles([claim("a", "Pending"), told]) == []

    @pytest.mark.parametrize(("phase", "said"), [("Bound", []), ("Lost", ["volume claim promfleet/a: is Lost"])])
    def test_that_is_bound_has_none(self, phase, said):
        """
        One whose volume was lost has.
        """
        assert troubles([claim("a", phase)]) == said


class TestServices:
    def test_a_load_balancer_that_gets_no_address_is_named(self):
        """
        The cloud says why in an event.
        """
        service = made("Service", "prometheus-hub", spec={"type": "LoadBalancer"}, status={"loadBalancer": {}})
        told = event("prometheus-hub", "SyncLoadBalancerFailed", "quota exceeded")

        assert troubles([service, told]) == [
            "Service promfleet/prometheus-hub: SyncLoadBalancerFailed: quota exceeded",
        ]

    def test_others_have_none(self):
        """
        A Service whose pods are not ready says nothing that they don't.
        """
        service = made("Service", "prometheus-hub", spec={"type": "ClusterIP"}, status={"loadBalancer": {}})

        assert troubles([service, event("prometheus-hub", "FailedToUpdateEndpoint", "no")]) == []


class ApiServer(Handler):
    """Answers lists as an API server does: what is in them says no kind."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/version"):
            answer = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}
        else:
            kind = path.rpartition("/")[2]
            items = [{"metadata": {"name": f"{path.split('/')[-2]}-{kind}"}}]
            answer = {"kind": "List", "metadata": {}, "items": items}
        self.answer_json(answer)


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    """A cluster whose API server listens here."""
    file = tmp_path / "config"
    with HttpServer(ApiServer) as server:
        document = {
            "contexts": [{"name": "us1", "context": {"cluster": "us1", "user": "us1"}}],
            "clusters": [{"name": "us1", "cluster": {"server": f"http://{server.host}"}}],
            "users": [{"name": "us1", "user": {"token": "t"}}],
            "current-context": "us1",
        }
        file.write_text(yaml.safe_dump(document))
        yield Cluster(context="us1", kubeconfig=str(file))


class TestLook:
    def test_gives_objects_with_their_kinds(self, cluster):
        """
        Of every namespace that is asked for.
        """
        found = asyncio.run(look(cluster, ["promfleet", "promfleet-node-exporter"]))

        kinds = {(each["kind"], each["metadata"]["name"]) for each in found}
        assert ("Pod", "promfleet-pods") in kinds
        assert ("Event", "promfleet-node-exporter-events") in kinds
        assert len(kinds) == 14

    def test_a_context_that_does_not_exist_is_away(self, tmp_path):
        """
        Whatever the client library raises is one kind of error for whoever asks.
        """
        nowhere = Cluster(context="us9", kubeconfig=str(tmp_path / "none"))

        with pytest.raises(UnreachableError):
            asyncio.run(look(nowhere, [NAMESPACE]))
