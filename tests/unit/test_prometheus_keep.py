import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import promql_parser
import pytest

from alerts import GROUPS
from dashboards import DASHBOARDS, queries, resolved
from fleet.status import QUESTIONS
from render.scrape.allowlist import ESSENTIAL, metric_rules
from settings import Scrape
from settings.exporters import LABELS_OF
from settings.promql import selectors
from tests import ROOT

from .builders import VALUES
from .relabelling import relabel

ESSENTIALS = Scrape()
OF_SETTINGS = tuple(LABELS_OF)
"""What `kubeStateMetrics.labels` has kube-state-metrics make, which makes none by default."""
RUNBOOKS = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/runbooks").glob("*.md"))
_CHOICES = re.compile(r"label_values\((.+), \w+\)")
"""The query that fills a variable of a dashboard."""
_GROUP = re.compile(r"\(([^()]*)\)(\?)?")


def is_kept(name: str, job: str, scrape: Scrape = ESSENTIALS) -> bool:
    return relabel({"__name__": name, "pod": "cart-0"}, metric_rules(job, scrape)) is not None


def names(form: str) -> set[str]:
    """Every name that a regular expression of choices matches: `a(b|c(d|e)?)`."""
    found = _GROUP.search(form)
    if not found:
        return {form}
    choices = [*found[1].split("|"), *([""] if found[2] else [])]
    return {name for choice in choices for name in names(f"{form[: found.start()]}{choice}{form[found.end() :]}")}


@cache
def read(job: str) -> set[str]:
    """The metrics that are read of a job's targets."""
    read = [selector for expr in asked() for selector in selectors(promql_parser.parse(expr))]
    return {one.name or "" for one in read if all(admits(m, job) for m in one.matchers.matchers if m.name == "job")}


def asked() -> Iterator[str]:
    """Every expression that a hub evaluates, or is asked."""
    for group in GROUPS:
        yield from (record.expr for record in group.records)
        yield from (alert.expr.replace("$threshold", "1") for alert in group.alerts)
    yield from (expr for _, _, expr in queries(DASHBOARDS, VALUES))
    choices = (_CHOICES.fullmatch(variable.query) for board in DASHBOARDS for variable in board.variables)
    yield from (resolved(found[1], VALUES) for found in choices if found)
    yield from QUESTIONS.values()


def admits(matcher: Any, value: str) -> bool:
    """Whether a label's value is one that a matcher lets through."""
    op = str(matcher.op).rpartition(".")[2]
    form = matcher.value if op in ("Re", "NotRe") else re.escape(matcher.value)
    return bool(re.fullmatch(form, value)) == (op in ("Equal", "Re"))


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

    def test_what_the_user_names_is_kept_whole(self) -> None:
        """
        Also of the metrics of which only a part is essential.
        """
        series = {"__name__": "kube_pod_status_ready", "condition": "false"}
        whole = Scrape(keep=("kube_pod_status_ready",))

        assert relabel(series, metric_rules("kube-state-metrics", ESSENTIALS)) is None
        assert relabel(series, metric_rules("kube-state-metrics", whole)) == series

    @pytest.mark.parametrize("job", ESSENTIAL)
    def test_what_is_kept_is_read(self, job: str) -> None:
        """
        Series that no rule, dashboard or runbook reads cost as much as those that are read.
        """
        kept = {name for form in ESSENTIAL[job] for name in names(form)}

        assert kept - read(job) - {*OF_SETTINGS} - set(re.findall(r"\w+", RUNBOOKS)) == set()

    @pytest.mark.parametrize("name", OF_SETTINGS)
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
    def test_only_failed_requests_are_distinguished(self, result: str, kept: bool) -> None:  # noqa: FBT001 — likewise
        """
        kube-state-metrics counts the lists of each kind of object.
        """
        lists = {"__name__": "kube_state_metrics_list_total", "resource": "*v1.Pod", "result": result}

        assert kept == (relabel(lists, metric_rules("kube-state-metrics", ESSENTIALS)) is not None)

    @pytest.mark.parametrize(("state", "kept"), [("failed", True), ("active", False), ("inactive", False)])
    def test_only_failed_services_are_distinguished(self, state: str, kept: bool) -> None:  # noqa: FBT001 — likewise
        """
        A machine has hundreds of units, each with five states.
        """
        unit = {"__name__": "node_systemd_unit_state", "name": "cron.service", "state": state}

        assert kept == (relabel(unit, metric_rules("node-exporter", ESSENTIALS)) is not None)

    def test_some_buckets_of_requests_are_enough(self) -> None:
        """
        Of the 22 that an API server has for each verb of each kind of object six stay, however a bound is written.
        """
        bounds = "0.05 0.1 0.2 0.4 0.6 0.8 1 1.0 1.25 1.5 2 2.0 3.0 4 5.0 6.0 8.0 10 10.0 15.0 20.0 30.0 45.0 60 +Inf"
        bucket = {"__name__": "apiserver_request_sli_duration_seconds_bucket", "verb": "GET"}

        kept = [le for le in bounds.split() if relabel({**bucket, "le": le}, metric_rules("apiserver", ESSENTIALS))]

        assert kept == ["0.1", "0.4", "1", "1.0", "5.0", "60", "+Inf"]

    @pytest.mark.parametrize("threshold", [0.1, 1])
    def test_slow_writes_are_counted_above_a_bucket_boundary(self, threshold: float) -> None:
        """
        At the least threshold and at the default one the alert compares with what was counted, not with a guess.
        """
        bucket = {"__name__": "apiserver_request_sli_duration_seconds_bucket", "verb": "PUT", "le": f"{threshold:g}"}
        [limits] = {alert.threshold for group in GROUPS for alert in group.alerts if alert.name == "KubeAPIWritesSlow"}

        assert limits
        assert threshold in (limits.least, limits.value)
        assert relabel(bucket, metric_rules("apiserver", ESSENTIALS))

    @pytest.mark.parametrize(
        ("series", "kept"),
        [
            ({"__name__": "container_memory_working_set_bytes", "container": "cart", "image": "cart:1"}, True),
            ({"__name__": "container_memory_working_set_bytes"}, True),
            ({"__name__": "container_memory_working_set_bytes", "image": "pause:3.10"}, False),
            ({"__name__": "container_network_receive_bytes_total", "image": "pause:3.10"}, True),
        ],
        ids=["container", "pod", "sandbox", "network"],
    )
    def test_sandboxes_of_pods_only_hold_their_network(self, series: dict, kept: bool) -> None:  # noqa: FBT001
        """
        The runtime's own container of each pod uses nothing, but its network is the pod's.
        """
        of_a_pod = {"id": "/kubepods/pod1/x", "pod": "cart-0", **series}

        assert kept == (relabel(of_a_pod, metric_rules("cadvisor", ESSENTIALS)) is not None)

    @pytest.mark.parametrize(
        ("series", "kept"),
        [
            ({"__name__": "kube_pod_status_ready", "condition": "true"}, True),
            ({"__name__": "kube_pod_status_ready", "condition": "false"}, False),
            ({"__name__": "kube_deployment_status_condition", "condition": "Progressing"}, True),
            ({"__name__": "kube_deployment_status_condition", "condition": "Available"}, False),
            ({"__name__": "kube_persistentvolume_status_phase", "phase": "Failed"}, True),
            ({"__name__": "kube_persistentvolume_status_phase", "phase": "Bound"}, False),
            ({"__name__": "kube_persistentvolumeclaim_status_phase", "phase": "Pending"}, True),
            ({"__name__": "kube_persistentvolumeclaim_status_phase", "phase": "Bound"}, False),
            ({"__name__": "kube_persistentvolumeclaim_access_mode", "access_mode": "ReadOnlyMany"}, True),
        ],
        ids=lambda value: "-".join([*value.values()][:2]) if isinstance(value, dict) else None,
    )
    def test_states_that_nothing_queries_are_dropped(self, series: dict, kept: bool) -> None:  # noqa: FBT001
        """
        Every object has a series for each state that it could be in.
        """
        assert kept == (relabel(series, metric_rules("kube-state-metrics", ESSENTIALS)) is not None)

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
