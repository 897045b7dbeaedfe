import base64
import json
from typing import cast

import pulumi
import pytest
from pulumi import ResourceOptions

from components import Alertmanager
from components.alertmanager import AlertmanagerArgs
from settings import images

from .builders import containers, pod
from .conftest import Engine, plain, secret
from .kinds import (
    CONFIG_MAP,
    NETWORK_POLICY,
    PERSISTENT_VOLUME_CLAIM,
    POD_DISRUPTION_BUDGET,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    STATEFUL_SET,
)

URL = "https://hooks.example/T0/token"


def args(**other: object) -> AlertmanagerArgs:
    given = {
        "namespace": "promfleet",
        "prefix": "promfleet",
        "config": "route: {receiver: devops}\n",
        "secrets": {"devopsSlack": pulumi.Output.secret(URL)},
        "existing": {},
        "replicas": 3,
        "notifier": "prometheus-hub",
        "reader": "reader",
        "tls_secret": "hub-tls",
        "storage": "1Gi",
        "image": images.ALERTMANAGER,
        "auth_proxy_image": images.KUBE_RBAC_PROXY,
        "reloader_image": images.CONFIG_RELOADER,
        "rollout_timeout": 150,
        **other,
    }
    return cast("AlertmanagerArgs", given)


@pytest.fixture
def alertmanager(engine):
    return lambda **other: engine.deploy(lambda: Alertmanager("hub", args(**other), ResourceOptions()))


@pytest.fixture(scope="module")
def default():
    """Alertmanagers as the arguments above describe them. Deployed once, so tests only read it."""
    return Engine().deploy(lambda: Alertmanager("hub", args(), ResourceOptions()))


class TestSecrets:
    def test_a_secret_is_a_file_of_one_secret_and_in_no_other_object(self, default):
        """
        Neither a ConfigMap nor an argument nor the state in plain text holds what a receiver logs in with.
        """
        data = secret(default.one(SECRET, "alertmanager-receivers").inputs["data"])
        assert base64.b64decode(plain(data)["devopsSlack"]).decode() == URL
        others = [
            r.inputs for r in default.resources if r.inputs.get("metadata", {}).get("name") != "alertmanager-receivers"
        ]
        written = json.dumps([plain(inputs) for inputs in others])
        assert URL not in written
        assert plain(data)["devopsSlack"] not in written

    def test_an_existing_secret_is_in_the_same_folder(self, alertmanager):
        """
        The rendered file names one path, wherever the secret comes from.
        """
        engine = alertmanager(existing={"nightPagerDuty": ("pagerduty", "key")})

        [folder] = [v for v in pod(engine)["volumes"] if v["name"] == "secrets"]
        assert {"secret": {"name": "pagerduty", "items": [{"key": "key", "path": "nightPagerDuty"}]}} in folder[
            "projected"
        ]["sources"]
        assert {"secret": {"name": "alertmanager-receivers"}} in folder["projected"]["sources"]


def paths(engine: Engine, proxy: str) -> list[str]:
    """What an auth proxy leads to."""
    [allowed] = [a for a in containers(engine)[f"kube-rbac-proxy-{proxy}"]["args"] if a.startswith("--allow-paths=")]
    return allowed.removeprefix("--allow-paths=").split(",")


class TestAuthProxies:
    def test_the_api_has_no_port(self, default):
        """
        It is reached from inside its pod and through the auth proxies only.
        """
        ports = {name: [p["name"] for p in c.get("ports", [])] for name, c in containers(default).items()}

        assert ports == {
            "alertmanager": ["peers-tcp", "peers-udp"],
            "reloader": ["reloader"],
            "kube-rbac-proxy-notify": ["notify", "notify-health"],
            "kube-rbac-proxy-operate": ["operate", "operate-health"],
            "kube-rbac-proxy-read": ["read", "read-health"],
        }
        assert "--web.listen-address=127.0.0.1:9093" in containers(default)["alertmanager"]["args"]

    def test_prometheus_may_notify_and_scrape_and_nothing_else(self, default):
        """
        The hub's account holds one Role, of the auth proxy that leads to alerts and metrics.
        """
        binding = default.one(ROLE_BINDING, "alertmanager-notifier").inputs

        assert binding["roleRef"]["name"] == "alertmanager-notify"
        assert [s["name"] for s in binding["subjects"]] == ["prometheus-hub"]
        assert default.one(ROLE, "alertmanager-notify").inputs["rules"][0]["verbs"] == ["create", "get"]
        assert "--allow-paths=/api/v2/alerts,/metrics" in containers(default)["kube-rbac-proxy-notify"]["args"]

    @pytest.mark.parametrize("proxy", ["operate", "read"])
    @pytest.mark.parametrize("path", ["/-/reload", "/metrics", "/debug"])
    def test_people_reach_the_api_alone(self, default, proxy, path):
        """
        Who may silence may not reload.
        """
        assert not any(p.startswith(path) for p in paths(default, proxy))

    def test_reading_and_silencing_are_two_rights(self, default):
        """
        Readers only get; who operates silences too, at an auth proxy behind which no alert can be raised or ended.
        """
        verbs = {r.inputs["metadata"]["name"]: r.inputs["rules"][0]["verbs"] for r in default.all(ROLE)}
        held = {
            (b.inputs["subjects"][0]["name"], b.inputs["roleRef"]["name"])
            for b in default.all(ROLE_BINDING)
            if b.inputs["subjects"][0]["name"] != "prometheus-hub"
        }

        assert held == {
            ("reader", "alertmanager-read"),
            ("alertmanager-operator", "alertmanager-read"),
            ("alertmanager-operator", "alertmanager-operate"),
        }
        assert verbs["alertmanager-read"] == ["get"]
        assert "/api/v2/alerts" in paths(default, "read")
        assert "/api/v2/alerts" not in paths(default, "operate")

    def test_the_peers_port_is_closed_to_all_others(self, default):
        """
        Who could join it could silence everything.
        """
        rules = [rule for policy in default.all(NETWORK_POLICY) for rule in policy.inputs["spec"]["ingress"]]

        gossip = [rule for rule in rules if 9094 in [port["port"] for port in rule["ports"]]]
        [peers] = [rule["from"] for rule in gossip]
        [selector] = [peer["podSelector"]["matchLabels"] for peer in peers]
        assert selector.items() <= default.one(STATEFUL_SET).inputs["spec"]["selector"]["matchLabels"].items()
        assert selector


class TestReplicas:
    def test_they_know_each_other_by_names_that_last(self, default):
        """
        A pod that comes back under another address is found by its name, also before it is ready.
        """
        peers = [a for a in containers(default)["alertmanager"]["args"] if a.startswith("--cluster.peer=")]
        service = default.one(STATEFUL_SET).inputs["spec"]["serviceName"]

        assert peers == [f"--cluster.peer=alertmanager-{number}.{service}:9094" for number in range(3)]
        spec = default.one(SERVICE, service).inputs["spec"]
        assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)

    def test_a_single_one_has_no_peers(self, alertmanager):
        """
        Without peers there is no gossip to listen for.
        """
        engine = alertmanager(replicas=1)

        cluster = [a for a in containers(engine)["alertmanager"]["args"] if a.startswith("--cluster.")]
        assert cluster == ["--cluster.listen-address="]

    def test_each_has_a_volume_that_grows_in_place(self, alertmanager):
        """
        The claims stand alone, under the names that the StatefulSet looks for.
        """
        engine = alertmanager(storage="2Gi")

        template = engine.one(STATEFUL_SET).inputs["spec"]["volumeClaimTemplates"][0]["metadata"]["name"]
        claims = {
            c.inputs["metadata"]["name"]: c.inputs["spec"]["resources"] for c in engine.all(PERSISTENT_VOLUME_CLAIM)
        }

        assert claims == {f"{template}-alertmanager-{n}": {"requests": {"storage": "2Gi"}} for n in range(3)}
        mounts = containers(engine)["alertmanager"]["volumeMounts"]
        assert {"name": template, "mountPath": "/alertmanager"} in mounts

    def test_one_at_a_time_is_disturbed_and_each_has_a_node_if_there_are_enough(self, default):
        """
        The loss of a node or its drain takes one of them.
        """
        assert default.one(POD_DISRUPTION_BUDGET).inputs["spec"]["maxUnavailable"] == 1
        [constraint] = pod(default)["topologySpreadConstraints"]
        assert constraint["topologyKey"] == "kubernetes.io/hostname"
        assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"


class TestWorkload:
    def test_a_changed_file_is_read_without_a_restart(self, default):
        """
        The reloader watches the folder of the configuration, and the pod says nothing about its content.
        """
        watched = [a for a in containers(default)["reloader"]["args"] if a.startswith("--watched-dir=")]

        assert watched == ["--watched-dir=/etc/alertmanager/config"]
        assert default.one(CONFIG_MAP, "alertmanager").inputs["data"] == {
            "alertmanager.yml": "route: {receiver: devops}\n"
        }
        assert not default.one(STATEFUL_SET).inputs["spec"]["template"]["metadata"].get("annotations")

    def test_its_containers_are_restricted(self, default):
        """
        The namespace admits nothing else.
        """
        for name, container in containers(default).items():
            context = container["securityContext"]
            assert context["runAsNonRoot"], name
            assert context["readOnlyRootFilesystem"], name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"].keys() == {"memory"}, name
