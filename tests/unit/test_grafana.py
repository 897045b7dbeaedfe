import json
from typing import cast

import pulumi
import pytest
import yaml
from pulumi import ResourceOptions

from components import Grafana
from components.grafana import GrafanaArgs
from dashboards import DATASOURCE
from render.grafana import datasources, environment, providers
from settings import images
from tests.rendered import server

from .builders import HUB, fleet, pod
from .conftest import TOKEN, plain, secret, validate
from .kinds import CONFIG_MAP, NETWORK_POLICY, ROLE_BINDING, SECRET

PASSWORD = "swordfish"
SOURCE = {
    "name", "uid", "type", "access", "url", "orgId", "user", "database", "basicAuth", "basicAuthUser", "isDefault",
    "withCredentials", "jsonData", "secureJsonData", "version", "editable",
}  # fmt: skip
"""Keys of a datasource in a file, by Grafana's page on provisioning."""
JSON_DATA = {
    "tlsAuth", "tlsAuthWithCACert", "tlsSkipVerify", "serverName", "httpMethod", "timeInterval", "manageAlerts",
    "prometheusType", "prometheusVersion", "cacheLevel", "queryTimeout", "incrementalQuerying",
    "disableRecordingRules", "customQueryParameters", "exemplarTraceIdDestinations", "httpHeaderName1",
}  # fmt: skip
"""Keys of its `jsonData`, by the pages on provisioning and on the Prometheus datasource."""
PROVIDER = {
    "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates",
    "options",
}  # fmt: skip
"""Keys of a provider of dashboards, by the page on provisioning."""


def args(**other: object) -> GrafanaArgs:
    given = {
        "namespace": "promfleet",
        "environment": environment("https://grafana.example:3000"),
        "datasources": datasources(server(fleet(hub=HUB)), fleet(hub=HUB), "https://prometheus-hub.promfleet.svc:8444"),
        "providers": providers(fleet(hub=HUB)),
        "boards": {"fleet.json": "{}", "node.json": "{}"},
        "reader": "prometheus-hub-read",
        "tls_secret": "hub-tls",
        "password": pulumi.Output.secret(PASSWORD),
        "storage": "1Gi",
        "image": images.GRAFANA,
        "rollout_timeout": 150,
        **other,
    }
    return cast("GrafanaArgs", {key: value for key, value in given.items() if value is not None})


@pytest.fixture
def grafana(engine):
    return lambda **other: engine.deploy(lambda: Grafana("hub", args(**other), ResourceOptions()))


def volumes(engine):
    return {v["name"]: v for v in pod(engine)["volumes"]}


def mounted(engine):
    """Folder -> volume, or ConfigMap with what is in it."""
    return {m["mountPath"]: volumes(engine)[m["name"]] for m in pod(engine)["containers"][0]["volumeMounts"]}


class TestDatasource:
    def source(self, **other):
        [source] = yaml.safe_load(
            datasources(server(fleet(hub=HUB, **other)), fleet(hub=HUB, **other), "https://auth-proxy:8444")
        )["datasources"]
        return source

    def test_has_no_key_that_grafana_would_pass_over(self):
        """
        Grafana says nothing of a key that it does not know.
        """
        source = self.source()

        assert source.keys() <= SOURCE
        assert source["jsonData"].keys() <= JSON_DATA
        assert source["secureJsonData"].keys() == {"tlsCACert", "httpHeaderValue1"}

    def test_is_the_one_that_the_boards_name(self):
        """
        Without it every panel would say that its datasource is missing.
        """
        assert (self.source()["uid"], self.source()["type"]) == (DATASOURCE, "prometheus")

    def test_verifies_the_proxy_by_the_name_in_its_certificate(self):
        """
        The Service has another name than the certificate, and Grafana heeds `serverName` only beside authorities.
        """
        said = self.source()["jsonData"]

        assert (said["serverName"], said["tlsAuthWithCACert"]) == ("hub.example", True)
        assert not said.get("tlsSkipVerify")

    def test_asks_in_steps_that_hold_a_sample(self):
        """
        `$__rate_interval` is four times what Grafana is told of the scrapes.
        """
        assert self.source(scrape={"interval": "45s"})["jsonData"]["timeInterval"] == "45s"

    def test_cannot_be_changed_by_hand(self):
        """
        What the program says holds.
        """
        assert self.source()["editable"] is False


class TestBoards:
    def test_are_read_from_where_they_are_mounted(self, grafana):
        """
        The provider looks into the folder that holds every dashboard.
        """
        engine = grafana()

        [provider] = yaml.safe_load(providers(fleet(hub=HUB)))["providers"]
        sources = mounted(engine)[provider["options"]["path"]]["projected"]["sources"]
        files = [file for s in sources for file in engine.one(CONFIG_MAP, s["configMap"]["name"]).inputs["data"]]

        assert provider.keys() <= PROVIDER
        assert sorted(files) == ["fleet.json", "node.json"]
        assert "subPath" not in json.dumps(pod(engine))

    def test_a_changed_board_restarts_nothing(self, grafana, engine):
        """
        Its ConfigMap keeps its name, and Grafana looks for changes by itself.
        """
        grafana()
        before = pod(engine)

        grafana(boards={"fleet.json": '{"title": "new"}', "node.json": "{}"})

        assert pod(engine) == before

    def test_a_changed_datasource_restarts_it(self, grafana, engine):
        """
        Grafana reads it when it starts and never again.
        """
        grafana()
        before = pod(engine)

        grafana(datasources="apiVersion: 1\n")

        assert pod(engine) != before

    def test_people_land_on_the_fleet(self, grafana):
        """
        The first page is the dashboard of the whole fleet.
        """
        folder, _, file = environment(None)["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].rpartition("/")

        assert file == "fleet.json"
        assert "projected" in mounted(grafana())[folder]


class TestSecrets:
    def test_no_secret_leaves_its_secret(self, grafana):
        """
        Password and token stand in Secrets, and in files of the pod.
        """
        engine = grafana()

        given = engine.one(SECRET, "grafana-admin").inputs["stringData"]
        assert secret(given) == {"password": PASSWORD}
        others = [r.inputs for r in engine.resources if r.inputs.get("metadata", {}).get("name") != "grafana-admin"]
        assert PASSWORD not in json.dumps(plain(others))
        assert TOKEN not in json.dumps(plain(others))

    def test_every_file_that_is_named_is_mounted(self, grafana):
        """
        The settings and the datasource name files that the pod has.
        """
        engine = grafana()
        text = args()["datasources"] + json.dumps(args()["environment"])

        named = {"reader/token": "token", "admin/password": None, "trusted/ca.crt": "ca.crt", "tls/tls.key": None}
        for path, item in named.items():
            assert f"/etc/grafana/{path}" in text
            source = mounted(engine)[f"/etc/grafana/{path.partition('/')[0]}"]
            assert item is None or source["secret"]["items"][0]["path"] == item

    def test_a_password_in_an_existing_secret_is_read_there(self, grafana):
        """
        Nothing is made, and the key is the file that Grafana is told of.
        """
        engine = grafana(password=None, password_in=("people", "admin"))

        assert mounted(engine)["/etc/grafana/admin"]["secret"] == {
            "secretName": "people",
            "items": [{"key": "admin", "path": "password"}],
        }
        assert [r.inputs["metadata"]["name"] for r in engine.all(SECRET)] == ["grafana-token-0"]

    @pytest.mark.parametrize(
        ("given", "source"),
        [
            ({"ca": "PEM"}, "provisioning"),
            ({"ca_config_map": "hub-ca"}, "hub-ca"),
        ],
    )
    def test_authorities_that_the_stack_names_are_trusted(self, grafana, given, source):
        """
        Then a renewed certificate is trusted without a restart.
        """
        engine = grafana(**given)

        name = mounted(engine)["/etc/grafana/trusted"]["configMap"]["name"]

        if source == "provisioning":
            assert engine.one(CONFIG_MAP, name).inputs["data"]["ca.crt"] == "PEM"
        else:
            assert name == source

    def test_else_exactly_the_proxies_own_certificate_is(self, grafana):
        """
        The key stays away from the folder of what is trusted.
        """
        trusted = mounted(grafana())["/etc/grafana/trusted"]["secret"]

        assert trusted == {"secretName": "hub-tls", "items": [{"key": "tls.crt", "path": "ca.crt"}]}


class TestRights:
    def test_may_read_the_hub_and_nothing_else(self, grafana):
        """
        Its account holds the read auth proxy's Role, and its pod no token for the API server.
        """
        engine = grafana()

        [binding] = engine.all(ROLE_BINDING)
        assert binding.inputs["roleRef"]["name"] == "prometheus-hub-read"
        assert [s["name"] for s in binding.inputs["subjects"]] == [pod(engine)["serviceAccountName"]]
        assert pod(engine)["automountServiceAccountToken"] is False

    def test_lets_in_who_logs_in(self):
        """
        Nobody is anonymous, nobody signs up, and metrics do not answer without a login.
        """
        said = environment(None)

        for name in ("GF_AUTH_ANONYMOUS_ENABLED", "GF_USERS_ALLOW_SIGN_UP", "GF_METRICS_ENABLED"):
            assert said[name] == "false"
        assert (said["GF_SERVER_PROTOCOL"], said["GF_SECURITY_COOKIE_SECURE"]) == ("https", "true")

    def test_one_port_is_open(self, grafana):
        """
        The policy admits what the container listens on.
        """
        engine = grafana()

        [port] = pod(engine)["containers"][0]["ports"]
        assert engine.one(NETWORK_POLICY).inputs["spec"]["ingress"] == [
            {"ports": [{"port": port["name"], "protocol": "TCP"}]}
        ]

    def test_writes_to_its_volume_and_a_scratch_folder_only(self, grafana):
        """
        Plugins and database are on the volume; all else of the image is read-only.
        """
        engine = grafana()

        [container] = pod(engine)["containers"]
        written = {m["name"]: set(volumes(engine)[m["name"]]) for m in container["volumeMounts"] if "readOnly" not in m}
        assert written == {"data": {"name", "persistentVolumeClaim"}, "tmp": {"name", "emptyDir"}}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True

    def test_kubernetes_knows_every_field(self, grafana):
        """
        Every object is what its published schema says.
        """
        validate(grafana().objects)
