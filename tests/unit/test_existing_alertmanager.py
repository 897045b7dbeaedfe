"""Alertmanagers that exist already, instead of promfleet's or beside it."""

from typing import Any

import pytest
import yaml

import render
from dashboards import files as dashboards
from fleet.browse import Name, page_of
from fleet.manifests import Manifests, manifests
from fleet.stack import StackError
from render.machine import ClusterCredentials, machine_files
from render.scrape.user_jobs import FOLDER
from render.thanos.ruler import ruler_alertmanagers
from settings import Fleet
from stacks.offline import run
from tests.rendered import server_config

TOKEN = {"secret": {"name": "alerts", "key": "token"}}
ALERTMANAGERS: list[dict[str, Any]] = [
    {
        "url": "https://alerts.acme.example/prefix/",
        "ca": {"configMap": {"name": "acme", "key": "ca.crt"}},
        "serverName": "alerts.internal",
        "token": TOKEN,
    },
    {"url": "http://[fd00::7]:9093", "basicAuth": {"username": "hub", "password": TOKEN}},
]
TARGETS = [["alerts.acme.example:443"], ["[fd00::7]:9093"]]


def fleet(**sections: Any) -> Fleet:
    """A hub with these Alertmanagers."""
    return Fleet.model_validate(
        {
            "clusters": {"hub": {"context": "hub"}},
            "hub": {"cluster": "hub", "storage": "500Gi", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
            "alerts": {"alertmanagers": ALERTMANAGERS},
            **sections,
        }
    )


class TestPrometheus:
    def test_sends_alerts_to_each_with_its_login(self) -> None:
        """
        Each URL is an entry, whose credentials are mounted files.
        """
        alerting = server_config(fleet())["alerting"]

        assert alerting["alertmanagers"] == [
            {
                "api_version": "v2",
                "scheme": "https",
                "path_prefix": "/prefix",
                "follow_redirects": False,
                "authorization": {"credentials_file": f"{FOLDER}/secret/alerts/token"},
                "tls_config": {"ca_file": f"{FOLDER}/configMap/acme/ca.crt", "server_name": "alerts.internal"},
                "static_configs": [{"targets": TARGETS[0]}],
            },
            {
                "api_version": "v2",
                "scheme": "http",
                "follow_redirects": False,
                "basic_auth": {"username": "hub", "password_file": f"{FOLDER}/secret/alerts/token"},
                "static_configs": [{"targets": TARGETS[1]}],
            },
        ]
        assert [rule["regex"] for rule in alerting["alert_relabel_configs"]] == ["hub|replica"]

    def test_may_send_alerts_to_promfleets_too(self) -> None:
        """
        For as long as somebody compares both.
        """
        described = fleet(alertmanager={"receivers": {"quiet": {}}, "default": "quiet"})

        [ours, *existing] = server_config(described)["alerting"]["alertmanagers"]
        assert "kubernetes_sd_configs" in ours
        assert [entry["static_configs"][0]["targets"] for entry in existing] == TARGETS

    def test_that_the_operator_runs_does_as_well(self) -> None:
        """
        The custom resource refers to the same entries.
        """
        described = fleet(clusters={"hub": {"context": "hub", "operator": {}}})
        assert described.server

        text = render.operated_server(described.server, described).files["alertmanagers.yaml"]
        assert yaml.safe_load(text) == server_config(fleet())["alerting"]["alertmanagers"]


class TestWithoutPromfleets:
    def test_nothing_of_it_is_scraped_or_shown(self) -> None:
        """
        No job, no dashboard and no page.
        """
        described = fleet()

        jobs = {job["job_name"] for job in server_config(described)["scrape_configs"]}
        assert not {"alertmanager", "config-reloader"} & jobs
        assert "alertmanager.json" not in dashboards(described)
        with pytest.raises(StackError, match="this stack has no section alertmanager"):
            page_of(described, Name.ALERTMANAGER)

    def test_nothing_of_it_is_deployed(self, deployed: Manifests) -> None:
        """
        Neither a workload nor a Service nor a Secret.
        """
        assert not [path for path in deployed.files if "alertmanager" in path]


@pytest.fixture(scope="module")
def deployed() -> Manifests:
    """The objects of a hub with Thanos Rulers. They are made once, so tests only read them."""
    thanos = {"storage": {"filesystem": {"claim": "blocks"}}, "ruler": {}}
    return manifests(run(fleet(thanos=thanos), "organization/promfleet/hub", {}).resources)


class TestPods:
    @pytest.mark.parametrize("name", ["prometheus-hub", "thanos-ruler"])
    def test_mount_what_they_read(self, deployed: Manifests, name: str) -> None:
        """
        Key by key; Prometheus and a Ruler have the same files.
        """
        [pod] = [
            item["spec"]["template"]["spec"]
            for item in deployed.files.values()
            if item["kind"] == "StatefulSet" and item["metadata"]["name"] == name
        ]
        [volume] = [volume for volume in pod["volumes"] if volume["name"] == "jobs"]
        assert volume["projected"]["sources"] == [
            {"configMap": {"name": "acme", "items": [{"key": "ca.crt", "path": "configMap/acme/ca.crt"}]}},
            {"secret": {"name": "alerts", "items": [{"key": "token", "path": "secret/alerts/token"}]}},
        ]
        mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounts["jobs"] == FOLDER


class TestRuler:
    def test_has_thanos_words_for_them(self) -> None:
        """
        Thanos reads no section `authorization`, and targets are strings.
        """
        described = fleet(
            thanos={"storage": {"filesystem": {"claim": "blocks"}}, "ruler": {}},
        )
        assert described.server

        assert yaml.safe_load(ruler_alertmanagers(described.server, described)) == {
            "alertmanagers": [
                {
                    "scheme": "https",
                    "api_version": "v2",
                    "path_prefix": "/prefix",
                    "static_configs": TARGETS[0],
                    "http_config": {
                        "bearer_token_file": f"{FOLDER}/secret/alerts/token",
                        "tls_config": {"ca_file": f"{FOLDER}/configMap/acme/ca.crt", "server_name": "alerts.internal"},
                    },
                },
                {
                    "scheme": "http",
                    "api_version": "v2",
                    "static_configs": TARGETS[1],
                    "http_config": {
                        "basic_auth": {"username": "hub", "password_file": f"{FOLDER}/secret/alerts/token"}
                    },
                },
            ]
        }


class TestWatcher:
    def test_has_secrets_of_the_stack_as_files(self) -> None:
        """
        The file that prometheus.yml names is written beside it, for its owner alone.
        """
        described = Fleet.model_validate(
            {
                "clusters": {"eu1": {"context": "eu1"}},
                "watcher": {"clusters": ["eu1"]},
                "alerts": {"alertmanagers": [{"url": "https://a.example", "token": {"stackSecret": "alerts"}}]},
            }
        )
        assert described.secrets.keys() == {"alerts"}

        files = machine_files(described, {"eu1": ClusterCredentials("https://eu1.example", "CA", "t")}, {"alerts": "T"})

        [entry] = yaml.safe_load(files["prometheus/prometheus.yml"].text)["alerting"]["alertmanagers"]
        assert entry["authorization"] == {"credentials_file": "alertmanagers/alerts"}
        assert files["prometheus/alertmanagers/alerts"] == ("T", 0o600)
        assert not [name for name in files if name.startswith("alertmanager/")]
