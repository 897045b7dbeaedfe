"""One cluster that its own Prometheus watches: no hub, no agents, and nothing left of it."""

import re
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from fleet.client import PrometheusClient
from lab.connect import PORTS

from .checks import assert_nothing_left
from .clusters import Lab
from .fleets import STANDALONE, STANDALONE_STACK
from .objects import files, made, render
from .pages import Browser, browsing
from .samples import answers
from .stack import Stack, eventually
from .stacks import Stacks

pytestmark = pytest.mark.lab
JOBS = {"prometheus", "node-exporter", "kubelet", "cadvisor", "apiserver", "kube-state-metrics", "coredns"}
WRITTEN = 60
"""Seconds of samples to look back on."""
ROLLED_OUT = {"DaemonSet", "StatefulSet"}
READ = f"https://{STANDALONE.fleet['standalone']['expose']['host']}:{PORTS['hub']['read']}"
GRAPH = "/query?g0.expr=up&g0.tab=0&g0.range_input=5m"
PAGES = {
    "/query?g0.expr=sum(up)&g0.tab=1&g0.show_tree=1": "sum(up)",
    "/alerts": "KubeAPIErrorBudgetBurn",
    "/rules": "KubeAPIErrorBudgetBurn",
    "/config": "job_name: kubelet",
    "/flags": "--storage.tsdb.path",
    "/status": "Build information",
    "/tsdb-status": "Number of Series",
    "/service-discovery": "kubelet",
    "/alertmanager-discovery": "Alertmanagers",
}
"""Those of Prometheus beside the graph and the targets -> a text that is on each when it is complete."""
SCRAPED = 50
"""Pixels of a graph of five minutes, of some 1300, that two scrapes are apart at least."""
NO_PAGES = ("/-/reload", "/api/v1/admin/tsdb/snapshot", "/api/v1/read", "/debug/pprof/heap", "/federate", "/metrics")


@pytest.fixture
def standalone(stacks: Stacks) -> Stack:
    [stack] = stacks.deploy({STANDALONE_STACK: STANDALONE})
    return stack


@pytest.fixture
def server(standalone: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    """The server as people reach it from outside the cluster, with a token of its readers."""
    with stacks.open_prometheus(standalone) as server:
        yield server


@pytest.fixture(scope="class")
def browser(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium before the pages of the server, as a person opens them."""
    [stack] = stacks.deploy({STANDALONE_STACK: STANDALONE})
    with browsing(stack, "prometheus", tmp_path_factory.mktemp("pages")) as browser:
        yield browser


def assert_up(server: PrometheusClient) -> None:
    """Every job has targets, and all of them are up."""
    found = server.query("min by (cluster, job) (up)")
    assert {(s.labels["cluster"], s.labels["job"]): s.value for s in found} == {("hub", job): 1 for job in JOBS}


@pytest.mark.long
class TestRendered:
    def test_kubectl_makes_what_the_engine_makes(self, lab: Lab, stacks: Stacks, tmp_path: Path) -> None:
        """
        In a cluster with nothing of ours: it runs, is the same object by object, and goes with its files.
        """
        stacks.deploy({})
        assert_nothing_left(lab)
        folder = render(stacks.write(STANDALONE_STACK, STANDALONE), tmp_path / "rendered") / "hub"

        try:
            lab.kubectl("hub", "apply", "--server-side", "--recursive", f"--filename={folder}")

            for kind, namespace, name in files(folder):
                if kind in ROLLED_OUT:
                    rollout = ("rollout", "status", f"{kind}/{name}", f"--namespace={namespace}", "--timeout=180s")
                    lab.kubectl("hub", *rollout)
            with stacks.open_server(READ, lab.token("reader")) as server:
                eventually(lambda: assert_up(server))
            by_kubectl = made(lab, "hub", folder)
        finally:
            lab.kubectl("hub", "delete", "--recursive", "--ignore-not-found", f"--filename={folder}")
        eventually(lambda: assert_nothing_left(lab))
        stacks.deploy({STANDALONE_STACK: STANDALONE})
        assert made(lab, "hub", folder) == by_kubectl


class TestStandalone:
    def test_every_target_is_up(self, server: PrometheusClient) -> None:
        """
        Prometheus, nodes, API server and exporters, each with the cluster's name; node-exporter's tells its node.
        """
        eventually(lambda: assert_up(server))
        [exporter] = server.query('up{job="node-exporter"}')
        assert exporter.labels["node"] == exporter.labels["instance"]
        assert exporter.labels["host_ip"]

    def test_is_at_rest(self, standalone: Stack) -> None:
        """
        A preview after `pulumi up` shows no changes.
        """
        assert "unchanged" in standalone.pulumi("preview", "--expect-no-changes")

    def test_a_restart_loses_nothing_that_was_stored(self, lab: Lab, server: PrometheusClient) -> None:
        """
        What a query over a past span counted before the pod was replaced, it counts afterwards.
        """
        until = str(int(time.time()))
        asked = f'sum by (job) (count_over_time(up{{cluster="hub"}}[{WRITTEN}s]))'

        def counted() -> dict[str, float]:
            found = answers(server, asked, time=until)
            assert found
            return {one["metric"]["job"]: float(one["value"][1]) for one in found}

        before = counted()
        lab.kubectl("hub", "-n", "promfleet", "delete", "pod", "prometheus-standalone-0")

        def assert_same() -> None:
            assert counted() == before

        eventually(assert_same)


class TestPages:
    def test_a_graph_has_its_series(self, browser: Browser) -> None:
        """
        A person opens an expression, and sees lines and the labels of each series.
        """

        def assert_drawn() -> None:
            browser.show(GRAPH, 'cluster="hub"')
            jobs = re.findall(r'^up\{cluster="hub",.* job="([^"]+)"', "\n".join(browser.legend()), re.M)
            assert {*jobs} == JOBS
            assert browser.line() >= SCRAPED

        eventually(assert_drawn)
        assert browser.failed == {}

    def test_targets_are_up(self, browser: Browser) -> None:
        """
        Each job with its targets, all of them up; after a restart as soon as they have been scraped.
        """

        def assert_up() -> None:
            said = browser.show("/targets", *JOBS)
            pools = re.findall(r"^(\S+)\s+Show config\s+(\d+) / (\d+) up$", said, re.M)
            assert [job for job, up, of in pools if up != of] == []
            assert {job for job, up, _ in pools if up != "0"} == JOBS

        eventually(assert_up)
        assert browser.failed == {}

    def test_nothing_that_a_page_asks_for_is_refused(self, browser: Browser) -> None:
        """
        All pages are complete; what is neither a page nor asked for by one is not served.
        """
        for path, text in PAGES.items():
            browser.show(path, text)
        assert browser.failed == {}

        assert {path: browser.status(path) for path in NO_PAGES} == dict.fromkeys(NO_PAGES, 404)


class TestDestroy:
    def test_leaves_nothing(self, lab: Lab, standalone: Stack, stacks: Stacks) -> None:
        """
        Neither namespaced nor cluster-wide objects stay.
        """
        stacks.deploy({})

        assert_nothing_left(lab)
