"""What no target can do, whoever deploys it: cost others their samples, speak for others, or lead elsewhere."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import render
from render.scrape.allowlist import ESSENTIAL
from render.scrape.relabel import MOVED
from render.thanos import bucket_roles, query, receive, ruler
from settings import Fleet, Limits
from settings.loading.read import read
from settings.reserved import OF_BLOCKS
from tests.mutations import FILES, RIGHT
from tests.rendered import server, server_config

from .relabelling import Labels, relabel

RECEIVED = 32 * 2**20
"""`maxDecodedSize` of client_golang's remote API: a request that is larger is refused for good."""
LABELS, NAMES, VALUES = st.integers(30, 1000), st.integers(64, 1024), st.integers(256, 65536)
AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
Config = dict[str, Any]


def fleet(**scrape: Any) -> Fleet:
    """A hub with all that can stand beside it, and an agent."""
    expose = {"host": "hub.example", "tls": {"secret": "tls"}}
    return Fleet.model_validate(
        {
            "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1"}},
            "hub": {"cluster": "hub", "replicas": 2, "storage": "1Ti", "expose": expose},
            "agents": {"eu1": {}},
            "alertmanager": {"receivers": {"all": {}}, "default": "all"},
            "pushgateway": {},
            "probes": {"shop": {"targets": ["https://shop.example"]}},
            "thanos": {
                "storage": {"filesystem": {"claim": "blocks"}},
                "queryFrontend": {},
                "ruler": {"results": "receive"},
                "receive": {"expose": {"host": "receive.example"}},
            },
            "scrape": scrape,
        }
    )


def hub(described: Fleet) -> Config:
    return server_config(described)


def agent(described: Fleet, cluster: str = "eu1", *, own: bool = True) -> Config:
    url = "https://hub.example/api/v1/write"
    text = render.agent_config(described, cluster, url, own=own, ca_file=None, token_file="/etc/token")
    return yaml.load(text, yaml.CSafeLoader)


def jobs(described: Fleet) -> dict[str, Config]:
    """All jobs of a fleet's hub, by name."""
    return {job["job_name"]: job for job in hub(described)["scrape_configs"]}


def shapes() -> Iterator[Config]:
    """The configuration of each hub and each agent of this repository's stack files and pages."""
    for written in RIGHT:
        described = read(written, "an example", lambda key: True, FILES)
        if described.hub:
            yield hub(described)
        yield from (agent(described, cluster, own=own) for cluster in described.agents for own in (True, False))


SHAPES = [*shapes()]


def _is_a_hub(write: Config) -> bool:
    """Whether this receiver is not one of people's own, who say what leaves for it."""
    return write.get("name") in (None, "hub", "receiver")


class TestLimits:
    @given(LABELS, NAMES, VALUES)
    def test_a_request_is_never_larger_than_what_a_hub_takes(self, labels: int, name: int, value: int) -> None:
        """
        Samples with all the labels that they may carry, each as long as it may be, fit; or the file is refused.
        """
        try:
            limits = Limits.model_validate({"labels": labels, "labelName": name, "labelValue": value})
        except ValidationError:
            assert labels * (name + value) * 100 > RECEIVED / 2
            return
        made = agent(fleet(limits=limits))
        of_a_series = made["global"]["label_limit"] * (
            made["global"]["label_name_length_limit"] + made["global"]["label_value_length_limit"]
        )

        assert 100 <= made["remote_write"][0]["queue_config"]["max_samples_per_send"] <= RECEIVED / of_a_series

    @pytest.mark.parametrize("made", SHAPES)
    def test_every_series_has_an_end(self, made: Config) -> None:
        """
        No job of any shape is without a limit of its labels, and none has one of its own that is wider.
        """
        lengths = ("label_limit", "label_name_length_limit", "label_value_length_limit")

        assert all(made["global"][limit] > 0 for limit in lengths)
        assert not any(limit in job for limit in lengths for job in made["scrape_configs"])

    @pytest.mark.parametrize("job", ["pods", "services", "pushgateway"])
    def test_what_anybody_deploys_may_bring_less(self, job: str) -> None:
        """
        A stranger gets a tenth of an exporter's room, until the stack file says otherwise.
        """
        described = fleet()
        raised = fleet(limits={"annotated": {"samples": 50_000, "body": "64Mi"}})

        made = jobs(described)[job]

        assert made["sample_limit"] * 10 <= hub(described)["global"]["sample_limit"]
        assert (made["sample_limit"], made["body_size_limit"]) == (10_000, "8MiB")
        assert (jobs(raised)[job]["sample_limit"], jobs(raised)[job]["body_size_limit"]) == (50_000, "64MiB")

    @pytest.mark.parametrize("metrics", ["essential", "full"])
    @pytest.mark.parametrize("label", ["image", "image_spec", "created_by_name", "owner_name", "load_balancer_ip"])
    def test_a_long_word_in_an_object_does_not_blind_its_cluster(self, metrics: str, label: str) -> None:
        """
        kube-state-metrics repeats what users write without limit; it is cut, or the whole scrape would be refused.
        """
        series = {"__name__": "kube_pod_owner", "pod": "cart-0", label: "🦉" * 50_000}
        described = fleet(metrics=metrics, limits={"labelValue": 300})

        kept = relabel(series, jobs(described)["kube-state-metrics"]["metric_relabel_configs"])

        assert kept is not None
        assert kept["pod"] == "cart-0"
        assert 0 < len(kept[label].encode()) <= 300


class TestRedirects:
    @pytest.mark.parametrize("made", SHAPES)
    def test_are_never_followed(self, made: Config) -> None:
        """
        One that leads to 127.0.0.1 would be Prometheus asking itself, past its auth proxies.
        """
        alertmanagers = made.get("alerting", {}).get("alertmanagers", [])

        assert made["scrape_configs"]
        for client in (*made["scrape_configs"], *made.get("remote_write", []), *alertmanagers):
            assert client["follow_redirects"] is False


class TestCertificates:
    @pytest.mark.parametrize(
        ("said", "rendered"),
        [
            ({}, None),
            ({"ca": AUTHORITY}, {"ca": AUTHORITY}),
            (
                {"caConfigMap": "bundle", "serverName": "metrics.example"},
                {"ca_file": "/etc/prometheus/targets/ca.crt", "server_name": "metrics.example"},
            ),
            ({"insecureSkipVerify": True}, {"insecure_skip_verify": True}),
        ],
    )
    @pytest.mark.parametrize("job", ["pods", "services"])
    def test_of_annotated_targets_are_verified_as_the_stack_says(
        self, job: str, said: dict[str, Any], rendered: dict[str, Any] | None
    ) -> None:
        """
        By the public authorities if nothing is said, by nobody only if that is written out; own jobs stay as they are.
        """
        made = jobs(fleet(tls=said))

        assert made[job].get("tls_config") == rendered
        assert {name: one for name, one in made.items() if name not in ("pods", "services")} == {
            name: one for name, one in jobs(fleet()).items() if name not in ("pods", "services")
        }


class TestReservedLabels:
    @pytest.mark.parametrize("made", SHAPES)
    def test_of_metrics_move_in_every_job(self, made: Config) -> None:
        """
        Thanos would put its own value over them, and series that differ in them alone would be one.
        """
        series = {"__name__": "queue", "team": "shop", **dict.fromkeys(OF_BLOCKS, "r1")}
        written = [write["write_relabel_configs"] for write in made.get("remote_write", []) if _is_a_hub(write)]

        for rules in (*(job["metric_relabel_configs"][-len(MOVED) :] for job in made["scrape_configs"]), *written):
            moved = relabel(series, rules) or {}
            assert moved.keys() - {"cluster"} == {"__name__", "team", *(f"exported_{name}" for name in OF_BLOCKS)}

    def test_are_the_only_ones_of_thanos(self) -> None:
        """
        Each external label, replica label and label of a role is among them; the cluster's own has ways of its own.
        """
        described = fleet()
        assert described.thanos
        assert described.thanos.receive
        flags = [
            *query.query_flags(described.thanos),
            *(flag for work in bucket_roles.compactors(described.thanos).values() for flag in work.flags),
            *ruler.ruler_flags(server(described), described, described.thanos),
            *receive.ingestor_flags(server(described), described.thanos, described.thanos.receive),
            *receive.router_flags(described.thanos.receive),
        ]
        told = {name for flag in flags for name in re.findall(r"^--(?:label|[a-z.-]*replica-label)=(\w+)", flag)}

        assert told | {"tenant_id"} | hub(described)["global"]["external_labels"].keys() == set(OF_BLOCKS)

    def test_of_ours_survive(self) -> None:
        """
        What Prometheus itself adds to what it ships is not moved away.
        """
        made = agent(fleet())
        shipped = relabel(
            {"__name__": "up", **made["global"]["external_labels"]}, made["remote_write"][0]["write_relabel_configs"]
        )

        assert shipped == {"__name__": "up", "cluster": "eu1"}


def brought(name: str, job: str, **scrape: Any) -> Labels | None:
    """A series of this name from one job."""
    return relabel({"__name__": name, "namespace": "shop"}, jobs(fleet(**scrape))[job]["metric_relabel_configs"])


class TestOwnedFamilies:
    @pytest.mark.parametrize("metrics", ["essential", "full"])
    @pytest.mark.parametrize("job", ["pods", "services", "pushgateway"])
    @pytest.mark.parametrize(
        "name",
        [
            "kube_pod_info",
            "kube_deployment_status_replicas",
            "node_cpu_seconds_total",
            "container_memory_working_set_bytes",
            "machine_memory_bytes",
            "kubelet_volume_stats_available_bytes",
            "apiserver_request_terminations_total",
            "up",
            "scrape_samples_scraped",
            "ALERTS",
            "ALERTS_FOR_STATE",
            "cluster_job:up:sum",
            "promfleet_cluster_expected",
            "probe_success",
        ],
    )
    def test_can_not_be_brought_by_anybody(self, metrics: str, job: str, name: str) -> None:
        """
        A second kube-state-metrics, or a forged one, neither counts a pod again nor breaks a join.
        """
        assert brought(name, job, metrics=metrics) is None

    @pytest.mark.parametrize("job", ["pods", "services", "pushgateway"])
    @pytest.mark.parametrize(
        "name",
        [
            "shop_orders_total",
            "go_goroutines",
            "process_cpu_seconds_total",
            "rest_client_requests_total",
            "workqueue_depth",
            "http_requests_total",
            "http_request_duration_seconds_bucket",
            "grpc_server_handled_total",
            "kubernetes_build_info",
            "prometheus_build_info",
            "thanos_build_info",
            "coredns_dns_requests_total",
            "kube_customresource_widget_ready",
            "nodejs_heap_size_total_bytes",
            "node_problem",
            "update_total",
            "scrape_pages_total",
        ],
    )
    def test_leave_applications_theirs(self, job: str, name: str) -> None:
        """
        What every program has, and what a program says of itself, is kept.
        """
        assert brought(name, job) is not None

    def test_stay_with_the_jobs_that_own_them(self) -> None:
        """
        What an own job keeps passes there; pushed groups keep the time of their push.
        """
        assert brought("kube_pod_info", "kube-state-metrics") is not None
        assert brought("probe_success", "blackbox:shop") is not None
        assert brought("push_time_seconds", "pushgateway") is not None
        assert brought("push_time_seconds", "pods") is None

    def test_are_all_that_tell_about_a_cluster(self) -> None:
        """
        Of each job that there is one of in a cluster, no family is open but what programs have in common.
        """
        common = re.compile("go_.+|process_.+|rest_client_.+|workqueue_.+|kubernetes_build_info")
        for job in ("kubelet", "cadvisor", "apiserver", "kube-state-metrics", "node-exporter"):
            for family in ESSENTIAL[job]:
                name = re.sub(r"\(([^(|)]*)[^()]*\)\??", r"\1", re.sub(r"\(([^(|)]*)[^()]*\)\??", r"\1", family))
                assert common.fullmatch(name) or brought(name, "pods") is None, name
