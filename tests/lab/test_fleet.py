"""The fleet as it stands after `make up`: the hub answers for every cluster, and rightly."""

import pytest

from fleet.client import PrometheusClient

from .checks import CLUSTERS, FORGOTTEN, JOBS, MEMORY, assert_calm, assert_hub_agrees
from .stack import eventually
from .workloads import IMPOSTOR, NAMESPACE, exporter

pytestmark = pytest.mark.lab


class TestProof:
    def test_the_hub_counts_every_clusters_pods(self, lab, hub):
        """
        What the hub says of each cluster and namespace is what that cluster's API server says.
        """
        eventually(lambda: assert_hub_agrees(lab, hub), FORGOTTEN)

    def test_the_hub_follows_a_deployment_that_is_scaled(self, lab, hub, oracle):
        """
        New pods are counted at the hub, and gone ones are not.
        """
        for replicas in (3, 1):
            lab.kubectl("us1", "-n", NAMESPACE, "scale", "deployment", oracle, f"--replicas={replicas}")
            lab.kubectl("us1", "-n", NAMESPACE, "rollout", "status", "deployment", oracle, "--timeout=60s")

            def assert_counted(replicas=replicas):
                assert lab.pods("us1")[NAMESPACE] == replicas
                assert_hub_agrees(lab, hub)

            eventually(assert_counted, FORGOTTEN)


class TestTargets:
    def test_every_job_of_every_cluster_is_up(self, hub):
        """
        Each cluster has every job, and no target is down.
        """

        def assert_up():
            up = {(s.labels["cluster"], s.labels["job"]): s.value for s in hub.query("min by (cluster, job) (up)")}
            assert {(c, job) for c in CLUSTERS for job in JOBS} <= up.keys()
            assert [target for target, value in up.items() if value != 1] == []

        eventually(assert_up)

    def test_every_series_has_a_cluster_of_the_fleet(self, hub):
        """
        No series lacks the label, and none names a cluster that does not exist.
        """
        found = {s.labels.get("cluster", "") for s in hub.query('count by (cluster) ({__name__=~".+"})')}

        assert found == set(CLUSTERS)

    def test_the_inventory_is_a_series(self, hub):
        """
        The facts of the stack file can be joined to any series.
        """
        found = {(s.labels["cluster"], s.labels["region"]) for s in hub.query("promfleet_cluster_expected")}

        assert found == {("hub", "eu"), ("eu1", "eu"), ("us1", "us")}


class TestRules:
    def test_find_nothing_wrong(self, hub: PrometheusClient) -> None:
        """
        Nothing fires and nothing is about to, but the heartbeat and what tells of a maintenance.
        """
        eventually(lambda: assert_calm(hub), MEMORY)


class TestImpostor:
    @pytest.fixture
    def impostor(self, lab):
        lab.apply("eu1", exporter("impostor", IMPOSTOR, "5s", {"cluster": "hub", "job": "kubelet"}))
        yield "impostor"
        lab.kubectl("eu1", "-n", NAMESPACE, "delete", "deployment,configmap", "impostor")

    def test_a_workload_can_not_pose_as_another_cluster(self, hub, impostor):
        """
        Its own label is kept beside the true one; a pod's label can set neither cluster nor job.
        """

        def assert_unmasked():
            claims = [
                {name: claim.labels.get(name) for name in ("cluster", "exported_cluster", "job")}
                for claim in hub.query("impostor_claims")
            ]
            assert claims == [{"cluster": "eu1", "exported_cluster": "hub", "job": "pods"}]

        eventually(assert_unmasked)
