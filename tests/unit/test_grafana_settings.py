"""Logins and settings of Grafana in its own words: what its pod gets, and where credentials are."""

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import pulumi
import pytest
import yaml

from render.grafana import SECRETS, datasources, environment
from settings.grafana_config import OWNED, PROVIDERS, variable
from stacks import deploy
from tests.rendered import server

from .builders import HUB, fleet
from .conftest import Engine, plain
from .kinds import SECRET, STATEFUL_SET
from .stack_texts import problems

REFERENCE = {"secret": {"name": "sso", "key": "grafana"}}
OIDC = {
    "client_id": "grafana",
    "client_secret": REFERENCE,
    "auth_url": "https://sso.example/auth",
    "token_url": "https://sso.example/token",
}
PASSWORD = "swordfish"
READ = json.loads((Path(__file__).parent / "grafana_sign_in.json").read_text(encoding="utf-8"))
"""The keys that Grafana reads of each section `auth.<provider>`, and where its source says so."""


def variables(**written: Any) -> dict[str, str]:
    """The environment of a Grafana with these sections."""
    grafana = {"secret": {"name": "grafana", "key": "admin"}, "expose": {"host": "grafana.example"}, **written}
    return environment("https://grafana.example", fleet(hub=HUB, grafana=grafana).grafana)


class TestSignIn:
    def test_is_the_section_of_its_provider(self) -> None:
        """
        Roles follow from groups, and the local admin stays.
        """
        roles = "contains(groups[*], 'sre') && 'Admin' || 'Viewer'"
        made = variables(signIn={"generic_oauth": {**OIDC, "role_attribute_path": roles, "auto_login": True}})

        assert {name: text for name, text in made.items() if name.startswith("GF_AUTH_GENERIC_OAUTH_")} == {
            "GF_AUTH_GENERIC_OAUTH_ENABLED": "true",
            "GF_AUTH_GENERIC_OAUTH_CLIENT_ID": "grafana",
            "GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET": f"$__file{{{SECRETS}/secret/sso/grafana}}",
            "GF_AUTH_GENERIC_OAUTH_AUTH_URL": "https://sso.example/auth",
            "GF_AUTH_GENERIC_OAUTH_TOKEN_URL": "https://sso.example/token",
            "GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH": roles,
            "GF_AUTH_GENERIC_OAUTH_AUTO_LOGIN": "true",
        }
        assert made["GF_SERVER_ROOT_URL"] == "https://grafana.example/"
        assert "GF_SECURITY_ADMIN_PASSWORD__FILE" in made

    @pytest.mark.parametrize(
        ("provider", "written"),
        [
            ("github", {"allowed_organizations": "acme"}),
            ("github", {"allow_sign_up": False}),
            ("github", {"auth_url": "https://github.acme.example/login/oauth/authorize"}),
            ("gitlab", {"allowed_groups": "acme"}),
            ("google", {"hosted_domain": "acme.example"}),
            ("google", {"role_attribute_strict": True, "role_attribute_path": "email == 'a@b.c' && 'Admin'"}),
        ],
    )
    def test_is_for_those_that_are_named(self, provider: str, written: dict[str, Any]) -> None:
        """
        Each of these keeps out strangers who have an account of the provider.
        """
        login = {"client_id": "grafana", "client_secret": REFERENCE}

        assert variables(signIn={provider: {**login, **written}})[f"GF_AUTH_{provider.upper()}_ENABLED"] == "true"

    @pytest.mark.parametrize(
        ("provider", "written"),
        [("generic_oauth", {"use_pkce": True}), ("azuread", {"client_authentication": "workload_identity"})],
    )
    def test_needs_no_secret_that_the_provider_does_not_know(self, provider: str, written: dict[str, Any]) -> None:
        """
        A public client has a proof key, and a client of Entra ID an identity instead.
        """
        public = {key: value for key, value in OIDC.items() if key != "client_secret"}

        assert f"GF_AUTH_{provider.upper()}_CLIENT_SECRET" not in variables(signIn={provider: {**public, **written}})

    def test_reads_files_where_grafana_expects_paths(self) -> None:
        """
        The directory's file holds its password; a CA is public, and may be in a ConfigMap.
        """
        ca = {"configMap": {"name": "ca", "key": "ca.crt"}}
        made = variables(signIn={"ldap": {"config_file": REFERENCE}, "generic_oauth": {**OIDC, "tls_client_ca": ca}})

        assert made["GF_AUTH_LDAP_CONFIG_FILE"] == f"{SECRETS}/secret/sso/grafana"
        assert made["GF_AUTH_GENERIC_OAUTH_TLS_CLIENT_CA"] == f"{SECRETS}/configMap/ca/ca.crt"

    def test_of_a_directory_needs_no_host(self) -> None:
        """
        Nobody's browser goes elsewhere.
        """
        assert variables(expose=None, signIn={"ldap": {"config_file": REFERENCE}})["GF_AUTH_LDAP_ENABLED"] == "true"

    def test_requires_keys_that_its_provider_has(self) -> None:
        """
        Else nobody could write what is asked for.
        """
        assert {name for name, one in PROVIDERS.items() if not {*one.required, *one.limits} <= one.keys} == set()


class TestSettings:
    def test_are_environment_variables(self) -> None:
        """
        Each is named as Grafana's documentation does, and its value is what Grafana reads.
        """
        made = variables(
            settings={
                "smtp": {"enabled": True, "host": "mail.example:587", "password": REFERENCE},
                "unified_alerting.state_history": {"enabled": False},
                "database": {"type": "postgres", "max_open_conn": 20, "ca_cert_path": REFERENCE},
            }
        )

        assert (
            made.items()
            >= {
                "GF_SMTP_ENABLED": "true",
                "GF_SMTP_HOST": "mail.example:587",
                "GF_SMTP_PASSWORD": f"$__file{{{SECRETS}/secret/sso/grafana}}",
                "GF_UNIFIED_ALERTING_STATE_HISTORY_ENABLED": "false",
                "GF_DATABASE_TYPE": "postgres",
                "GF_DATABASE_MAX_OPEN_CONN": "20",
                "GF_DATABASE_CA_CERT_PATH": f"{SECRETS}/secret/sso/grafana",
            }.items()
        )

    def test_arrive_as_they_are_written(self) -> None:
        """
        Kubernetes would replace `$(HOME)`, and make one dollar of two.
        """
        assert variables(settings={"DEFAULT": {"instance_name": "a$(HOME)$$b"}})["GF_DEFAULT_INSTANCE_NAME"] == (
            "a$$(HOME)$$$$b"
        )

    def test_can_not_undo_what_the_program_decides(self) -> None:
        """
        Every variable that is set without them is refused in them.
        """
        ours = {name.removesuffix("__FILE") for name in variables(plugins=["grafana-clock-panel@2.1.8"])}

        assert ours <= {variable(*name.rsplit(".", 1)) for name in OWNED}


class TestPlugins:
    def test_are_fetched_before_the_start(self) -> None:
        """
        In the version that is written, and never in a newer one.
        """
        mirrored = "acme-panel@1.0.0@https://mirror.example/acme-panel.zip"
        made = variables(plugins=["grafana-clock-panel@2.1.8", mirrored])

        assert made["GF_PLUGINS_PREINSTALL_SYNC"] == f"grafana-clock-panel@2.1.8,{mirrored}"
        assert made["GF_PLUGINS_PREINSTALL_DISABLED"] == "false"
        assert made["GF_PLUGINS_PREINSTALL_AUTO_UPDATE"] == "false"

    def test_are_the_only_reason_to_ask_the_internet(self) -> None:
        """
        Without one Grafana fetches nothing, not even those of its own list.
        """
        assert variables()["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
        assert "GF_PLUGINS_PREINSTALL_SYNC" not in variables()


class TestDatasources:
    LOKI: ClassVar[dict[str, Any]] = {
        "name": "Loki",
        "uid": "loki",
        "type": "loki",
        "url": "https://loki.example",
        "jsonData": {
            "httpHeaderName1": "X-Scope-OrgID",
            "tokenUri": "https://sso.example/token",
            "derivedFields": [{"name": "trace", "url": "$${__value.raw}"}],
        },
        "secureJsonData": {
            "httpHeaderValue1": REFERENCE,
            "tlsCACert": {"configMap": {"name": "ca", "key": "ca.crt"}},
        },
    }

    def provisioned(self, *written: dict[str, Any]) -> dict[str, Any]:
        grafana = {"secret": {"name": "grafana", "key": "admin"}, "datasources": [*written]}
        made = fleet(hub=HUB, grafana=grafana)
        return yaml.safe_load(datasources(server(made), made, "https://auth-proxy:8444"))

    def test_are_provisioned_beside_ours(self) -> None:
        """
        Verbatim, but for credentials, which are read from files; ours stays the default.
        """
        [ours, loki] = self.provisioned(self.LOKI)["datasources"]

        assert (ours["uid"], ours["isDefault"]) == ("hub", True)
        assert loki == {
            **self.LOKI,
            "access": "proxy",
            "editable": False,
            "secureJsonData": {
                "httpHeaderValue1": f"$__file{{{SECRETS}/secret/sso/grafana}}",
                "tlsCACert": f"$__file{{{SECRETS}/configMap/ca/ca.crt}}",
            },
        }

    def test_are_deleted_once_they_are_not_written(self) -> None:
        """
        Else Grafana would keep them in its database.
        """
        assert self.provisioned()["prune"] is True

    def test_say_themselves_whether_they_can_be_changed(self) -> None:
        """
        What is written holds, and one without credentials has no file.
        """
        written = {"name": "Tempo", "type": "tempo", "editable": True, "access": "direct"}

        assert self.provisioned(written)["datasources"][1] == written


def test_credentials_are_in_secrets_only(engine: Engine, kubeconfig: None) -> None:
    """
    An existing Secret and a secret of the stack are files of the pod, in no ConfigMap, variable or argument.
    """
    grafana = {
        "secret": {"name": "grafana", "key": "admin"},
        "expose": {"host": "grafana.example"},
        "signIn": {"generic_oauth": OIDC},
        "settings": {"smtp": {"password": {"stackSecret": "smtpPassword"}}},
        "datasources": [TestDatasources.LOKI],
        "plugins": ["grafana-clock-panel@2.1.8"],
    }
    described = fleet(hub=HUB, grafana=grafana)

    def program() -> None:
        pulumi.runtime.set_all_config({"promfleet:smtpPassword": PASSWORD}, ["promfleet:smtpPassword"])
        deploy(described)

    engine.deploy(program)
    pulumi.runtime.set_all_config({})

    spec = engine.one(STATEFUL_SET, "grafana").inputs["spec"]["template"]["spec"]
    [folder] = [one for one in spec["volumes"] if one["name"] == "secrets"]
    assert folder["projected"]["sources"] == [
        {"configMap": {"name": "ca", "items": [{"key": "ca.crt", "path": "configMap/ca/ca.crt"}]}},
        {"secret": {"name": "sso", "items": [{"key": "grafana", "path": "secret/sso/grafana"}]}},
        {"secret": {"name": "grafana-secrets"}},
    ]
    assert SECRETS in {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}} in spec["volumes"]
    text = plain(engine.one(SECRET, "grafana-secrets").inputs)
    assert text["stringData"] == {"smtpPassword": PASSWORD}
    others = [r.inputs for r in engine.resources if r.inputs.get("metadata", {}).get("name") != "grafana-secrets"]
    assert PASSWORD not in json.dumps(plain(others))
    [named] = {match for env in spec["containers"][0]["env"] for match in re.findall("smtpPassword", env["value"])}
    assert named == "smtpPassword"


def test_a_secret_of_the_stack_is_asked_for(tmp_path: Any) -> None:
    """
    With where it is used, and how to set it.
    """
    stack = (
        "clusters: {hub: {context: a}}\n"
        "hub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}}\n"
        "grafana: {secret: {name: a, key: b}, settings: {smtp: {password: {stackSecret: smtpPassword}}}}\n"
    )

    assert problems(tmp_path, stack) == [
        "grafana.settings.smtp.password: needs the secret promfleet:smtpPassword. Run `pulumi config set --secret "
        "promfleet:smtpPassword`."
    ]


class TestKeys:
    @pytest.mark.parametrize("provider", sorted(PROVIDERS))
    def test_of_a_provider_are_those_that_grafana_reads(self, provider):
        """
        What a stack file may say has an effect: Grafana passes over keys that it doesn't know.
        """
        known = READ["ldap"] if provider == "ldap" else [*READ["every"], *READ["extra"].get(provider, ())]

        assert PROVIDERS[provider].keys <= {*known}
        assert {*READ["extra"].get(provider, ())} <= PROVIDERS[provider].keys
