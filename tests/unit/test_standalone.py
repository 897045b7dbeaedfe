"""One cluster that is watched by its own Prometheus server: what is deployed, and what it costs the program."""

import re

import pytest

from alerts import GROUPS
from stacks import deploy
from tests import ROOT
from tests.rendered import server_config
from tests.unit.builders import HUB, fleet
from tests.unit.conftest import Engine, validate
from tests.unit.kinds import CONFIG_MAP, NETWORK_POLICY, PERSISTENT_VOLUME_CLAIM, ROLE, SERVICE, STATEFUL_SET
from tests.unit.stack_texts import problems

SECTION = {"cluster": "shop", "expose": {"host": "prometheus.shop.example", "tls": {"secret": "shop-tls"}}}
CLUSTERS = {"shop": {"context": "hub"}}
BESIDE = {
    "alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet"},
    "grafana": {"secret": {"name": "grafana", "key": "password"}},
    "pushgateway": {},
    "probes": {"site": {"targets": ["https://shop.example"]}},
    "thanos": {"storage": {"filesystem": {"claim": "blocks"}}, "ruler": {}, "bucketWeb": {}},
}
"""All that may be in the same stack."""
ALONE = "clusters: {shop: {context: a}}\nstandalone: {cluster: shop, expose: {host: p.example, tls: {secret: s}}}\n"
KNOWN_BY = {
    "settings/__init__.py",
    "settings/fleet.py",
    "settings/loading/foreign.py",
    "settings/loading/read.py",
    "settings/standalone.py",
    "settings/validation/alerting.py",
    "settings/validation/partial.py",
    "settings/validation/replication.py",
    "settings/validation/rules.py",
    "stacks/deploy.py",
    "stacks/standalone.py",
}
"""
The files that a section of its own cost.

A model and a composition, where they are listed, rules about both, and what others call it.
"""


@pytest.fixture(scope="module")
def alone(kubeconfig) -> Engine:
    return Engine().deploy(lambda: deploy(fleet(clusters=CLUSTERS, standalone=SECTION)))


@pytest.fixture(scope="module")
def whole(kubeconfig) -> Engine:
    return Engine().deploy(lambda: deploy(fleet(clusters=CLUSTERS, standalone=SECTION, **BESIDE)))


class TestAlone:
    def test_is_one_prometheus_and_its_exporters(self, alone):
        """
        Nothing else runs in the cluster, and every object is what Kubernetes expects.
        """
        workloads = {item["metadata"]["name"] for item in alone.objects if "template" in item.get("spec", {})}

        assert workloads == {"prometheus-standalone", "kube-state-metrics", "node-exporter"}
        validate(alone.objects)

    def test_takes_no_remote_write(self, alone):
        """
        It has no auth proxy for writing, no port and no Role for it, and no receiver behind them.
        """
        pod = alone.one(STATEFUL_SET, "prometheus-standalone").inputs["spec"]["template"]["spec"]
        ports = alone.one(SERVICE, "prometheus-standalone").inputs["spec"]["ports"]

        assert [one["name"] for one in pod["containers"]] == [
            "prometheus",
            "kube-rbac-proxy-read",
            "kube-rbac-proxy-browse",
        ]
        assert "--web.enable-remote-write-receiver" not in pod["containers"][0]["args"]
        assert [port["name"] for port in ports] == ["read", "browse"]
        assert {role.inputs["metadata"]["name"] for role in alone.all(ROLE)} == {
            "prometheus-standalone-read",
            "prometheus-standalone-browse",
        }

    def test_scrapes_its_own_cluster(self, alone):
        """
        Prometheus itself, nodes, API server and exporters, each series with the name of the cluster.
        """
        config = server_config(fleet(clusters=CLUSTERS, standalone=SECTION))
        jobs = {job["job_name"] for job in config["scrape_configs"]}

        assert jobs >= {"prometheus", "kubelet", "cadvisor", "apiserver", "node-exporter", "kube-state-metrics"}
        assert config["global"]["external_labels"] == {"cluster": "shop"}

    def test_lets_its_exporters_be_scraped_by_it(self, alone):
        """
        kube-state-metrics knows the Prometheus of its own cluster, and no other.
        """
        policy = alone.one(NETWORK_POLICY, "kube-state-metrics").inputs["spec"]

        [peer] = policy["ingress"][0]["from"]
        assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": "prometheus-standalone"}


class TestWhole:
    def test_all_that_a_hub_may_have_is_deployed(self, whole):
        """
        Rules, Alertmanager, Grafana, Pushgateway, probes and Thanos need no hub.
        """
        workloads = {item["metadata"]["name"] for item in whole.objects if "template" in item.get("spec", {})}

        assert workloads == {
            "alertmanager",
            "blackbox-exporter",
            "grafana",
            "kube-state-metrics",
            "node-exporter",
            "prometheus-standalone",
            "pushgateway",
            "thanos-bucket-web",
            "thanos-compactor",
            "thanos-query",
            "thanos-ruler",
            "thanos-store",
        }
        validate(whole.objects)

    def test_nothing_names_a_hub(self, whole):
        """
        Every address, right and policy is of the server that there is.
        """
        texts = [str(item) for item in whole.objects if item["kind"] != "ConfigMap"]
        configs = [str(one.inputs["data"]) for one in whole.all(CONFIG_MAP) if "rules" not in one.name]

        assert [text for text in (*texts, *configs) if "prometheus-hub" in text] == []
        assert [text for text in configs if "prometheus-standalone" in text] != []


class TestVolumes:
    def test_of_every_prometheus_are_those_that_an_alert_watches(self, alone, kubeconfig):
        """
        The alert about a full volume selects claims by name, which differs between servers and agents.
        """
        hub = Engine().deploy(lambda: deploy(fleet(hub=HUB, agents={"eu1": {}})))
        [alert] = [alert for group in GROUPS for alert in group.alerts if alert.name == "PromfleetVolumeFull"]
        [watched] = {*re.findall(r'persistentvolumeclaim=~"([^"]+)"', alert.expr)}

        claims = {r.inputs["metadata"]["name"] for one in (alone, hub) for r in one.all(PERSISTENT_VOLUME_CLAIM)}

        assert claims == {"data-prometheus-standalone-0", "data-prometheus-hub-0", "prometheus-agent"}
        assert [claim for claim in claims if not re.fullmatch(watched, claim)] == []


class TestRules:
    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            (
                ALONE + "hub: {cluster: shop, expose: {host: h.example, tls: {secret: s}}}",
                "standalone: is a second Prometheus server: this stack has a hub. Remove one: a hub scrapes its own "
                "cluster too. For both, write two stack files.",
            ),
            (
                ALONE + "agents: {shop: {hub: {stack: o/p/hub}}}",
                "agents.shop: is an agent in the standalone server's own cluster. Remove it: the standalone "
                "server scrapes its own cluster itself.",
            ),
            (
                ALONE.replace("cluster: shop", "cluster: shp"),
                'standalone.cluster: "shp" is not in clusters. Did you mean "shop"?',
            ),
            (
                ALONE.replace("cluster: shop", "cluster: shop, replicas: 2"),
                "standalone.replicas: 2 needs thanos, which deduplicates the series of replicas. Add a section thanos, "
                "or write replicas: 1.",
            ),
            (
                ALONE + "thanos: {storage: {filesystem: {claim: b}}, ruler: {}, receive: {expose: {host: r.example}}}",
                "thanos.receive: has no effect: no agent writes to a standalone server. Remove it, or rename the "
                "section standalone to hub.",
            ),
            (
                ALONE.replace("cluster: shop", "cluster: shop, retention: 400d, storage: 1Gi"),
                'standalone.retention: "400d" does not fit in storage: 1Gi at 500 samples/s.',
            ),
        ],
    )
    def test_what_can_not_work_is_refused(self, tmp_path, text, wrong):
        """
        The message has the section's own name in it.
        """
        assert [problem for problem in problems(tmp_path, text) if problem.startswith(wrong)] != []


def test_a_section_costs_a_file_a_layer():
    """
    These files show what a further section needs, and no others.
    """
    layers = ("settings", "render", "components", "stacks")
    files = [file for layer in layers for file in (ROOT / layer).rglob("*.py")]

    found = {str(file.relative_to(ROOT)) for file in files if re.search("standalone", file.read_text(), re.I)}
    assert found == KNOWN_BY
