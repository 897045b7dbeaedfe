"""Jobs of this program that a stack file changes: how often they scrape, and what of them is not stored."""

import re

import promql_parser
import pytest
import yaml

import render
from render.prometheus.watcher import watcher_config
from render.scrape.allowlist import ESSENTIAL, metric_rules
from render.scrape.missing import missing_metrics
from settings import Scrape
from tests.rendered import server_config
from tests.unit.builders import HUB, fleet
from tests.unit.relabelling import relabel
from tests.unit.test_prometheus_keep import names

BUILTIN = {
    "cadvisor": {"interval": "30s", "timeout": "5s"},
    "prometheus": {"interval": "5s"},
    "pods": {"timeout": "20s"},
}
PACE = ("scrape_interval", "scrape_timeout")


def paces(text: str) -> dict[str, dict[str, str]]:
    """What each job of a prometheus.yml says of its pace, by its name there."""
    jobs = yaml.safe_load(text)["scrape_configs"]
    return {job["job_name"]: {field: job[field] for field in PACE if field in job} for job in jobs}


class TestPace:
    EXPECTED = (
        ("cadvisor", {"scrape_interval": "30s", "scrape_timeout": "5s"}),
        ("prometheus", {"scrape_interval": "5s"}),
        ("pods", {"scrape_timeout": "20s"}),
        ("kubelet", {}),
    )

    @pytest.mark.parametrize("section", ["hub", "standalone"])
    def test_of_a_server(self, section):
        """
        A job has what the stack file says of it, and the others have none of their own.
        """
        found = server_config(fleet(clusters={"hub": {"context": "a"}}, **{section: HUB}, scrape={"builtin": BUILTIN}))

        made = paces(yaml.safe_dump(found))
        assert [(name, made[name]) for name, _ in self.EXPECTED] == [*self.EXPECTED]

    def test_of_an_agent(self):
        """
        The jobs of an agent are those of a server.
        """
        described = fleet(hub=HUB, agents={"eu1": {}}, scrape={"builtin": BUILTIN})

        made = paces(render.agent_config(described, "eu1", "https://h", own=True, ca_file=None, token_file="/t"))
        assert [(name, made[name]) for name, _ in self.EXPECTED] == [*self.EXPECTED]

    def test_of_a_watcher(self):
        """
        A watcher has each job once for each cluster.
        """
        described = fleet(
            clusters={"eu1": {"context": "a"}},
            watcher={"name": "watch", "clusters": {"eu1": {}}},
            scrape={"builtin": BUILTIN},
        )

        made = paces(watcher_config(described, {"eu1": "https://eu1.example"}))
        assert [(name, made[f"eu1/{name}"]) for name, _ in self.EXPECTED] == [*self.EXPECTED]
        assert made["prometheus"] == {"scrape_interval": "5s"}

    @pytest.mark.parametrize(("timeout", "minutes"), [("20s", False), ("90s", True)])
    def test_an_annotated_interval_is_compared_with_the_timeout_of_the_job(self, timeout, minutes):
        """
        An annotation with an interval below the job's timeout lowers it, or else Prometheus would refuse the target.
        """
        described = fleet(hub=HUB, scrape={"interval": "2m", "builtin": {"pods": {"timeout": timeout}}})
        [pods] = [job for job in server_config(described)["scrape_configs"] if job["job_name"] == "pods"]

        annotation = "__meta_kubernetes_pod_annotation_prometheus_io_interval"
        setting = [rule for rule in pods["relabel_configs"] if rule.get("source_labels") == [annotation]]
        found = relabel({annotation: "1m"}, setting) or {}
        assert ("__scrape_timeout__" in found) is minutes


class TestKubeStateMetrics:
    @pytest.mark.parametrize(("terminating", "is_scraped"), [("false", True), ("true", False)])
    def test_one_that_leaves_is_not_scraped(self, terminating, is_scraped):
        """
        It has the labels of its successor, and on a dead node it is down until that is deleted.
        """
        jobs = server_config(fleet(hub=HUB))["scrape_configs"]
        [rules] = [job["relabel_configs"] for job in jobs if job["job_name"] == "kube-state-metrics"]
        endpoint = "__meta_kubernetes_endpointslice"
        found = {f"{endpoint}_port_name": "metrics", f"{endpoint}_endpoint_conditions_terminating": terminating}

        assert bool(relabel(found, rules)) is is_scraped


class TestDropped:
    @pytest.mark.parametrize(
        ("job", "name", "is_kept"),
        [
            ("pods", "go_goroutines", False),
            ("pods", "jvm_buffer_count", False),
            ("pods", "ago_x", True),
            ("pods", "go_goroutines_more", False),
            ("services", "go_goroutines", True),
            ("kubelet", "go_goroutines", False),
            ("kubelet", "kubelet_node_name", False),
            ("kubelet", "kubelet_evictions", True),
            ("kubelet", "storage_operation_duration_seconds_count", True),
        ],
    )
    def test_is_what_is_named_of_the_job(self, job, name, is_kept):
        """
        A pattern matches whole names, and of one job only.
        """
        builtin = {"pods": {"drop": ["go_.+", "jvm_buffer_count"]}, "kubelet": {"drop": ["go_.+", "kubelet_.+"]}}
        scrape = Scrape.model_validate({"metrics": "full", "builtin": builtin})

        found = relabel({"__name__": name}, metric_rules(job, scrape))
        assert found == ({"__name__": name} if is_kept else None)

    @pytest.mark.parametrize(
        "job", ["apiserver", "cadvisor", "coredns", "kube-state-metrics", "kubelet", "node-exporter"]
    )
    def test_is_never_what_rules_and_dashboards_read(self, job):
        """
        Whatever pattern somebody writes, no alert goes blind.
        """
        scrape = Scrape.model_validate(
            {"metrics": "full", "builtin": {job: {"drop": [".*(_total|_bytes|_seconds|kube|node|up).*"]}}}
        )

        read = {name for form in ESSENTIAL[job] if not re.search(r"[.*+\\[]", form) for name in names(form)}
        assert read
        assert [name for name in read if relabel({"__name__": name}, metric_rules(job, scrape)) is None] == []


class TestKeep:
    def test_is_of_one_job(self):
        """
        With all its series there; another job that brings the metric keeps it out as before.
        """
        metric = {"__name__": "process_open_fds"}
        scrape = Scrape.model_validate({"builtin": {"kubelet": {"keep": ["process_open_fds"]}}})

        kept = {job for job in ("kubelet", "cadvisor", "coredns") if relabel(metric, metric_rules(job, scrape))}

        assert kept == {"kubelet"}

    def test_what_is_kept_may_be_read(self):
        """
        A rule of somebody's own on it is not said to read what is dropped.
        """
        rule = promql_parser.parse('kubelet_node_name{job="kubelet"}')
        silent, kept = (
            fleet(hub=HUB, scrape={"builtin": {"kubelet": {"keep": names}}}) for names in ([], ["kubelet_node_name"])
        )

        assert [one.metric for one in missing_metrics(silent, rule)] == ["kubelet_node_name"]
        assert [*missing_metrics(kept, rule)] == []

    def test_what_is_dropped_of_windows_is_said_where_it_is_scraped(self):
        """
        Elsewhere such metrics come from a job of somebody's own, which keeps them.
        """
        rule = promql_parser.parse('windows_service_state{job="windows-exporter"}')
        existing = {"existing": {"namespace": "monitoring", "service": "windows-exporter"}}
        asks = fleet(clusters={"hub": {"context": "a", "windowsExporter": existing}}, standalone=HUB)

        assert [one.metric for one in missing_metrics(asks, rule)] == ["windows_service_state"]
        assert [*missing_metrics(fleet(hub=HUB), rule)] == []
