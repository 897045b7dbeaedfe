"""Thanos in three real clusters: two Prometheus, a bucket, and a Receive that the agents write to."""

import copy
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fleet.hub import Hub
from lab import cloud, objectstore
from lab.kubectl import kubectl

from . import history
from .fixtures import FLEET
from .stack import Stack, eventually, stack_file

pytestmark = pytest.mark.lab
BUCKET = "promfleet-blocks"
STATEFUL_SET, REPLICAS = "statefulset/prometheus-hub", 2
THANOS = {
    "storage": {"gcs": {"project": cloud.PROJECT, "bucket": BUCKET, "protect": False}},
    "block": "1m",
    "queryFrontend": {},
    "compactor": {"storage": "1Gi"},
    "store": {"storage": "1Gi"},
    "ruler": {"storage": "1Gi"},
    "bucketWeb": {},
    "receive": {
        "storage": "1Gi",
        "expose": {"host": "receive.promfleet-lab.svc.cluster.local", "nodePort": 30447},
    },
    "expose": {"host": "query.promfleet-lab.svc.cluster.local", "nodePort": 30448},
}


@pytest.fixture(scope="module")
def thanos(lab, deployed: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The dev stack with two Prometheus and all of Thanos, and back again at the end."""
    original = deployed.config
    fleet = copy.deepcopy(FLEET)
    fleet["hub"]["replicas"] = REPLICAS
    deployed.config = stack_file(tmp_path_factory.mktemp("thanos") / "Pulumi.thanos.yaml", fleet | {"thanos": THANOS})
    lab.connect()
    deployed.up()
    yield deployed
    deployed.config = original
    for name in objects():
        objectstore.ask("DELETE", f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}")
    deployed.up()


@pytest.fixture
def query(thanos: Stack, hub_of) -> Iterator[Hub]:
    with hub_of(thanos) as query:
        yield query


def objects() -> list[str]:
    """Names of everything in the bucket."""
    found = objectstore.ask("GET", f"/storage/v1/b/{BUCKET}/o") or {}
    return [item["name"] for item in found.get("items", [])]


def ask(query: Hub, promql: str, **how: str) -> list[dict[str, Any]]:
    """Answer an instant query, with parameters of Thanos' own."""
    return query.get("/api/v1/query", query=promql, **how).json()["data"]["result"]


class TestUpdate:
    def test_shows_no_changes_afterwards(self, thanos: Stack) -> None:
        """
        Buckets, identities and roles are at rest after one `pulumi up`.
        """
        assert "unchanged" in thanos.pulumi("preview", "--expect-no-changes")

    @pytest.mark.parametrize("cluster", FLEET["clusters"])
    def test_could_create_everything_again(self, lab, thanos: Stack, cluster: str) -> None:
        """
        An update that is killed while it creates leaves objects that no state knows; the next one creates them again.

        The provider then applies under another manager's name, which is refused where the server has added to what
        the first one said: everything that it would add must have been said. Of Secrets the state has no plain text.
        """
        made = [r["inputs"] for r in thanos.resources(cluster) if r["type"] != "kubernetes:core/v1:Secret"]
        assert made
        applying = ("apply", "--server-side", "--dry-run=server", "--field-manager=after-a-crash", "--filename=-")

        kubectl(*applying, context=cluster, kubeconfig=lab.kubeconfig, given="\n".join(map(json.dumps, made)))

    def test_every_role_is_scraped(self, query: Hub) -> None:
        """
        The hub's Prometheus have a target per pod of each role, and none is down.
        """
        expected = {
            "thanos-sidecar": 2,
            "thanos-query": 2,
            "thanos-query-frontend": 2,
            "thanos-store": 1,
            "thanos-compactor": 1,
            "thanos-ruler": 2,
            "thanos-receive": 5,
        }

        def assert_up() -> None:
            found = query.query('sum by (job) (up{job=~"thanos-.+", cluster="hub"})')
            assert {s.labels["job"]: s.value for s in found} == expected

        eventually(assert_up, 240)


class TestReplicas:
    def test_one_may_be_missed(self, lab, query: Hub) -> None:
        """
        While a Prometheus is away for two minutes, Query answers without a gap: one series, and two unfolded.
        """
        up = 'up{job="kubelet", cluster="hub"}'

        def assert_both() -> None:
            assert len(ask(query, up, dedup="false")) == REPLICAS

        eventually(assert_both, 120)
        before = time.time()
        lab.kubectl("hub", "-n", "promfleet", "scale", STATEFUL_SET, "--replicas=1")
        try:

            def assert_two_minutes() -> None:
                assert time.time() > before + 120
                assert len(ask(query, up, dedup="true")) == 1

            eventually(assert_two_minutes, 180)
        finally:
            lab.kubectl("hub", "-n", "promfleet", "scale", STATEFUL_SET, f"--replicas={REPLICAS}")

        eventually(assert_both, 180)
        [folded] = query.query_range(up, before, time.time(), 15)
        assert max(b - a for a, b in zip(folded.times, folded.times[1:], strict=False)) == 15
        assert {*folded.values} == {1.0}


class TestBlocks:
    def test_reach_the_bucket_and_are_answered_from_it(self, query: Hub) -> None:
        """
        What sidecars and ingestors uploaded, the Store alone answers as they do.
        """
        metas = lambda: [name for name in objects() if name.endswith("/meta.json")]  # noqa: E731

        def assert_uploaded() -> None:
            assert len(metas()) >= 4

        eventually(assert_uploaded, 300)

        def assert_equal() -> None:
            then = str(time.time() - 240)
            from_all = ask(query, 'sum(kube_pod_info{cluster="hub"})', time=then)
            from_store = ask(
                query, 'sum(kube_pod_info{cluster="hub"})', time=then, **{"storeMatch[]": '{__address__=~"10.*:10901"}'}
            )
            assert from_all
            assert [one["value"][1] for one in from_store] == [one["value"][1] for one in from_all]

        eventually(assert_equal, 240)


@pytest.fixture(scope="module")
def past(lab, thanos: Stack, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """A month of blocks in the bucket; the Unix times between which they are."""
    end = int(time.time()) // history.DAY * history.DAY - history.DAY
    start = end - 31 * history.DAY
    for block in history.write_blocks(tmp_path_factory.mktemp("history"), start, end):
        history.upload(BUCKET, block, lab.ca)
    return start, end


class TestHistory:
    def test_is_compacted_and_downsampled_to_equal_sums(self, lab, query: Hub, past: tuple[int, int]) -> None:
        """
        All three resolutions of the same fortnight exist, and each answers the same sum.
        """
        old = history.CLUSTER

        def assert_downsampled() -> None:
            found = [meta for meta in history.metas(BUCKET, lab.ca) if meta["thanos"]["labels"]["cluster"] == old]
            assert {meta["thanos"]["downsample"]["resolution"] for meta in found} == {0, 300_000, 3_600_000}

        eventually(assert_downsampled, 900)
        [coarse, *_] = [
            meta
            for meta in history.metas(BUCKET, lab.ca)
            if meta["thanos"]["labels"]["cluster"] == old and meta["thanos"]["downsample"]["resolution"] == 3_600_000
        ]
        hours = (coarse["maxTime"] - coarse["minTime"]) // 3_600_000 - 1
        asked = f'sum(sum_over_time(history_value{{cluster="{old}"}}[{hours}h]))'

        def assert_equal() -> None:
            at = str(coarse["minTime"] // 1000 + hours * 3600)
            sums = {
                resolution: float(ask(query, asked, time=at, max_source_resolution=resolution)[0]["value"][1])
                for resolution in ("0s", "5m", "1h")
            }
            assert set(sums.values()) == {history.SERIES * hours * 3600 / history.STEP}, sums

        eventually(assert_equal, 240)


class TestReceive:
    def test_gives_each_agent_a_tenant(self, query: Hub) -> None:
        """
        The tenant is who came through the door.
        """

        def assert_tenants() -> None:
            found = query.query('count by (cluster, tenant_id) (up{job="kubelet"})')
            assert {(s.labels["cluster"], s.labels.get("tenant_id", "")) for s in found} == {
                ("hub", ""),
                ("eu1", "system:serviceaccount:promfleet:writer-eu1"),
                ("us1", "system:serviceaccount:promfleet:writer-us1"),
            }

        eventually(assert_tenants, 180)

    def test_loses_nothing_with_an_ingestor(self, lab, query: Hub) -> None:
        """
        An ingestor of three is killed; writes go on, and no scrape is missing.
        """
        started = time.time()
        lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "thanos-receive-1", "--grace-period=0", "--force")

        def assert_back() -> None:
            assert time.time() > started + 90
            assert [s.value for s in query.query('sum(up{job="thanos-receive"})')] == [5]

        eventually(assert_back, 240)
        for line in query.query_range('up{job="kubelet", cluster=~"eu1|us1"}', started, time.time() - 15, 15):
            assert max(b - a for a, b in zip(line.times, line.times[1:], strict=False)) == 15


class TestRights:
    @pytest.mark.parametrize(
        ("role", "may"),
        [
            ("sidecar", {"GET"}),
            ("receive", {"GET"}),
            ("store", {"GET"}),
            ("web", {"GET"}),
            ("compactor", {"GET", "DELETE"}),
        ],
    )
    def test_stop_at_the_bucket(self, lab, thanos: Stack, role: str, may: set[str]) -> None:
        """
        The token that a role's pods get reads the bucket; only the compactor's deletes.
        """
        [email] = [
            record["email"]
            for record in cloud.of_type(cloud.records(), cloud.ACCOUNT)
            if record["email"].partition("@")[0].endswith(f"-{role}")
        ]
        address = f"https://{objectstore.ADDRESS}/storage/v1/b/{BUCKET}/o/nothing-here"
        headers = {"Authorization": f"Bearer {cloud.token(email)}", "Host": objectstore.HOST}
        with httpx.Client(verify=str(lab.ca), headers=headers) as client:
            answers = {
                method: client.request(method, address, extensions={"sni_hostname": objectstore.HOST}).status_code
                for method in ("GET", "DELETE")
            }
        assert {method for method, status in answers.items() if status != 403} == may
