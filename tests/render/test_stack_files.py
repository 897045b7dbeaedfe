from pathlib import Path
from typing import Any

import pytest

import render
from fleet.validators import AMTOOL, PROMTOOL, findings
from render.prometheus.wal import wal_plan
from settings import Fleet, from_file, seconds
from tests import MIGRATIONS, ROOT, SHIPPED, name_of

from .promtool import Promtool
from .tools import tool

pytestmark = pytest.mark.render

STACKS = [*SHIPPED, *MIGRATIONS]


@pytest.mark.parametrize("stack", STACKS, ids=name_of)
class TestStackFile:
    def test_prometheus_starts_with_what_it_is_rendered_to(self, stack: Path, promtool: Promtool) -> None:
        """
        Promtool takes the hub's and the agents' configuration, every rule file with all its lints, and people's own.
        """
        assert findings(PROMTOOL, promtool.command, [from_file(stack)]) == [[]]

    def test_alertmanager_starts_with_what_it_is_rendered_to(self, stack: Path) -> None:
        """
        Amtool takes the routing of every stack that has any.
        """
        assert findings(AMTOOL, tool("amtool"), [from_file(stack)]) == [[]]

    def test_its_logs_fit(self, stack: Path) -> None:
        """
        No agent of an example asks for a volume that nobody would give it.
        """
        fleet = from_file(stack)
        for cluster, agent in fleet.agents.items():
            plan = wal_plan(seconds(agent.outage), fleet.clusters[cluster].series, seconds(fleet.scrape.interval))
            assert int(plan.volume.removesuffix("Gi")) <= 20


TLS = {"secret": "tls", "caConfigMap": "authorities"}
MAIL = {"to": ["sre@acme.example"], "sender": "alerts@acme.example", "host": "fd00::25"}
EXISTING = {"namespace": "monitoring", "service": "exporter", "port": "http-metrics"}
CLUSTERS: dict[str, dict[str, Any]] = {
    "existing exporters": {"nodeExporter": {"existing": EXISTING}, "kubeStateMetrics": {"existing": EXISTING}},
    "Windows": {"windowsExporter": {"existing": EXISTING}},
    "no exporters": {"nodeExporter": {"enabled": False}, "kubeStateMetrics": {"enabled": False}},
    "Autopilot": {"platform": "autopilot"},
    "OpenShift": {"platform": "openshift"},
    "a control plane": {"controlPlane": {"scheduler": {}, "controllerManager": {}, "etcd": {}, "kubeProxy": {}}},
}


@pytest.mark.parametrize("facts", CLUSTERS.values(), ids=CLUSTERS)
def test_prometheus_starts_in_every_kind_of_cluster(facts: dict[str, Any], promtool: Promtool) -> None:
    """
    Promtool takes what both clusters of a fleet scrape and which rules are left, the hub at an IPv6 address too.
    """
    said = {
        "clusters": {name: {"context": name, **facts} for name in ("hub", "eu1")},
        "hub": {"cluster": "hub", "expose": {"host": "fd00::5", "via": "nodePort", "tls": TLS}},
        "agents": {"eu1": {}},
        "alertmanager": {"receivers": {"mail": {"email": MAIL}}, "default": "mail"},
        "probes": {"six": {"targets": ["https://[fd00::6]:8443/healthz"], "prefer": "ip6"}},
    }
    fleet = Fleet.model_validate(said)

    assert findings(PROMTOOL, promtool.command, [fleet]) == [[]]
    assert findings(AMTOOL, tool("amtool"), [fleet]) == [[]]


LABELS = {"environment": "prod", "site": '*?+[a](b){c}^|.\\ "é'}
BUILTIN = {
    "cadvisor": {"interval": "30s", "timeout": "5s", "drop": ["container_(blkio|tasks)_.+"]},
    "pods": {"drop": ["go_.+"]},
    "prometheus": {"interval": "5s"},
}


def test_prometheus_starts_with_labels_and_jobs_that_differ(promtool: Promtool) -> None:
    """
    Promtool takes external labels, whatever characters they have, and what is said of our own jobs.
    """
    job = {"job_name": "theirs", "honor_labels": True, "static_configs": [{"targets": ["db.example:9100"]}]}
    said = {
        "clusters": {name: {"context": name, "externalLabels": {"building": "7"}} for name in ("hub", "eu1")},
        "hub": {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
        "agents": {"eu1": {}},
        "externalLabels": LABELS,
        "scrape": {"metrics": "full", "builtin": BUILTIN, "jobs": [job]},
    }

    assert findings(PROMTOOL, promtool.command, [Fleet.model_validate(said)]) == [[]]


class TestComplaints:
    def test_a_file_that_prometheus_would_refuse_is_named(
        self, promtool: Promtool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        The section and promtool's own words are in the report.
        """
        monkeypatch.setattr(render, "server_config", lambda *_: "global: {scrape_interval: soon}\n")

        [[problem]] = findings(PROMTOOL, promtool.command, [from_file(ROOT / "Pulumi.hub.yaml")])

        assert problem.path == ("hub",)
        assert "not a valid duration" in problem.rule

    def test_a_file_that_alertmanager_would_refuse_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The same goes for its section and amtool's words.
        """
        monkeypatch.setattr(render, "alertmanager_config", lambda _: "route: {receiver: nobody}\n")

        [[problem]] = findings(AMTOOL, tool("amtool"), [from_file(ROOT / "Pulumi.dev.yaml")])

        assert problem.path == ("alertmanager",)
        assert "undefined receiver" in problem.rule


def test_there_are_stack_files() -> None:
    """
    The tests above have something to test.
    """
    assert SHIPPED
    assert MIGRATIONS
