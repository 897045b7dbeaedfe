"""A machine outside of two clusters that watches both: one at its addresses, one through its API server."""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from lab.gcp import cloud

from .checks import assert_hub_agrees
from .clusters import Lab
from .fleets import FLEET, HUB_STACK, WATCHER, WATCHER_STACK, hub_of_watcher
from .stack import Stack, eventually
from .stacks import Stacks
from .watching import Watching, watching_machine
from .workloads import NAMESPACE

pytestmark = pytest.mark.lab
JOBS = {
    "prometheus",
    "apiserver",
    "cadvisor",
    "coredns",
    "kube-state-metrics",
    "kubelet",
    "node-exporter",
    "pods",
    "services",
}
CLUSTERS = ("eu1", "us1")
NAMESPACES = "/api/v1/namespaces"
REFUSED = [
    ("GET", "/api/v1/secrets"),
    ("GET", "/api/v1/configmaps"),
    ("GET", f"{NAMESPACES}/promfleet/secrets"),
    ("GET", f"{NAMESPACES}/promfleet/serviceaccounts"),
    ("GET", f"{NAMESPACES}/promfleet/pods/{{pod}}/log"),
    ("GET", f"{NAMESPACES}/promfleet/pods/{{pod}}/exec?command=id"),
    ("POST", f"{NAMESPACES}/promfleet/pods/{{pod}}/exec?command=id"),
    ("POST", f"{NAMESPACES}/promfleet/pods/{{pod}}:8080/proxy/metrics"),
    ("GET", f"{NAMESPACES}/promfleet/services/kube-state-metrics:metrics/proxy/metrics"),
    ("POST", f"{NAMESPACES}/promfleet/pods"),
    ("DELETE", f"{NAMESPACES}/promfleet/pods/{{pod}}"),
    ("POST", f"{NAMESPACES}/promfleet/serviceaccounts/prometheus-watcher/token"),
    ("PATCH", "/api/v1/nodes/{cluster}"),
    ("POST", "/api/v1/nodes/{cluster}/proxy/run/promfleet/{pod}/kube-state-metrics?cmd=id"),
    ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
    ("GET", "/debug/pprof/"),
    ("GET", "/logs/"),
]
"""Verbs and paths that no route needs."""
ONLY_THROUGH_API_SERVER = [
    ("GET", f"{NAMESPACES}/promfleet/pods/{{pod}}:8080/proxy/metrics"),
    ("GET", "/api/v1/nodes/{cluster}/proxy/metrics"),
]
ORACLE = 'oracle_seconds_total{job="pods"}'
"""Scraped every second."""
Ask = Callable[[str, str, str], int]


def annotated_service(name: str) -> dict[str, Any]:
    """A Service in front of an exporter, which asks to be scraped too."""
    asks = {"scrape": "true", "port": "8080", "path": "/cgi-bin/metrics", "interval": "15s"}
    annotations = {f"prometheus.io/{key}": value for key, value in asks.items()}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": {"selector": {"app": name}, "ports": [{"port": 8080}]},
    }


@pytest.fixture(scope="module")
def watcher(lab: Lab, stacks: Stacks, oracle: str) -> Iterator[Stack]:
    stacks.deploy({})
    stacks.update(HUB_STACK, hub_of_watcher(lab.ca.read_text()))  # it hears of nobody until the machine is there
    stacks.update(WATCHER_STACK, WATCHER)
    for cluster in CLUSTERS:
        lab.apply(cluster, [annotated_service(oracle)])
    yield stacks.stacks[WATCHER_STACK]
    for cluster in CLUSTERS:
        lab.kubectl(cluster, "-n", NAMESPACE, "delete", "service", oracle)


@pytest.fixture(scope="module")
def watching(lab: Lab, watcher: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    with watching_machine(lab, watcher, tmp_path_factory.mktemp("watcher")) as watching:
        with (watching.machine.root / "etc" / "hosts").open("a") as hosts:
            hosts.write(f"{lab.node_address('hub')} {FLEET['hub']['expose']['host']}\n")
        yield watching


@pytest.fixture
def ask(lab: Lab, watcher: Stack) -> Ask:
    """Ask an API server with the watcher's token: (cluster, verb, path) -> status."""

    def run(cluster: str, verb: str, path: str) -> int:
        known = watcher.outputs["watcher"]["clusters"][cluster]
        with httpx.Client(verify=ssl.create_default_context(cadata=known["ca"]), timeout=30) as client:
            [pod] = lab.ready_pods(cluster, "kube-state-metrics")
            url = known["apiServer"] + path.format(cluster=cluster, pod=pod)
            return client.request(verb, url, headers={"Authorization": f"Bearer {known['token']}"}).status_code

    return run


class TestProof:
    def test_counts_every_clusters_pods(self, lab: Lab, watching: Watching) -> None:
        """
        What it says of each cluster and namespace is what that cluster's API server says.
        """

        def assert_agrees() -> None:
            counted = watching.by("sum by (cluster, namespace) (kube_pod_info)", "cluster", "namespace")
            true = {
                (cluster, namespace): count
                for cluster in WATCHER.fleet["clusters"]
                for namespace, count in lab.pods(cluster).items()
            }
            assert counted == true

        eventually(assert_agrees, 120)

    def test_every_job_of_both_is_up(self, watching: Watching) -> None:
        """
        Those of an agent, by either route.
        """

        def assert_up() -> None:
            found = watching.by("min by (cluster, job) (up)", "cluster", "job")
            assert found == {("watcher", job): 1 for job in ("prometheus", "alertmanager")} | {
                (cluster, job): 1 for cluster in CLUSTERS for job in JOBS
            }

        eventually(assert_up, 120)


class TestHub:
    def test_counts_every_clusters_pods(self, lab: Lab, stacks: Stacks, watching: Watching) -> None:
        """
        A hub that the watcher writes to has its clusters as if each had an agent.
        """
        with stacks.open_prometheus(stacks.stacks[HUB_STACK]) as hub:
            eventually(lambda: assert_hub_agrees(lab, hub), 120)


class TestRights:
    @pytest.mark.parametrize("cluster", CLUSTERS)
    def test_let_nobody_do_what_no_scrape_needs(self, ask: Ask, watching: Watching, cluster: str) -> None:
        """
        Neither read what is secret, nor run or change anything.
        """
        assert [one for one in REFUSED if ask(cluster, *one) != 403] == []

    def test_are_those_of_the_route(self, ask: Ask, watching: Watching) -> None:
        """
        Who is scraped at its addresses grants no way through its API server.
        """
        asked = {cluster: [ask(cluster, *one) for one in ONLY_THROUGH_API_SERVER] for cluster in CLUSTERS}

        assert asked == {"eu1": [403, 403], "us1": [200, 200]}


class TestRotation:
    def test_loses_no_sample(self, watcher: Stack, watching: Watching, stacks: Stacks) -> None:
        """
        The old token is valid until the machine has the new one.
        """
        changed = WATCHER.changed({"watcher": {"clusters": {name: {"rotation": 1} for name in CLUSTERS}}})
        began = watching.by(f"min({ORACLE})")[()]

        stacks.update(WATCHER_STACK, changed)
        said = watching.install(watcher)

        assert "clusters/us1/token" in said
        ended = watching.by(f"max({ORACLE})")[()]
        counted = watching.by(f"count_over_time({ORACLE}[{int(ended - began)}s])", "cluster")
        assert {cluster for (cluster,) in counted} == {*CLUSTERS}
        assert min(counted.values()) >= (ended - began) * 0.97  # a scrape a second; a busy machine is late

    @pytest.mark.long
    def test_a_revoked_token_stops_one_cluster_only(
        self, lab: Lab, watcher: Stack, watching: Watching, stacks: Stacks
    ) -> None:
        """
        An alert names the cluster, the other one is scraped as before, and a renewal heals.
        """
        lab.kubectl("us1", "-n", "promfleet", "delete", "secret", "prometheus-watcher-token-1")

        def assert_alerted() -> None:
            firing = watching.by('ALERTS{alertname="PromfleetClusterUnreachable", alertstate="firing"}', "cluster")
            assert firing == {("us1",): 1}
            assert watching.by('min by (cluster) (up{cluster="eu1"})', "cluster") == {("eu1",): 1}

        eventually(assert_alerted, 180)
        clusters = {"eu1": {"rotation": 1}, "us1": {"rotation": 2, "nodes": False}}
        stacks.update(WATCHER_STACK, WATCHER.changed({"watcher": {"clusters": clusters}}))
        watching.install(watcher)

        def assert_healed() -> None:
            assert watching.by('min by (cluster) (up{job="apiserver"})', "cluster") == {("eu1",): 1, ("us1",): 1}

        eventually(assert_healed, 120)

    @pytest.mark.long
    def test_without_nodes_no_kubelet_can_be_asked(self, ask: Ask, watching: Watching) -> None:
        """
        `nodes/proxy` is not granted, and its jobs are gone.
        """

        def assert_gone() -> None:
            found = watching.by(
                '(time() - timestamp(up{cluster="us1"})) < 40', "job"
            )  # what is not scraped any more ages
            assert {job for (job,) in found} == JOBS - {"kubelet", "cadvisor"}

        assert ask("us1", "GET", "/api/v1/nodes/us1/proxy/metrics") == 403
        eventually(assert_gone, 120)


def made_for_vm() -> list[str]:
    """The lab's records of what belongs to a VM, by their ids."""
    kinds = (cloud.INSTANCE, cloud.DISK, cloud.ADDRESS, cloud.FIREWALL, cloud.SECRET, cloud.SECRET_MEMBER)
    return [name for name, record in cloud.records().items() if record[cloud.KIND] in kinds]


class TestVm:
    def test_is_made_with_secrets_that_it_may_read(self, watcher: Stack) -> None:
        """
        The engine makes all that the stack file asks for, and the cloud's records have no token.
        """
        found = watcher.outputs["instance"]

        assert found["secrets"] == [f"promfleet-watcher-{name}" for name in ("cluster-eu1", "cluster-us1", "machine")]
        readable = [record["secretId"] for record in cloud.of_type(cloud.records(), cloud.SECRET_MEMBER)]
        assert sorted(readable) == found["secrets"]
        [instance] = cloud.of_type(cloud.records(), cloud.INSTANCE)
        assert instance["networkInterfaces"][0]["networkIp"] == found["address"]
        known = watcher.outputs["watcher"]["clusters"]
        assert not [name for name in CLUSTERS if known[name]["token"] in str(cloud.records())]


class TestStack:
    def test_is_at_rest(self, watcher: Stack) -> None:
        """
        A preview after `pulumi up` shows no changes.
        """
        assert "unchanged" in watcher.pulumi("preview", "--expect-no-changes")

    def test_destroy_leaves_nothing(self, lab: Lab, watcher: Stack, stacks: Stacks) -> None:
        """
        Neither namespaced nor cluster-wide objects stay, and nothing in Google Cloud.
        """
        stacks.deploy({})

        assert lab.left() == {}
        assert made_for_vm() == []
