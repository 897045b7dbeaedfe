import pytest

from render.scrape.allowlist import ESSENTIAL, metric_rules
from settings import Scrape

from .relabelling import relabel

ESSENTIALS = Scrape()


def is_kept(name: str, job: str, scrape: Scrape = ESSENTIALS) -> bool:
    return relabel({"__name__": name, "pod": "cart-0"}, metric_rules(job, scrape)) is not None


class TestMetricRules:
    def test_proof_of_the_source_survives(self) -> None:
        """
        `sum(kube_pod_info) by (cluster, namespace)` works with essential metrics.
        """
        assert is_kept("kube_pod_info", "kube-state-metrics")

    def test_rest_is_dropped(self) -> None:
        """
        What nobody uses costs nothing.
        """
        assert not is_kept("node_arp_entries", "node-exporter")

    def test_user_adds(self) -> None:
        """
        scrape.keep adds to every list.
        """
        assert is_kept("node_arp_entries", "node-exporter", Scrape(keep=("node_arp_entries",)))

    @pytest.mark.parametrize("name", ["kube_pod_labels", "kube_node_labels", "kube_persistentvolumeclaim_labels"])
    def test_what_a_setting_adds_is_kept(self, name: str) -> None:
        """
        `kubeStateMetrics.labels` has kube-state-metrics make these series, and none by default.
        """
        assert is_kept(name, "kube-state-metrics")

    def test_full_keeps_everything(self) -> None:
        """
        With `metrics: full` no rule stands between a target and the storage.
        """
        assert [rule for job in ESSENTIAL for rule in metric_rules(job, Scrape(metrics="full"))] == []

    @pytest.mark.parametrize("job", ["prometheus", "pods", "services"])
    def test_what_users_expose_is_theirs(self, job: str) -> None:
        """
        Annotated workloads keep all of their metrics.
        """
        assert is_kept("shop_orders_total", job)

    @pytest.mark.parametrize(("result", "kept"), [("error", True), ("success", False)])
    def test_of_requests_only_those_that_failed_are_told(self, result: str, kept: bool) -> None:  # noqa: FBT001 — likewise
        """
        kube-state-metrics counts the lists of each kind of object.
        """
        lists = {"__name__": "kube_state_metrics_list_total", "resource": "*v1.Pod", "result": result}

        assert kept == (relabel(lists, metric_rules("kube-state-metrics", ESSENTIALS)) is not None)

    @pytest.mark.parametrize(("state", "kept"), [("failed", True), ("active", False), ("inactive", False)])
    def test_of_services_only_those_that_failed_are_told(self, state: str, kept: bool) -> None:  # noqa: FBT001 — likewise
        """
        A machine has hundreds of units, each with five states.
        """
        unit = {"__name__": "node_systemd_unit_state", "name": "cron.service", "state": state}

        assert kept == (relabel(unit, metric_rules("node-exporter", ESSENTIALS)) is not None)

    @pytest.mark.parametrize(
        ("le", "kept"), [("1", True), ("1.0", True), ("0.025", False), ("2", False), ("2.0", False)]
    )
    def test_fine_buckets_go(self, le: str, kept: bool) -> None:  # noqa: FBT001 — a parameter of the test
        """
        Buckets between the bounds of service levels are dropped, however their bound is written.
        """
        bucket = {"__name__": "apiserver_request_duration_seconds_bucket", "verb": "GET", "le": le}

        assert kept == (relabel(bucket, metric_rules("apiserver", ESSENTIALS)) is not None)

    @pytest.mark.parametrize(
        ("labels", "kept"),
        [
            ({"id": "/"}, True),
            ({"id": "/kubepods/burstable"}, False),
            ({"id": "/kubepods/burstable/pod1", "pod": "cart-0"}, True),
        ],
    )
    def test_groups_between_node_and_pod_go(self, labels: dict, kept: bool) -> None:  # noqa: FBT001 — likewise
        """
        Sums over pods that cAdvisor repeats are dropped; the node's own total stays.
        """
        usage = {"__name__": "container_cpu_usage_seconds_total", **labels}

        assert kept == (relabel(usage, metric_rules("cadvisor", ESSENTIALS)) is not None)
