"""Who is told of which alert, as Alertmanager's own tools and Alertmanager itself see it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import render
from settings import Fleet

from .alertmanager import Alertmanager, Labels, running, until
from .tools import tool

pytestmark = pytest.mark.render

RECEIVERS: dict[str, Any] = {
    "everyone": {"slack": {"channel": "#alerts"}},
    "night": {"pagerDuty": {}, "victorOps": {"routingKey": "night"}},
    "shop": {"email": {"to": ["shop@acme.example"], "sender": "hub@acme.example", "host": "mail.acme.example"}},
    "eu-log": {"webhook": {}},
    "kernel": {"slack": {"channel": "#kernel", "secret": {"name": "slack", "key": "url"}}},
    "pulse": {"webhook": {}},
}
ROUTES = [
    {"receiver": "eu-log", "clusters": ["eu1", "eu2"], "continue": True},
    {"receiver": "kernel", "clusters": ["us1"], "namespaces": ["kube-system"]},
    {"receiver": "night", "severities": ["critical"]},
    {"receiver": "shop", "teams": ["shop", "cart"]},
]


def rendered(**other: object) -> str:
    """alertmanager.yml of a hub with agents; `other` replaces keys of its section."""
    section = {
        "receivers": RECEIVERS,
        "default": "everyone",
        "routes": ROUTES,
        "heartbeat": {"receiver": "pulse"},
        **other,
    }
    fleet = Fleet.model_validate(
        {
            "clusters": {"hub": {"context": "hub"}},
            "hub": {
                "cluster": "hub",
                "agents": ["eu1", "eu2", "us1"],
                "expose": {"host": "hub.example", "tls": {"secret": "tls"}},
            },
            "alerts": {"rules": {"TargetDown": {"team": "shop"}, "PrometheusTargetSyncFailure": {"team": "cart"}}},
            "alertmanager": section,
        }
    )
    assert fleet.alertmanager
    return render.alertmanager_config(fleet.alertmanager)


def amtool(*arguments: str) -> str:
    done = subprocess.run([tool("amtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class TestFile:
    @pytest.mark.parametrize(
        "section",
        [
            pytest.param({}, id="every kind of receiver"),
            pytest.param(
                {"receivers": {"night": RECEIVERS["night"]}, "default": "night", "routes": [], "heartbeat": None},
                id="one receiver",
            ),
            pytest.param(
                {"receivers": {"quiet": {}}, "default": "quiet", "routes": [], "heartbeat": None},
                id="a receiver that tells nobody",
            ),
            pytest.param(
                {"grouping": {"by": ["namespace"], "wait": "10s", "interval": "1m", "repeat": "1d"}},
                id="other groups",
            ),
        ],
    )
    def test_alertmanager_starts_with_it(self, section: dict[str, object], tmp_path: Path) -> None:
        """
        Amtool takes what the section is rendered to.
        """
        file = tmp_path / "alertmanager.yml"
        file.write_text(rendered(**section))

        assert "SUCCESS" in amtool("check-config", str(file))

    def test_it_holds_no_secret_but_names_of_files(self) -> None:
        """
        What each integration needs to log in is read from a file.
        """
        blocks = [
            block
            for receiver in yaml.safe_load(rendered())["receivers"]
            for key, configs in receiver.items()
            if key.endswith("_configs")
            for block in configs
        ]

        files = [value for block in blocks for key, value in block.items() if key.endswith("_file")]
        assert sorted(file.rpartition("/")[2] for file in files) == [
            "eu-logWebhook",
            "everyoneSlack",
            "kernelSlack",
            "nightPagerDuty",
            "nightVictorOps",
            "pulseWebhook",
            "shopEmail",
        ]
        plain = {"api_url", "api_key", "service_key", "auth_password", "url"}
        assert [block for block in blocks if plain & block.keys()] == []

    def test_mail_is_text_alone(self) -> None:
        """
        No label is read as HTML.
        """
        mails = [mail for one in yaml.safe_load(rendered())["receivers"] for mail in one.get("email_configs", [])]

        assert [(mail["html"], bool(mail["text"])) for mail in mails] == [("", True)]

    def test_every_kind_of_receiver_hears_the_end(self) -> None:
        """
        Slack and mail don't say by default that an alert is over.
        """
        for receiver in yaml.safe_load(rendered())["receivers"]:
            for key in receiver.keys() - {"name"}:
                assert [block["send_resolved"] for block in receiver[key]] == [True], receiver["name"]


class Told(NamedTuple):
    """Labels of an alert and who is told of it."""

    labels: str
    receivers: str


TOLD = [
    Told("cluster=us1 team=platform severity=warning", "everyone"),
    Told("cluster=us1 team=platform severity=critical", "night"),
    Told("cluster=us1 team=shop severity=warning", "shop"),
    Told("cluster=us1 team=cart severity=warning", "shop"),
    Told("cluster=us1 team=shop severity=critical", "night"),
    Told("cluster=us1 team=shopping severity=warning", "everyone"),
    Told("cluster=us1 namespace=kube-system severity=critical", "kernel"),
    Told("cluster=hub namespace=kube-system severity=critical", "night"),
    Told("cluster=us10 namespace=kube-system severity=warning", "everyone"),
    Told("cluster=eu1 team=platform severity=warning", "eu-log"),
    Told("cluster=eu2 team=shop severity=warning", "eu-log,shop"),
    Told("cluster=eu1 team=shop severity=critical", "eu-log,night"),
    Told("cluster=eu1 team=platform severity=none", "nobody"),
    Told("cluster=hub team=platform severity=none alertname=Watchdog", "pulse"),
    Told("cluster=eu1 team=shop severity=none alertname=PromfleetClusterInMaintenance", "nobody"),
]


class TestRoutes:
    @pytest.mark.parametrize("told", TOLD, ids=lambda told: told.labels)
    def test_an_alert_reaches_the_receivers_of_its_routes(self, told: Told, tmp_path: Path) -> None:
        """
        Routes are asked in order and match whole values; `continue` asks on, and the default is for what none took.
        """
        file = tmp_path / "alertmanager.yml"
        file.write_text(rendered())

        said = amtool("config", "routes", "test", f"--config.file={file}", *told.labels.split())

        assert said.split() == [told.receivers]

    def test_without_a_heartbeat_the_watchdog_notifies_nobody(self, tmp_path: Path) -> None:
        """
        It fires always, so that it may reach no person.
        """
        file = tmp_path / "alertmanager.yml"
        others = {name: contact for name, contact in RECEIVERS.items() if name != "pulse"}
        file.write_text(rendered(receivers=others, heartbeat=None))

        said = amtool("config", "routes", "test", f"--config.file={file}", "alertname=Watchdog", "severity=none")

        assert said.split() == ["nobody"]

    def test_clusters_never_share_a_notification(self) -> None:
        """
        Whatever else groups alerts, name, cluster and team do.
        """
        tree = yaml.safe_load(rendered(grouping={"by": ["namespace"]}))["route"]

        assert tree["group_by"] == ["alertname", "cluster", "team", "namespace"]
        assert not [route for route in tree["routes"] if "group_by" in route]


NESTED = {
    "timeIntervals": [
        {
            "name": "offices",
            "time_intervals": [
                {
                    "weekdays": ["monday:friday"],
                    "times": [{"start_time": "09:00", "end_time": "17:00"}],
                    "days_of_month": ["1:31"],
                    "months": ["january:december"],
                    "years": ["2026:2036"],
                    "location": "Europe/Berlin",
                }
            ],
        }
    ],
    "routes": [
        {"receiver": "eu-log", "continue": True},
        {
            "receiver": "night",
            "severities": ["critical"],
            "matchers": ["job=~kube-.*", 'instance!~"10\\.0\\..*"'],
            "groupBy": ["cluster", "namespace"],
            "wait": "10s",
            "interval": "1m",
            "repeat": "1h",
            "routes": [
                {"receiver": "shop", "namespaces": ["shop"], "continue": True},
                {"matchers": ['alertname!~"Kube.*", pod!=""'], "receiver": "kernel", "groupBy": ["..."]},
                {"clusters": ["us1"], "mute": ["offices"]},
            ],
        },
        {"receiver": "shop", "matchers": ['{app="cart1",tier!="test"}'], "active": ["offices"]},
        {"receiver": "everyone", "mute": ["offices"]},
    ],
}
NESTED_TOLD = [
    Told("severity=warning team=x", "eu-log,everyone"),
    Told("severity=critical job=kube-state-metrics alertname=KubeX", "eu-log,night"),
    Told("severity=critical job=kube-state-metrics instance=10.0.1.2", "eu-log,everyone"),
    Told("severity=critical job=a-kube-state-metrics alertname=KubeX", "eu-log,everyone"),
    Told("severity=critical job=kube-proxy alertname=KubeX namespace=shop pod=a", "eu-log,shop"),
    Told("severity=critical job=kube-proxy alertname=X namespace=shop pod=a", "eu-log,shop,kernel"),
    Told("severity=critical job=kube-proxy alertname=X namespace=shop", "eu-log,shop"),
    Told("severity=critical job=kube-proxy alertname=X cluster=us1", "eu-log,night"),
    Told("severity=warning app=cart1", "eu-log,shop"),
    Told("severity=warning app=cart1 tier=test", "eu-log,everyone"),
    Told("severity=none job=kube-proxy", "nobody"),
    Told("severity=none alertname=Watchdog", "pulse"),
]


class TestNestedRoutes:
    @pytest.mark.parametrize("told", NESTED_TOLD, ids=lambda told: told.labels)
    def test_an_alert_goes_to_the_innermost_that_match(self, told: Told, tmp_path: Path) -> None:
        """
        As Alertmanager has it; the heartbeat and what notifies nobody come before all of them.
        """
        file = tmp_path / "alertmanager.yml"
        file.write_text(rendered(**NESTED))

        said = amtool("config", "routes", "test", f"--config.file={file}", *told.labels.split(" "))

        assert said.splitlines()[-1] == told.receivers  # before it are warnings of a matcher's spelling

    def test_alertmanager_starts_with_them(self, tmp_path: Path) -> None:
        """
        Amtool takes the time intervals and every matcher.
        """
        file = tmp_path / "alertmanager.yml"
        file.write_text(rendered(**NESTED))

        assert "SUCCESS" in amtool("check-config", str(file))

    def test_have_groups_and_times_of_their_own(self) -> None:
        """
        Written in Alertmanager's words, which inherit what is left out.
        """
        [_, _, log, night, shop, everyone] = yaml.safe_load(rendered(**NESTED))["route"]["routes"]

        assert log == {"receiver": "eu-log", "continue": True}
        names = ("group_by", "group_wait", "group_interval", "repeat_interval")
        assert [night[name] for name in names] == [["cluster", "namespace"], "10s", "1m", "1h"]
        assert night["routes"][1]["group_by"] == ["..."]
        assert night["routes"][2] == {"matchers": ['cluster=~"us1"'], "mute_time_intervals": ["offices"]}
        assert shop["active_time_intervals"] == everyone["mute_time_intervals"] == ["offices"]


MAINTENANCE = {"alertname": "PromfleetClusterInMaintenance", "severity": "none"}
SILENT = {"alertname": "PromfleetClusterSilent", "severity": "critical"}
ABSENT = {"alertname": "PromfleetClusterNeverReported", "severity": "critical"}
WATCHDOG = {"alertname": "Watchdog", "severity": "none"}
TARGET = {"alertname": "TargetDown", "severity": "warning", "job": "pods", "instance": "a"}
SLOW = {"alertname": "PrometheusRemoteWriteDesiredShards", "severity": "warning"}
REJECTED = {"alertname": "PrometheusRemoteStorageFailures", "severity": "critical"}
STATE = "kube-state-metrics"
NODE_AWAY = {"alertname": "KubeNodeNotReady", "severity": "critical", "node": "n1", "job": STATE}
NODE_FULL = {"alertname": "NodeFilesystemAlmostOutOfSpace", "severity": "warning", "node": "n1", "instance": "n1"}
OTHER_NODE_FULL = {**NODE_FULL, "alertname": "NodeOther", "node": "n2"}
DEPLOYMENT_AWAY = {
    "alertname": "KubeDeploymentUnavailable",
    "severity": "critical",
    "namespace": "shop",
    "deployment": "cart",
    "job": STATE,
}
DEPLOYMENT_SMALL = {
    "alertname": "KubeDeploymentReplicasMismatch",
    "severity": "warning",
    "namespace": "shop",
    "deployment": "cart",
}
VOLUME_FULL = {
    "alertname": "KubePersistentVolumeFillingUp",
    "severity": "critical",
    "namespace": "shop",
    "persistentvolumeclaim": "db",
    "job": "kubelet",
}
VOLUME_FILLS = {**VOLUME_FULL, "severity": "warning"}
OTHER_VOLUME_FILLS = {**VOLUME_FILLS, "persistentvolumeclaim": "cache"}
INODES_RUN_OUT = {**VOLUME_FILLS, "alertname": "KubePersistentVolumeInodesFillingUp"}
BURNS_FAST = {"alertname": "KubeAPIErrorBudgetBurn", "severity": "critical", "long": "1h", "short": "5m"}
BURNS_SLOWLY = {**BURNS_FAST, "severity": "warning", "long": "1d", "short": "2h"}
OTHER_STUCK = {**DEPLOYMENT_SMALL, "alertname": "KubeDeploymentRolloutStuck", "deployment": "till"}


def of_nobody(alert: Labels) -> Labels:
    return {name: value for name, value in alert.items() if name != "job"}


class Muted(NamedTuple):
    """Alerts that come together, and the names of those that are told to nobody."""

    here: list[Labels]
    there: list[Labels]
    """In another cluster."""
    names: set[str]
    """Of `here`; of `there` nothing is ever muted."""


MUTED = {
    "maintenance mutes all of its cluster": Muted(
        [MAINTENANCE, REJECTED, SLOW, TARGET],
        [REJECTED, SLOW, TARGET],
        {"PrometheusRemoteStorageFailures", "PrometheusRemoteWriteDesiredShards", "TargetDown"},
    ),
    "maintenance leaves the heartbeat alone": Muted([MAINTENANCE, WATCHDOG], [], set()),
    "a silent cluster is what matters": Muted(
        [SILENT, SLOW, TARGET], [SLOW, TARGET], {"PrometheusRemoteWriteDesiredShards", "TargetDown"}
    ),
    "a cluster that never came likewise": Muted([ABSENT, SLOW], [SLOW], {"PrometheusRemoteWriteDesiredShards"}),
    "silence does not hide another critical alert": Muted([SILENT, REJECTED], [REJECTED], set()),
    "a node that is away has no smaller trouble": Muted(
        [NODE_AWAY, NODE_FULL, OTHER_NODE_FULL, SLOW], [NODE_FULL], {"NodeFilesystemAlmostOutOfSpace"}
    ),
    "a Deployment without a pod has too few of them": Muted(
        [DEPLOYMENT_AWAY, DEPLOYMENT_SMALL, OTHER_STUCK], [DEPLOYMENT_SMALL], {"KubeDeploymentReplicasMismatch"}
    ),
    "a volume that is full fills up no more": Muted(
        [VOLUME_FULL, VOLUME_FILLS], [VOLUME_FILLS], {"KubePersistentVolumeFillingUp"}
    ),
    "another volume does, and another thing of this one": Muted(
        [VOLUME_FULL, OTHER_VOLUME_FILLS, INODES_RUN_OUT], [], set()
    ),
    "a budget that burns fast burns slowly too": Muted([BURNS_FAST, BURNS_SLOWLY], [], {"KubeAPIErrorBudgetBurn"}),
    "a pod can't say that a volume is full": Muted([{**VOLUME_FULL, "job": "pods"}, VOLUME_FILLS], [], set()),
    "a critical alert mutes no warning of another thing": Muted([REJECTED, SLOW, TARGET], [SLOW], set()),
    "a pod can't say that its node is away": Muted([{**NODE_AWAY, "job": "pods"}, NODE_FULL], [], set()),
    "nor can what is pushed": Muted([{**NODE_AWAY, "job": "backup"}, NODE_FULL], [], set()),
    "nor what names no job": Muted([of_nobody(NODE_AWAY), NODE_FULL], [], set()),
    "a node without a name is none": Muted([{**NODE_AWAY, "node": ""}, SLOW], [], set()),
    "a pod can't say that a Deployment is away": Muted(
        [{**DEPLOYMENT_AWAY, "job": "services"}, DEPLOYMENT_SMALL], [], set()
    ),
    "a pod can't say that its cluster is silent": Muted([{**SILENT, "job": "pods"}, SLOW], [], set()),
    "nor that it never came": Muted([{**ABSENT, "job": "pods"}, SLOW], [], set()),
    "nor that it is in maintenance": Muted([{**MAINTENANCE, "job": "pods"}, SLOW], [], set()),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    with running(rendered(), tmp_path_factory.mktemp("alertmanager")) as started:
        yield started


class TestInhibition:
    @pytest.mark.parametrize("case", MUTED)
    def test_an_alert_is_muted_by_another_of_its_cluster_alone(self, case: str, server: Alertmanager) -> None:
        """
        Alertmanager itself says which alerts are muted, and by what is known to it when all have come.
        """
        here, there, names = MUTED[case]
        # The last to come is muted when all before it are judged.
        last = [{**MAINTENANCE, "cluster": f"last {case}"}, {**REJECTED, "cluster": f"last {case}"}]

        server.take(
            *({**alert, "cluster": f"here {case}"} for alert in here),
            *({**alert, "cluster": f"there {case}"} for alert in there),
            *last,
        )
        until("all alerts are judged", lambda: bool(server.muted(f"last {case}")))

        assert server.muted(f"here {case}") == names
        assert server.muted(f"there {case}") == set()


class TestPeoplesInhibition:
    def test_mutes_beside_those_of_promfleet_and_never_the_heartbeat(self, tmp_path: Path) -> None:
        """
        A rule as people have it mutes what it says in the same cluster; a maintenance window still mutes the rest.
        """
        rule = {
            "name": "A hides all",
            "source_matchers": ["alertname=A", 'severity=~"critical|warning"'],
            "target_matchers": ['alertname!="A"'],
            "equal": ["cluster", "namespace"],
        }
        source = {"alertname": "A", "severity": "warning"}
        last = [{**MAINTENANCE, "cluster": "last"}, {**REJECTED, "cluster": "last"}]

        with running(rendered(inhibitRules=[rule]), tmp_path) as server:
            server.take(
                *(
                    {**alert, "cluster": "here"}
                    for alert in (source, SLOW, WATCHDOG, NODE_AWAY, {**TARGET, "namespace": "a"})
                ),
                *({**alert, "cluster": "there"} for alert in (SLOW, WATCHDOG)),
                *last,
            )
            until("all alerts are judged", lambda: bool(server.muted("last")))

            assert server.muted("here") == {SLOW["alertname"], NODE_AWAY["alertname"]}
            assert server.muted("there") == set()
            assert server.muted("last") == {REJECTED["alertname"]}
