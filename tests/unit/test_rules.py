"""What the hub's rule files say of each alert, before any Prometheus reads them."""

import re
from functools import cache
from typing import Any, get_args

import pytest
import yaml

import render
from alerts import ALERTS, GROUPS, WATCHDOG, Alert, tuning_key
from render.rules import EXPECTED, REPLICAS
from render.scrape.platforms import UNREACHABLE
from settings import Fleet
from settings.cluster import Cluster

HUB = {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}, "agents": ["far"]}


THANOS = {
    "storage": {"filesystem": {"claim": "blocks"}},
    "queryFrontend": {},
    "ruler": {},
    "receive": {"expose": {"host": "receive.example"}},
}
"""All roles, so that none of the catalogue is left out."""
ISSUER = {"url": "https://hub.example", "jwksUri": "https://hub.example/keys"}
"""Of the hub's cluster, likewise."""


def fleet(platforms: dict[str, str] | None = None, **alerts: Any) -> Fleet:
    named = platforms or {}
    clusters: dict[str, Any] = {name: {"context": name, "platform": named.get(name)} for name in ("hub", "eu1")}
    clusters["hub"]["issuer"] = ISSUER
    return Fleet.model_validate(
        {"clusters": clusters, "hub": HUB, "agents": {"eu1": {"outage": "12h"}}, "thanos": THANOS, "alerts": alerts}
    )


SOMEBODYS = {"namespace": "monitoring", "service": "exporter"}
ON_JOB = {"kube-state-metrics": "KubeStateMetricsDown", "node-exporter": "NodeExporterDown", "coredns": "CoreDNSDown"}
"""Job -> the alert on its end."""


@cache
def groups(text: str) -> list[dict[str, Any]]:
    """What a rule file says; most tests read the same ones."""
    return yaml.safe_load(text)["groups"]


def rule_files(made: Fleet) -> dict[str, list[dict[str, Any]]]:
    """What the rule files of a fleet say, by their names."""
    return {file: groups(text) for file, text in render.rules(made).items()}


@pytest.fixture(scope="module")
def of_sre() -> dict[str, list[dict[str, Any]]]:
    """The rule files of a fleet whose team is sre. They are rendered once, so tests only read them."""
    return rule_files(fleet(team="sre"))


def rules_of(files: dict[str, list[dict[str, Any]]], name: str) -> dict[str, dict[str, Any]]:
    """The rules of one alert, by their file."""
    return {
        file: rule
        for file, entries in files.items()
        for group in entries
        for rule in group["rules"]
        if rule.get("alert") == name
    }


def alert(made: Fleet, name: str) -> dict[str, dict[str, Any]]:
    """Likewise, of a fleet that no other test has."""
    return rules_of(rule_files(made), name)


def jobs(made: Fleet, cluster: str) -> set[str]:
    text = render.agent_config(made, cluster, "https://hub.example", own=True, ca_file=None, token_file="/token")
    return {job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]}


class TestRules:
    @pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
    def test_stand_in_a_file_of_their_group_records_first(self, of_sre: dict[str, Any], group: Any) -> None:
        """
        A record is there when the rules after it ask for it.
        """
        (made,) = of_sre[f"{group.name}.yml"]

        assert made["name"] == group.name
        names = [rule.get("record") or rule.get("alert") for rule in made["rules"]]
        assert [name for name in names if name != REPLICAS] == [rule.name for rule in (*group.records, *group.alerts)]

    @pytest.mark.parametrize(
        "told",
        [rule for rules in ALERTS.values() for rule in rules],
        ids=lambda told: "-".join((tuning_key(told), *told.labels.values())),
    )
    def test_carry_what_routing_and_people_need(self, of_sre: dict[str, Any], told: Alert) -> None:
        """
        Severity, team, labels of their own, both texts, and a page that explains; no placeholder is left.
        """
        made = [rule for entries in of_sre.values() for group in entries for rule in group["rules"]]
        labels = {**told.labels, "severity": told.severity, "team": "sre"}

        (rule,) = [one for one in made if one.get("alert") == told.name and one["labels"] == labels]

        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"].startswith("docs/runbooks/")
        assert "$threshold" not in str(rule)

    def test_lead_to_where_runbooks_are_published(self) -> None:
        """
        The anchor is the one that the heading gets.
        """
        (rule,) = alert(fleet(runbooks="https://wiki.example/runbooks"), "TargetDown").values()

        assert rule["annotations"]["runbook_url"] == "https://wiki.example/runbooks/exporters.md#targetdown"

    def test_watchdog_always_fires_for_the_hub(self) -> None:
        """
        It depends on no series.
        """
        (rule,) = alert(fleet(), WATCHDOG).values()

        assert rule["expr"] == "vector(1)"
        assert rule["labels"] == {"cluster": "hub", "severity": "none", "team": "platform"}


class TestInventory:
    def test_has_the_labels_of_every_cluster(self) -> None:
        """
        Those of this stack's clusters, and those that the hub's section says of clusters elsewhere.
        """
        made = Fleet.model_validate(
            {
                "clusters": {"hub": {"context": "a", "labels": {"region": "eu"}}, "eu1": {"context": "b"}},
                "hub": {**HUB, "agents": {"far": {"labels": {"region": "us", "tier": "prod"}}, "near": {}}},
                "agents": {"eu1": {}},
            }
        )

        (group,) = rule_files(made)["inventory.yml"]

        assert [rule["labels"] for rule in group["rules"] if rule.get("record") == EXPECTED] == [
            {"cluster": "eu1"},
            {"cluster": "far", "region": "us", "tier": "prod"},
            {"cluster": "hub", "region": "eu"},
            {"cluster": "near"},
        ]


FILLING_UP = "KubePersistentVolumeFillingUp"


class TestTuning:
    def test_of_a_cluster_wins_over_that_of_the_fleet(self) -> None:
        """
        What the cluster leaves open comes from the fleet's tuning, and then from the catalogue.
        """
        made = fleet(
            rules={"PrometheusRemoteWriteBehind": {"threshold": 300, "for": "7m", "severity": "warning"}},
            clusters={"eu1": {"PrometheusRemoteWriteBehind": {"threshold": 600, "team": "eu"}}},
        )

        rules = alert(made, "PrometheusRemoteWriteBehind")

        assert rules.keys() == {"prometheus.yml", "overrides-eu1.yml"}
        general, own = rules["prometheus.yml"], rules["overrides-eu1.yml"]
        assert "> 300)" in general["expr"]
        assert general["expr"].endswith('unless on (cluster) (label_replace(vector(1), "cluster", "eu1", "", ""))')
        assert "> 600)" in own["expr"]
        assert own["expr"].endswith('and on (cluster) (label_replace(vector(1), "cluster", "eu1", "", ""))')
        assert (own["for"], own["labels"]) == ("7m", {"severity": "warning", "team": "eu"})

    def test_of_one_severity_leaves_the_other_alone(self) -> None:
        """
        What an alert says critically and what it warns of are tuned apart.
        """
        made = fleet(rules={"KubePersistentVolumeFillingUp/critical": {"threshold": 0.07, "for": "9m"}})

        (file,) = rule_files(made)["volumes.yml"]
        waits = {rule["labels"]["severity"]: rule["for"] for rule in file["rules"] if rule["alert"] == FILLING_UP}
        assert waits == {"critical": "9m", "warning": "1h"}
        assert [rule["expr"] for rule in file["rules"] if "0.07" in rule["expr"]] == [file["rules"][0]["expr"]]

    def test_of_one_severity_can_take_it_away(self) -> None:
        """
        For one cluster, and the other severity stays for all.
        """
        made = fleet(clusters={"eu1": {"KubePersistentVolumeFillingUp/warning": {"enabled": False}}})

        (file,) = rule_files(made)["volumes.yml"]
        narrowed = [rule["labels"]["severity"] for rule in file["rules"] if "unless on (cluster)" in rule["expr"]]
        assert narrowed == ["warning"]

    def test_of_every_cluster_leaves_no_general_rule(self) -> None:
        """
        It would have nothing to say.
        """
        tunings = {name: {"TargetDown": {"for": "20m"}} for name in ("eu1", "far", "hub")}

        assert alert(fleet(clusters=tunings), "TargetDown").keys() == {f"overrides-{name}.yml" for name in tunings}


class TestPlatforms:
    def test_take_jobs_away(self) -> None:
        """
        GKE lets nobody scrape its DNS; where nothing is said of the platform, all is tried.
        """
        assert jobs(fleet(), "eu1") - jobs(fleet({"eu1": "gke"}), "eu1") == {"coredns"}

    def test_are_those_of_the_stack_file(self) -> None:
        """
        Each is known, and takes away only jobs that there are.
        """
        assert set(UNREACHABLE) == set(get_args(get_args(Cluster.model_fields["platform"].annotation)[0]))
        assert jobs(fleet(), "eu1") >= set().union(*UNREACHABLE.values())

    @pytest.mark.parametrize(
        ("cluster", "gone"),
        [
            ({"nodeExporter": {"enabled": False}}, {"node-exporter"}),
            ({"kubeStateMetrics": {"enabled": False}}, {"kube-state-metrics"}),
            ({"platform": "autopilot"}, {"coredns", "node-exporter"}),
            ({"platform": "autopilot", "nodeExporter": {"existing": SOMEBODYS}}, {"coredns"}),
            ({"kubeStateMetrics": {"existing": SOMEBODYS}}, set()),
        ],
        ids=["no-nodes", "no-state", "autopilot", "autopilot-existing", "existing-state"],
    )
    def test_and_exporters_that_are_not_there_take_jobs_away_and_alerts_on_them(
        self, cluster: dict[str, Any], gone: set[str]
    ) -> None:
        """
        What is scraped elsewhere stays.
        """
        made = fleet().model_dump(by_alias=True, exclude_unset=True)
        made["clusters"]["eu1"] = {"context": "eu1", **cluster}
        without = Fleet.model_validate(made)

        assert jobs(fleet(), "eu1") - jobs(without, "eu1") == gone
        apart = 'unless on (cluster) (label_replace(vector(1), "cluster", "eu1", "", ""))'
        for job, name in ON_JOB.items():
            (rule,) = alert(without, name).values()
            assert rule["expr"].endswith(apart) == (job in gone)

    def test_jobs_that_few_ask_for_name_nobody_else(self) -> None:
        """
        Without the job there are no series; only a cluster that has it and lacks what else an alert needs is named.
        """
        made = fleet().model_dump(by_alias=True, exclude_unset=True)
        asked = {"windowsExporter": {"existing": SOMEBODYS}, "kubeStateMetrics": {"enabled": False}}
        made["clusters"]["hub"] = {"context": "hub", **asked}
        (file,) = rule_files(Fleet.model_validate(made))["windows.yml"]

        named = {rule["alert"]: re.findall(r'"cluster", "(\w+)"', rule["expr"]) for rule in file["rules"]}
        assert named.pop("WindowsExporterDown") == ["hub"]
        assert [alert for alert, clusters in named.items() if clusters] == []

    def test_except_their_clusters_from_alerts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        An alert on a hidden job leaves that platform's clusters out, and stays for the others.
        """
        monkeypatch.setitem(UNREACHABLE, "k3s", frozenset({"kube-state-metrics"}))

        (rule,) = alert(fleet({"eu1": "k3s"}), "PromfleetNameTaken").values()

        assert rule["expr"].endswith('unless on (cluster) (label_replace(vector(1), "cluster", "eu1", "", ""))')

    def test_of_one_cluster_do_not_come_back_by_its_tuning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A cluster that can't have the job can't have the alert either.
        """
        monkeypatch.setitem(UNREACHABLE, "k3s", frozenset({"kube-state-metrics"}))
        tuned = {"eu1": {"PromfleetNameTaken": {"team": "eu"}}}

        assert alert(fleet({"eu1": "k3s"}, clusters=tuned), "PromfleetNameTaken").keys() == {"fleet.yml"}

    def test_hide_an_alert_that_no_cluster_can_have(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Where every cluster of the hub is of such a platform the rule vanishes.
        """
        monkeypatch.setitem(UNREACHABLE, "k3s", frozenset({"kube-state-metrics"}))
        alone = Fleet.model_validate(
            {
                "clusters": {"hub": {"context": "hub", "platform": "k3s"}},
                "hub": {**HUB, "agents": []},
            }
        )

        assert alert(alone, "PromfleetNameTaken") == {}
