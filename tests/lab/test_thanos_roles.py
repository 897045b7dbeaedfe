"""Thanos as it stands after `pulumi up`: every role works, with the rights that it needs and no others."""

import time

import httpx
import pytest

from fleet.client import PrometheusClient
from lab.gcp import cloud

from . import bucket, elsewhere, history
from .clusters import Lab
from .fleets import AGENTS_STACK, BUCKET, REPLICAS
from .samples import answers
from .stack import Stack, eventually
from .stacks import Stacks
from .thanos_fixtures import Past
from .workloads import NAMESPACE, QUEUES, exporter

pytestmark = pytest.mark.lab


class TestUpdate:
    @pytest.mark.long
    def test_shows_no_changes_afterwards(self, thanos: Stack, stacks: Stacks) -> None:
        """
        Buckets, identities and roles are at rest after one `pulumi up`, and so is the agents' stack, which reads it.
        """
        for stack in (thanos, stacks.stacks[AGENTS_STACK]):
            assert "unchanged" in stack.pulumi("preview", "--expect-no-changes")

    def test_every_role_is_scraped(self, query: PrometheusClient) -> None:
        """
        The hub's Prometheus have a target per pod of each role, and none is down.
        """
        expected = {
            "thanos-sidecar": 2,
            "thanos-query": 1,
            "thanos-query-frontend": 1,
            "thanos-store": 1,
            "thanos-compactor": 1,
            "thanos-ruler": 1,
            "thanos-receive": 4,
        }

        def assert_up() -> None:
            found = query.query('sum by (job) (up{job=~"thanos-.+", cluster="hub"})')
            assert {s.labels["job"]: s.value for s in found} == expected

        eventually(assert_up, 240)


class TestQuery:
    def test_folds_replicas(self, query: PrometheusClient) -> None:
        """
        Two Prometheus scrape the same: Query makes one series of them; asked not to, it shows both.
        """
        up = 'up{job="kubelet", cluster="hub"}'

        def assert_both() -> None:
            assert len(answers(query, up, dedup="false")) == REPLICAS
            assert len(answers(query, up)) == 1

        eventually(assert_both, 180)

    @pytest.mark.parametrize("cluster", ["hub", "eu1"])
    def test_keeps_series_apart_that_differ_in_thanos_labels(
        self, lab: Lab, query: PrometheusClient, cluster: str
    ) -> None:
        """
        An application's own replicas and tenants have their values, whichever way these came.
        """
        lab.apply(cluster, exporter("queues", QUEUES, "5s"))

        def assert_apart() -> None:
            asked = f'sum by (exported_replica, exported_tenant_id) (queue_size{{cluster="{cluster}"}})'
            found = {
                (s.labels["exported_replica"], s.labels["exported_tenant_id"]): s.value for s in query.query(asked)
            }
            assert found == {("r1", "a"): 5, ("r2", "a"): 700, ("r2", "b"): 0}

        eventually(assert_apart, 180)
        lab.kubectl(cluster, "-n", NAMESPACE, "delete", "deployment,configmap", "queues")

    def test_asks_another_clusters_sidecar(self, query: PrometheusClient) -> None:
        """
        Each side shows the other a certificate, and the other cluster's samples are answered.
        """

        def assert_answered() -> None:
            assert [s.value for s in query.query(f'up{{cluster="{elsewhere.CLUSTER}"}}')] == [1]

        eventually(assert_answered, 120)


class TestStore:
    def test_remembers_in_memcached(self, query: PrometheusClient, past: Past) -> None:
        """
        What a Store has read of a block it has from memcached the next time.
        """
        day = str(int(time.time()) - 20 * history.DAY)

        def assert_remembered() -> None:
            assert answers(query, 'sum(count_over_time(history_value{cluster="history"}[1h]))', time=day)
            [calls] = query.query('sum(thanos_memcached_operations_total{job="thanos-store"})')
            [hits] = query.query('sum(thanos_store_index_cache_hits_total{job="thanos-store"})')
            failures = query.query('sum(thanos_memcached_operation_failures_total{job="thanos-store"}) or vector(0)')
            assert hits.value > 0
            assert failures[0].value < 0.05 * calls.value  # as ThanosStoreCacheFailing has it

        eventually(assert_remembered, 180)


class TestRights:
    @pytest.mark.parametrize(
        ("role", "may"),
        [
            ("sidecar", {"GET", "POST"}),
            ("receive", {"GET", "POST"}),
            ("ruler", {"GET", "POST"}),
            ("store", {"GET"}),
            ("web", {"GET"}),
            ("compactor", {"GET", "POST", "DELETE"}),
        ],
    )
    def test_stop_at_the_bucket(self, thanos: Stack, role: str, may: set[str]) -> None:
        """
        With the token that a role's pods get, one may read, write or delete in the bucket just what the role does.
        """
        [email] = [
            record["email"]
            for record in cloud.of_type(cloud.records(), cloud.ACCOUNT)
            if record["email"].partition("@")[0].endswith(f"-{role}")
        ]
        name = f"written-by-{role}"
        paths = {
            "POST": f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}",
            "GET": bucket.path(name),
            "DELETE": bucket.path(name),
        }
        with bucket.client(email) as client:
            statuses = {
                method: client.request(method, path, extensions=bucket.SNI).status_code
                for method, path in paths.items()
            }
        assert {method for method, status in statuses.items() if status != httpx.codes.FORBIDDEN} == may
