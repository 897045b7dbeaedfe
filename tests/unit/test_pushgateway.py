import json
from fnmatch import fnmatchcase
from typing import cast

import pytest
from pulumi import ResourceOptions

from components import Pushgateway
from components.pushgateway import PushgatewayArgs
from prometheus.pushgateway import pushgateway_job

from .builders import HUB, containers, fleet, pod
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
        },
    )
    return Engine().deploy(lambda: Pushgateway("hub", args, ResourceOptions()))


class TestDoor:
    @pytest.mark.parametrize(
        ("path", "open_"),
        [
            ("/metrics", True),
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
        Each `*` of a pattern is one part of the path, as the door reads it.
        """
        [allowed] = [a for a in containers(pushgateway)["push-door"]["args"] if a.startswith("--allow-paths=")]
        patterns = [p.split("/") for p in allowed.removeprefix("--allow-paths=").split(",")]
        parts = path.split("/")

        passes = any(len(p) == len(parts) and all(map(fnmatchcase, parts, p)) for p in patterns)

        assert passes == open_

    def test_pushers_push_and_prometheus_scrapes(self, pushgateway):
        """
        Who holds the pusher's token can't read, and Prometheus can't push.
        """
        verbs = {r.inputs["metadata"]["name"]: r.inputs["rules"][0]["verbs"] for r in pushgateway.all(ROLE)}
        holds = {
            b.inputs["subjects"][0]["name"]: verbs[b.inputs["roleRef"]["name"]] for b in pushgateway.all(ROLE_BINDING)
        }

        assert holds == {"pushgateway-pusher": ["create", "update", "delete"], "prometheus-hub": ["get"]}

    def test_is_the_only_way_in(self, pushgateway):
        """
        The server listens on loopback, without a port of its own.
        """
        server = containers(pushgateway)["pushgateway"]

        assert "--web.listen-address=127.0.0.1:9091" in server["args"]
        assert "ports" not in server

    def test_the_token_stands_nowhere(self, pushgateway):
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


class TestScrape:
    JOB = pushgateway_job(fleet(hub=HUB, pushgateway={}))

    @pytest.mark.parametrize(
        ("pushed", "stored"),
        [
            (
                {"job": "backup", "instance": "db1"},
                {"job": "backup", "instance": "db1", "cluster": "hub"},
            ),
            (
                {"job": "backup", "cluster": "eu1"},
                {"job": "backup", "cluster": "hub", "exported_cluster": "eu1"},
            ),
            ({"job": "backup", "cluster": "hub"}, {"job": "backup", "cluster": "hub"}),
        ],
    )
    def test_a_push_keeps_its_names_but_not_its_cluster(self, pushed, stored):
        """
        Whoever may push can't speak for another cluster, and no other series gets a label for it.
        """
        assert self.JOB["honor_labels"]
        honoured = {"cluster": "hub", **pushed}

        assert relabel(honoured, self.JOB["metric_relabel_configs"]) == stored

    def test_its_target_belongs_to_the_hubs_cluster(self):
        """
        `up` and its like are not relabelled after the scrape.
        """
        found = {
            "__meta_kubernetes_endpointslice_port_name": "push",
            "__meta_kubernetes_pod_name": "pushgateway-0",
        }

        target = relabel(found, self.JOB["relabel_configs"]) or {}

        assert (target["cluster"], target["instance"]) == ("hub", "pushgateway-0")
