"""Thanos in three real clusters: two Prometheus, a bucket, and a Receive that the agents write to."""

import copy
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import yaml

from dashboards import shown
from fleet.hub import Hub
from lab import cloud, objectstore, pki
from lab.build import command
from settings import Fleet

from . import catalogue, elsewhere, history
from .fixtures import FLEET
from .stack import Stack, eventually, stack_file

pytestmark = pytest.mark.lab
BUCKET = "promfleet-blocks"
REPLICAS = 2
INTERVAL = 15
"""Seconds between two scrapes."""
BAD_TIME = 300
"""Seconds that the object store is away for, and all else that goes wrong with it."""
RECEIVE = {"host": "receive.promfleet-lab.svc.cluster.local", "nodePort": 30447}
THANOS: dict[str, Any] = {
    "storage": {"gcs": {"project": cloud.PROJECT, "bucket": BUCKET}},
    "block": "1m",
    "queryFrontend": {},
    "compactor": {"storage": "1Gi", "retention": {"raw": "40d", "fiveMinutes": "90d"}},
    "store": {"storage": "1Gi"},
    "ruler": {"storage": "1Gi"},
    "bucketWeb": {},
    "receive": {"storage": "1Gi", "expose": RECEIVE},
    "expose": {"host": "query.promfleet-lab.svc.cluster.local", "nodePort": 30448},
}
IMPATIENT = {
    name: {"for": "15s"}
    for name in (
        "PrometheusReplicaMissing",
        "ThanosSidecarBucketOperationsFailed",
        "ThanosReceiveTenantLimitedByHeadSeries",
        "ThanosBlocksPartial",
        "ThanosBlocksCorrupted",
        "KubePodCrashLooping",
    )
}


PLAIN = Fleet.model_validate(FLEET)
WHOLE = Fleet.model_validate({**FLEET, "hub": {**FLEET["hub"], "replicas": REPLICAS}, "thanos": THANOS})
NOT_HERE = {
    "thanos_memcached_operation_failures_total": "only the variant has a memcached",
    "thanos_memcached_operations_total": "likewise",
    "thanos_receive_head_series_limited_requests_total": "only in the bad time is a tenant limited",
    "thanos_receive_metamonitoring_failed_queries_total": "likewise",
}
"""Metrics that rules about Thanos read and this lab lacks, and why."""
SILENT_PANELS = {
    ("promfleet-thanos", "Calls that fail"): "none does",
    ("promfleet-thanos", "Bucket cache"): "only the variant has a memcached",
    ("promfleet-thanos-writes", "Refused for too many series"): "only in the bad time is a tenant limited",
}
"""Board and panel of which a query has no answer in this lab, and why."""


def tenant(cluster: str) -> str:
    """Name who comes through the write door with a cluster's token."""
    return f"system:serviceaccount:promfleet:writer-{cluster}"


class Deployed(NamedTuple):
    """The stack, and a way to change its section about Thanos; None takes it out."""

    stack: Stack
    write: Callable[[dict[str, Any] | None], None]


@pytest.fixture(scope="module")
def deployment(lab, deployed: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The dev stack with two Prometheus and all of Thanos, and back again at the end."""
    original = deployed.config
    file = tmp_path_factory.mktemp("thanos") / "Pulumi.thanos.yaml"

    def write(thanos: dict[str, Any] | None) -> None:
        fleet = copy.deepcopy(FLEET)
        fleet["alerts"]["rules"] |= IMPATIENT
        if thanos:
            fleet["hub"]["replicas"] = REPLICAS
            fleet["thanos"] = thanos
        deployed.config = stack_file(file, fleet)

    write(THANOS)
    lab.connect()
    deployed.up()
    yield Deployed(deployed, write)
    write(changed("storage", gcs={**THANOS["storage"]["gcs"], "protect": False}))
    deployed.up()
    deployed.config = original
    if objects():
        assert "bucket must be empty" in deployed.up(fails=True)  # until its writers are gone, it fills up again
        for name in objects():
            objectstore.ask("DELETE", f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}")
    deployed.up()


@pytest.fixture(scope="module")
def thanos(deployment: Deployed) -> Stack:
    return deployment.stack


def changed(section: str, **values: Any) -> dict[str, Any]:
    """Give what is deployed, with other values in one of its sections."""
    return {**THANOS, section: {**THANOS[section], **values}}


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


def gaps(query: Hub, promql: str, start: float, end: float) -> dict[str, float]:
    """
    The longest time without a sample of each cluster's one series, in seconds.

    A range query would hide a gap under the lookback: this one counts what was stored.
    """
    window = int(end - start)
    found = ask(query, f"{promql}[{window}s]", time=str(end))
    assert found
    times = {series["metric"]["cluster"]: [at for at, _ in series["values"]] for series in found}
    assert len(times) == len(found)
    return {cluster: max(b - a for a, b in zip([start, *at], [*at, end], strict=True)) for cluster, at in times.items()}


@contextmanager
def away(lab, *pods: str) -> Generator[None]:
    """Kill pods of the hub's cluster, and let nothing start there until the end."""
    lab.kubectl("hub", "cordon", "hub")
    try:
        lab.kubectl("hub", "-n", "promfleet", "delete", "pod", *pods, "--grace-period=1")
        yield
    finally:
        lab.kubectl("hub", "uncordon", "hub")


class TestUpdate:
    def test_shows_no_changes_afterwards(self, thanos: Stack) -> None:
        """
        Buckets, identities and roles are at rest after one `pulumi up`.
        """
        assert "unchanged" in thanos.pulumi("preview", "--expect-no-changes")

    @pytest.mark.parametrize("cluster", FLEET["clusters"])
    def test_could_create_everything_again(self, lab, thanos: Stack, cluster: str) -> None:
        """
        What an update that was killed has left, which no state knows, does not stand in the next one's way.
        """
        lab.create_again(cluster, thanos)

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


class TestTenants:
    def test_are_who_came_through_the_door(self, query: Hub) -> None:
        """
        Each agent's samples carry its identity, the hub's own none.
        """

        def assert_tenants() -> None:
            up = 'up{job="kubelet"}'  # what agents wrote to the hub before they wrote to Receive is still in sight
            found = query.query(f"count by (cluster, tenant_id) ({up} and time() - timestamp({up}) < 60)")
            assert {(s.labels["cluster"], s.labels.get("tenant_id", "")) for s in found} == {
                ("hub", ""),
                ("eu1", tenant("eu1")),
                ("us1", tenant("us1")),
            }

        eventually(assert_tenants, 180)

    def test_can_not_be_chosen(self, lab, thanos: Stack, query: Hub, tmp_path: Path) -> None:
        """
        Who names another tenant in the header still writes as themselves.
        """
        config = tmp_path / "http.yml"
        token = thanos.outputs["identities"]["eu1"]
        config.write_text(
            yaml.safe_dump({"authorization": {"credentials": token}, "tls_config": {"ca_file": str(lab.ca)}})
        )
        pushing = [command("promtool"), "push", "metrics", f"--http.config.file={config}", "--label=cluster=eu1"]
        pushing += [f"--header=THANOS-TENANT={tenant('us1')}", "--remote-write.path=/api/v1/receive"]
        where = f"https://{lab.node_address('hub')}:{RECEIVE['nodePort']}"

        subprocess.run([*pushing, where], input=b"forged_metric 1\n", check=True)

        def assert_own() -> None:
            assert {s.labels["tenant_id"] for s in query.query("forged_metric")} == {tenant("eu1")}

        eventually(assert_own, 60)


class Past(NamedTuple):
    """Broken blocks that were put into the bucket, by their ULIDs."""

    partial: str
    """Its upload broke off: it has no meta.json."""
    unreadable: str
    """Its meta.json is no JSON."""


@pytest.fixture(scope="module")
def past(lab, thanos: Stack, tmp_path_factory: pytest.TempPathFactory) -> Past:
    """A month of blocks, older ones, and two that are broken; the Compactor begins with them at once."""
    today = int(time.time()) // (2 * history.DAY) * 2 * history.DAY
    days = {"history": (32, 2), "ancient": (62, 58), "broken": (50, 48)}
    made = {
        name: history.write_blocks(
            tmp_path_factory.mktemp(name), name, today - first * history.DAY, today - last * history.DAY
        )
        for name, (first, last) in days.items()
    }
    now = int(time.time() * 1000)  # older ones the compactor takes away by itself
    partial, unreadable, *_ = (block.rename(block.with_name(history.aged(block.name, now))) for block in made["broken"])
    (partial / "meta.json").unlink()
    (unreadable / "meta.json").write_text("{")
    for block in (*made["history"], *made["ancient"], partial, unreadable):
        history.upload(BUCKET, block, lab.ca)
    lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "thanos-compactor-0")
    return Past(partial.name, unreadable.name)


class TestHistory:
    def test_is_compacted_and_downsampled_to_equal_sums(self, lab, query: Hub, past: Past) -> None:
        """
        All three resolutions of the same fortnight exist, and each answers the same sum.
        """

        def resolutions() -> dict[int, list[dict[str, Any]]]:
            found: dict[int, list[dict[str, Any]]] = {}
            for meta in history.read(BUCKET, lab.ca, "meta.json"):
                if meta["thanos"]["labels"].get("cluster") == "history":
                    found.setdefault(meta["thanos"]["downsample"]["resolution"], []).append(meta)
            return found

        def assert_downsampled() -> None:
            assert resolutions().keys() == {0, 300_000, 3_600_000}

        eventually(assert_downsampled, 600)
        [coarse, *_] = resolutions()[3_600_000]
        hours = (coarse["maxTime"] - coarse["minTime"]) // 3_600_000 - 1
        asked = f'sum(sum_over_time(history_value{{cluster="history"}}[{hours}h]))'

        def assert_equal() -> None:
            at = str(coarse["minTime"] // 1000 + hours * 3600)
            sums = {
                resolution: float(ask(query, asked, time=at, max_source_resolution=resolution)[0]["value"][1])
                for resolution in ("0s", "5m", "1h")
            }
            exact = history.SERIES * hours * 3600 / history.STEP
            assert sums == pytest.approx(dict.fromkeys(sums, exact), rel=1e-3)  # an aggregate lies where its time ends

        eventually(assert_equal, 240)

    def test_loses_what_is_past_its_retention_and_nothing_else(self, lab, past: Past) -> None:
        """
        Raw blocks that are too old are marked for deletion; their aggregates, and all that is younger, stay.
        """

        def assert_marked() -> None:
            marks = {mark["id"]: mark["details"] for mark in history.read(BUCKET, lab.ca, "deletion-mark.json")}
            blocks = {meta["ulid"]: meta["thanos"] for meta in history.read(BUCKET, lab.ca, "meta.json")}
            too_old = [blocks[ulid] for ulid, why in marks.items() if "retention" in why]
            assert {(block["labels"].get("cluster"), block["downsample"]["resolution"]) for block in too_old} == {
                ("ancient", 0)
            }
            kept = [block for ulid, block in blocks.items() if ulid not in marks]
            assert {b["downsample"]["resolution"] for b in kept if b["labels"].get("cluster") == "ancient"} == {300_000}

        eventually(assert_marked, 120)

    def test_tells_of_broken_blocks(self, lab, past: Past, operate_of, thanos: Stack) -> None:
        """
        A block without its meta.json and one with a damaged one are left alone, and somebody is told.
        """
        with operate_of(thanos) as operate:

            def assert_told() -> None:
                assert told(operate) >= {"ThanosBlocksPartial", "ThanosBlocksCorrupted"}

            eventually(assert_told, 240)
        left = {name.partition("/")[0] for name in objects()}
        assert {past.partial, past.unreadable} <= left


class TestCatalogue:
    def test_every_rule_is_evaluated(self, query: Hub) -> None:
        """
        By the hub's Prometheus or by a Ruler, and Query knows of all of them.
        """

        def assert_healthy() -> None:
            found = query.get("/api/v1/rules").json()["data"]["groups"]
            assert {group["name"] for group in found} == catalogue.groups(WHOLE).keys()
            assert catalogue.unhealthy(query) == {}

        eventually(assert_healthy, 180)

    def test_rules_read_metrics_that_exist(self, query: Hub, past: Past) -> None:
        """
        Each metric that only a rule about Thanos reads is there, or known to be missing here.
        """
        read = catalogue.metrics(WHOLE) - catalogue.metrics(PLAIN)

        def assert_present() -> None:
            present = catalogue.names(query)
            assert sorted(read - present - NOT_HERE.keys()) == []
            assert sorted(NOT_HERE.keys() & present) == []

        eventually(assert_present, 180)

    def test_every_panel_has_an_answer(self, query: Hub, past: Past) -> None:
        """
        Each query of the boards about Thanos finds something.
        """
        boards = tuple(board for board in shown(WHOLE) if board not in shown(PLAIN))
        assert boards

        def assert_answered() -> None:
            found = catalogue.silent(query, boards, [{"cluster": "hub", "__rate_interval": "1m"}])
            assert {key: found[key] for key in found.keys() - SILENT_PANELS.keys()} == {}
            assert sorted(SILENT_PANELS.keys() - found.keys()) == []

        eventually(assert_answered, 180)


def told(operate: httpx.Client) -> set[str]:
    """Names of the alerts that Alertmanager has."""
    return {alert["labels"]["alertname"] for alert in operate.get("/api/v2/alerts").json()}


class Trouble(NamedTuple):
    """When it began and ended (Unix times), and the alerts that Alertmanager had at its end."""

    began: float
    ended: float
    alerts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def trouble(lab, deployment: Deployed, past: Past, operate_of) -> Trouble:
    """
    Five bad minutes.

    The object store is away, one Prometheus of two and one ingestor of three are killed, and us1 has more series than
    it may; the rollout that ends it finds the ingestor starting.
    """
    stack = deployment.stack
    deployment.write(changed("receive", seriesLimits={"us1": 100}))
    stack.up()
    began = time.time()
    with operate_of(stack) as operate, away(lab, "prometheus-hub-1", "thanos-receive-1"):
        objectstore.stop()
        try:

            def assert_over() -> None:
                assert time.time() > began + BAD_TIME
                assert told(operate) >= {
                    "PrometheusReplicaMissing",
                    "ThanosSidecarBucketOperationsFailed",
                    "ThanosReceiveTenantLimitedByHeadSeries",
                }

            eventually(assert_over, BAD_TIME + 120)
            alerts = operate.get("/api/v2/alerts").json()
        finally:
            objectstore.start()
    deployment.write(THANOS)
    stack.up()
    return Trouble(began, time.time(), alerts)


class TestTrouble:
    def test_is_told_once(self, trouble: Trouble) -> None:
        """
        Two Rulers see the replica that is gone; Alertmanager has one alert, with no label of a replica.
        """
        [labels] = [a["labels"] for a in trouble.alerts if a["labels"]["alertname"] == "PrometheusReplicaMissing"]

        assert labels["cluster"] == "hub"
        assert "replica" not in labels

    def test_leaves_no_gap(self, trouble: Trouble, query: Hub) -> None:
        """
        Of each cluster there is a sample for every scrape: the twin's, the other ingestors', what us1's agent kept.
        """

        def assert_whole() -> None:
            longest = gaps(query, 'up{job="kubelet"}', trouble.began, trouble.ended)
            assert longest.keys() == set(FLEET["clusters"])
            assert max(longest.values()) < 1.9 * INTERVAL, longest

        eventually(assert_whole, 180)

    def test_is_one_series_of_two(self, trouble: Trouble, query: Hub) -> None:
        """
        Query folds the twins into one; asked not to, it shows both.
        """
        up = 'up{job="kubelet", cluster="hub"}'

        def assert_both() -> None:
            assert len(ask(query, up, dedup="false")) == REPLICAS
            assert len(ask(query, up)) == 1

        eventually(assert_both, 180)

    def test_makes_the_agent_try_again(self, trouble: Trouble, query: Hub) -> None:
        """
        The agent that was answered 429 kept what it had, and counted how often it tried.
        """
        window = f"[{int(trouble.ended - trouble.began)}s]"

        def assert_retried() -> None:
            asked = f'sum(increase(prometheus_remote_storage_samples_retried_total{{cluster="us1"}}{window}))'
            [retried] = ask(query, asked, time=str(trouble.ended))
            assert float(retried["value"][1]) > 0

        eventually(assert_retried, 120)

    def test_is_caught_up_with_in_the_bucket(self, lab, trouble: Trouble) -> None:
        """
        The blocks of the Prometheus that stayed lie there without a gap.
        """

        def assert_uploaded() -> None:
            blocks = sorted(
                (meta["minTime"] / 1000, meta["maxTime"] / 1000)
                for meta in history.read(BUCKET, lab.ca, "meta.json")
                if meta["thanos"]["labels"].get("replica") == "prometheus-hub-0"
            )
            reached = trouble.began
            for start, end in blocks:
                assert start <= reached + INTERVAL or end <= trouble.began
                reached = max(reached, end)
            assert reached >= trouble.ended

        eventually(assert_uploaded, 300)


class TestBlocks:
    def test_answer_for_data_that_is_gone(self, lab, trouble: Trouble, query: Hub) -> None:
        """
        What Prometheus wrote is in the bucket: with its volumes empty, Query answers the same.
        """
        asked = {"query": 'sum by (namespace) (kube_pod_info{cluster="hub"})', "step": str(INTERVAL)}
        asked |= {"start": str(trouble.began), "end": str(trouble.began + BAD_TIME)}

        def answer() -> list[dict[str, Any]]:
            found = query.get("/api/v1/query_range", **asked).json()["data"]["result"]
            return sorted(found, key=lambda series: series["metric"]["namespace"])

        before = answer()
        assert before
        claims = json.loads(lab.kubectl("hub", "get", "persistentvolumes", "-o", "json"))["items"]
        folders = [
            Path(claim["spec"]["local"]["path"])
            for claim in claims
            if claim["spec"]["claimRef"]["name"].startswith("data-prometheus-hub-")
        ]
        assert len(folders) == REPLICAS
        with away(lab, *(f"prometheus-hub-{number}" for number in range(REPLICAS))):
            for entry in (entry for folder in folders for entry in folder.iterdir()):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

        def assert_same() -> None:
            assert answer() == before

        eventually(assert_same, 120)


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
    def test_stop_at_the_bucket(self, lab, thanos: Stack, role: str, may: set[str]) -> None:
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
            "GET": f"/storage/v1/b/{BUCKET}/o/{name}",
            "DELETE": f"/storage/v1/b/{BUCKET}/o/{name}",
        }
        with history.client(lab.ca, email) as client:
            answers = {
                method: client.request(method, path, extensions=history.SNI).status_code
                for method, path in paths.items()
            }
        assert {method for method, status in answers.items() if status != httpx.codes.FORBIDDEN} == may


@pytest.fixture(scope="module")
def damaged(lab, trouble: Trouble, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Blocks in the bucket whose index can't be read; the Compactor begins with them at once."""
    today = int(time.time()) // (2 * history.DAY) * 2 * history.DAY
    folder = tmp_path_factory.mktemp("damaged")
    for block in history.write_blocks(folder, "damaged", today - 20 * history.DAY, today - 12 * history.DAY):
        index = (block / "index").read_bytes()
        (block / "index").write_bytes(index[: len(index) // 2] + b"\0" * (len(index) - len(index) // 2))
        history.upload(BUCKET, block, lab.ca)
    lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "thanos-compactor-0")


@pytest.fixture(scope="module")
def varied(lab, deployment: Deployed, damaged: None) -> Iterator[Stack]:
    """The same with stateless Rulers, a shared cache, and a Query that asks a sidecar of another cluster."""
    authority = pki.authority("elsewhere")
    host = lab.node_address("eu1")
    lab.apply("eu1", elsewhere.objects(pki.issue(authority, "sidecar", hosts=[host]), authority.certificate))
    shown = elsewhere.certificates("elsewhere", "promfleet", pki.issue(authority, "query"), authority.certificate)
    lab.apply("hub", [shown])
    endpoint = {"address": f"{host}:{elsewhere.PORT}", "tlsSecret": "elsewhere"}
    further = {"query": {"endpoints": [endpoint]}, "memcached": {"memory": "64Mi"}}
    deployment.write({**changed("ruler", results="receive"), **further})
    deployment.stack.up()
    yield deployment.stack
    lab.kubectl("hub", "-n", "promfleet", "delete", "secret", "elsewhere")
    lab.kubectl("eu1", "delete", "namespace", elsewhere.NAMESPACE, "--wait=false")


class TestVaried:
    def test_shows_no_changes_afterwards(self, varied: Stack) -> None:
        """
        The variant is at rest as well.
        """
        assert "unchanged" in varied.pulumi("preview", "--expect-no-changes")

    def test_query_asks_another_clusters_sidecar(self, varied: Stack, query: Hub) -> None:
        """
        Each side shows the other a certificate, and the other cluster's samples are answered.
        """

        def assert_answered() -> None:
            assert [s.value for s in query.query(f'up{{cluster="{elsewhere.CLUSTER}"}}')] == [1]

        eventually(assert_answered, 120)

    def test_stores_remember_in_memcached(self, varied: Stack, query: Hub) -> None:
        """
        What a Store has read of a block it has from memcached the next time.
        """
        day = str(int(time.time()) - 20 * history.DAY)

        def assert_remembered() -> None:
            assert ask(query, 'sum(count_over_time(history_value{cluster="history"}[1h]))', time=day)
            [calls] = query.query('sum(thanos_memcached_operations_total{job="thanos-store"})')
            [hits] = query.query('sum(thanos_store_index_cache_hits_total{job="thanos-store"})')
            failures = query.query('sum(thanos_memcached_operation_failures_total{job="thanos-store"}) or vector(0)')
            assert hits.value > 0
            assert failures[0].value < 0.05 * calls.value  # as ThanosStoreCacheFailing has it

        eventually(assert_remembered, 180)

    def test_stateless_rulers_write_to_receive(self, varied: Stack, query: Hub) -> None:
        """
        What two Rulers recorded is one series, under a tenant of their own.
        """

        def assert_written() -> None:
            found = query.query('promfleet_thanos_replicas_expected{tenant_id!=""}')
            assert [(s.labels["tenant_id"], s.value) for s in found] == [
                ("system:serviceaccount:promfleet:thanos-ruler", REPLICAS)
            ]

        eventually(assert_written, 180)

    def test_ingestors_do_not_vanish_at_once(self, varied: Stack, deployment: Deployed) -> None:
        """
        The update is refused that would take away all that have some sample.
        """
        deployment.write(changed("receive", replicas=1, replication=1))

        said = varied.pulumi("preview", fails=True)

        assert "3 ingestors can't become 1 at once" in said
        assert "Write 2," in said


class TestDamagedIndex:
    def test_does_not_stop_the_compactor_unnoticed(self, thanos: Stack, damaged: None, operate_of) -> None:
        """
        A block whose index can't be read makes it crash again and again; somebody is told.
        """
        with operate_of(thanos) as operate:

            def assert_told() -> None:
                crashing = operate.get("/api/v2/alerts", params={"filter": 'alertname="KubePodCrashLooping"'}).json()
                assert [alert["labels"]["pod"] for alert in crashing] == ["thanos-compactor-0"]

            eventually(assert_told, 300)


class TestProtection:
    def test_keeps_the_bucket_until_it_is_lifted(self, deployment: Deployed) -> None:
        """
        Who takes Thanos out of the stack file is told so before anything is taken away.
        """
        deployment.write(None)

        said = deployment.stack.pulumi("up", "--yes", fails=True)

        assert "gcp:storage/bucket:Bucket" in said
        assert "cannot be deleted" in said
        assert "protect" in said
        assert "deleted (" not in said
