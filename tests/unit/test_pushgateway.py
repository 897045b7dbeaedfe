import json
from fnmatch import fnmatchcase
from typing import cast

import pytest
import yaml
from pulumi import ResourceOptions

import render
from components import Pushgateway
from components.pushgateway import PushgatewayArgs
from render.pushgateway import pushgateway_job
from settings import images
from tests.rendered import server, server_config

from .builders import EVERYTHING, HUB, containers, fleet, pod
from .conftest import TOKEN, Engine, plain, validate
from .kinds import ROLE, ROLE_BINDING
from .relabelling import relabel


@pytest.fixture(scope="module")
def pushgateway():
    """The component alone. It is deployed once, so tests only read it."""
    args = cast(
        "PushgatewayArgs",
        {
            "namespace": "promfleet",
            "prefix": "promfleet",
            "scraper": "prometheus-hub",
            "tls_secret": "hub-tls",
            "storage": "1Gi",
            "image": images.PUSHGATEWAY,
            "auth_proxy_image": images.KUBE_RBAC_PROXY,
            "rollout_timeout": 150,
        },
    )
    return Engine().deploy(lambda: Pushgateway("hub", args, ResourceOptions()))


class TestAuthProxy:
    @pytest.mark.parametrize(
        ("path", "open_"),
        [
            ("/metrics", False),
            ("/metrics/job/backup", True),
            ("/metrics/job/backup/instance/db1", True),
            ("/metrics/job@base64/YmFja3Vw/a/1/b/2/c/3/d/4/e/5/f/6", True),
            ("/metrics/job/backup/instance", False),
            ("/api/v1/admin/wipe", False),
            ("/-/quit", False),
            ("/", False),
        ],
    )
    def test_leads_to_pushes_of_up_to_six_labels_and_nowhere_else(self, pushgateway, path, open_):
        """
        Each `*` of a pattern is one part of the path, as the auth proxy reads it.
        """
        [allowed] = [
            a for a in containers(pushgateway)["kube-rbac-proxy-push"]["args"] if a.startswith("--allow-paths=")
        ]
        patterns = [p.split("/") for p in allowed.removeprefix("--allow-paths=").split(",")]
        parts = path.split("/")

        passes = any(len(p) == len(parts) and all(map(fnmatchcase, parts, p)) for p in patterns)

        assert passes == open_

    def test_pushers_push_and_prometheus_scrapes(self, pushgateway):
        """
        Who holds the pusher's token can't read or delete, and Prometheus can't push.
        """
        verbs = {r.inputs["metadata"]["name"]: r.inputs["rules"][0]["verbs"] for r in pushgateway.all(ROLE)}
        holds = {
            b.inputs["subjects"][0]["name"]: verbs[b.inputs["roleRef"]["name"]] for b in pushgateway.all(ROLE_BINDING)
        }

        assert holds == {
            "pushgateway-pusher": ["create", "update"],
            "pushgateway-cleaner": ["delete"],
            "prometheus-hub": ["get"],
        }

    def test_is_the_only_way_in(self, pushgateway):
        """
        The server listens on loopback, without a port of its own.
        """
        server = containers(pushgateway)["pushgateway"]

        assert "--web.listen-address=127.0.0.1:9091" in server["args"]
        assert "ports" not in server

    def test_the_token_is_in_no_object(self, pushgateway):
        """
        The cluster issues it; nothing that is made carries it.
        """
        made = json.dumps([plain(r.inputs) for r in pushgateway.resources])
        assert "kubernetes.io/service-account-token" in made
        assert TOKEN not in made


class TestPersistence:
    def test_what_was_pushed_outlives_the_pod(self, pushgateway):
        """
        The file that it writes to is on the volume.
        """
        server = containers(pushgateway)["pushgateway"]
        [file] = [a.partition("=")[2] for a in server["args"] if a.startswith("--persistence.file=")]
        [mount] = [m for m in server["volumeMounts"] if file.startswith(f"{m['mountPath']}/")]
        [volume] = [v for v in pod(pushgateway)["volumes"] if v["name"] == mount["name"]]

        assert "persistentVolumeClaim" in volume

    def test_kubernetes_knows_every_field(self, pushgateway):
        """
        Every object is what its published schema says.
        """
        validate(pushgateway.objects)


JOBS = {
    job
    for config in (
        server_config(fleet(**EVERYTHING)),
        yaml.safe_load(
            render.agent_config(
                fleet(**EVERYTHING), "eu1", "https://hub.example", own=True, ca_file=None, token_file="/token"
            )
        ),
    )
    for one in config["scrape_configs"]
    for job in [
        one["job_name"],
        *(r["replacement"] for r in one.get("relabel_configs", ()) if r.get("target_label") == "job"),
    ]
}
"""Every name that a job of this program has, in the configuration or in its series."""


class TestScrape:
    PUSHED = fleet(hub=HUB, pushgateway={})
    JOB = pushgateway_job(server(PUSHED), PUSHED).config(PUSHED, "hub")

    @pytest.mark.parametrize(
        ("pushed", "stored"),
        [
            ({"job": "backup", "instance": "db1"}, {"job": "backup", "instance": "db1", "cluster": "hub"}),
            ({"job": "backup"}, {"job": "backup", "cluster": "hub"}),
            (
                {"job": "backup", "cluster": "eu1"},
                {"job": "backup", "cluster": "hub", "exported_cluster": "eu1"},
            ),
            ({}, {"job": "pushgateway", "instance": "pushgateway-0", "cluster": "hub"}),
        ],
    )
    def test_a_push_keeps_its_names_but_not_its_cluster(self, pushed, stored):
        """
        Whoever may push can't speak for another cluster, and Pushgateway's own metrics are its own.
        """
        assert self.scraped(pushed) == stored

    @pytest.mark.parametrize("claimed", sorted({*JOBS, "pushgateway", "blackbox", "thanos-store"}))
    def test_a_push_can_not_be_of_a_job_of_ours(self, claimed):
        """
        It stays visible under the Pushgateway's own names, and equals no series of the Pushgateway itself.
        """
        assert self.scraped({"job": claimed, "instance": "pushgateway-0"}) == {
            "job": "pushgateway",
            "instance": "pushgateway-0",
            "cluster": "hub",
            "exported_job": claimed,
            "exported_instance": "pushgateway-0",
        }

    def scraped(self, pushed):
        """The labels of a series as they are stored; Prometheus moves those that the target has."""
        assert "honor_labels" not in self.JOB
        target = {"job": "pushgateway", "instance": "pushgateway-0", "cluster": "hub"}
        moved = {f"exported_{name}" if name in target else name: value for name, value in pushed.items()}
        return relabel(target | moved, self.JOB["metric_relabel_configs"])

    def test_its_target_belongs_to_the_hubs_cluster(self):
        """
        `up` and its like are not relabelled after the scrape.
        """
        found = {
            "__meta_kubernetes_endpointslice_port_name": "metrics",
            "__meta_kubernetes_pod_name": "pushgateway-0",
        }

        target = relabel(found, self.JOB["relabel_configs"]) or {}

        assert (target["cluster"], target["instance"]) == ("hub", "pushgateway-0")
