"""People's own integrations of receivers and their template files."""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi import ResourceOptions

import render
from components import Alertmanager
from render.machine import ETC, ClusterCredentials, machine_files
from settings import Fleet, FleetError, Problem
from settings.integrations import INTEGRATIONS, Secret
from settings.loading.read import read

from .builders import containers, pod
from .kinds import CONFIG_MAP
from .stack_texts import HUB, loaded, problems
from .test_alertmanager import args

SECRET = {"secret": {"name": "ops", "key": "key"}}
FLEET: dict[str, Any] = {
    "clusters": {"hub": {"context": "hub"}},
    "hub": {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
}
SECRETS = sorted(
    (kind, name) for kind, fields in INTEGRATIONS.items() for name in fields if isinstance(fields[name], Secret)
)


def fleet(**receiver: object) -> Fleet:
    """A hub whose only receiver is the given one."""
    return Fleet.model_validate({**FLEET, "alertmanager": {"receivers": {"ops": receiver}, "default": "ops"}})


def receiver(**written: object) -> dict[str, Any]:
    """The receiver in alertmanager.yml."""
    described = fleet(**written)
    assert described.alertmanager
    found = yaml.safe_load(render.alertmanager_config(described.alertmanager, "/secrets"))["receivers"]
    return next(one for one in found if one["name"] == "ops")


class TestIntegrations:
    def test_are_written_as_they_are(self) -> None:
        """
        Neither a default nor a text of promfleet is added to them.
        """
        card = {"webhook_url_file": "/etc/ssl/certs/x", "title": "{{ .Status }}", "send_resolved": False}

        assert receiver(configs={"msteamsv2_configs": [card]}) == {"name": "ops", "msteamsv2_configs": [card]}

    def test_stand_beside_those_of_promfleet(self) -> None:
        """
        A receiver has several Slack channels, and one of them has promfleet's texts.
        """
        made = receiver(
            slack={"channel": "#a", "secret": SECRET["secret"]},
            configs={"slack_configs": [{"api_url": SECRET, "channel": name} for name in ("#b", "#c")]},
        )

        assert [slack["channel"] for slack in made["slack_configs"]] == ["#a", "#b", "#c"]
        assert ["title" in slack for slack in made["slack_configs"]] == [True, False, False]

    @pytest.mark.parametrize(
        ("reference", "path"),
        [(SECRET, "/secrets/secret/ops/key"), ({"stackSecret": "opsgenie"}, "/secrets/opsgenie")],
    )
    @pytest.mark.parametrize("key", ["api_key", "api_key_file"])
    def test_read_credentials_from_files(self, key: str, reference: object, path: str) -> None:
        """
        A reference may stand under both names, and becomes the path of a mounted file.
        """
        assert receiver(configs={"opsgenie_configs": [{key: reference}]})["opsgenie_configs"] == [
            {"api_key_file": path}
        ]

    def test_have_a_client_of_their_own(self) -> None:
        """
        Proxies, headers, certificates and logins of a webhook.
        """
        http = {
            "proxy_url": "http://proxy.example:3128",
            "http_headers": {"X-Scope": {"values": ["a"]}, "X-Token": {"secrets": [SECRET]}},
            "basic_auth": {"username": "hub", "password": SECRET},
            "tls_config": {"ca": {"configMap": {"name": "ca", "key": "ca.crt"}}, "key": SECRET},
        }
        [made] = receiver(configs={"webhook_configs": [{"url": SECRET, "http_config": http}]})["webhook_configs"]

        assert made["http_config"] == {
            "proxy_url": "http://proxy.example:3128",
            "http_headers": {"X-Scope": {"values": ["a"]}, "X-Token": {"files": ["/secrets/secret/ops/key"]}},
            "basic_auth": {"username": "hub", "password_file": "/secrets/secret/ops/key"},
            "tls_config": {"ca_file": "/secrets/configMap/ca/ca.crt", "key_file": "/secrets/secret/ops/key"},
        }

    def test_may_answer_a_heartbeat(self) -> None:
        """
        A receiver with them has an integration.
        """
        section = {"receivers": {"ops": {"configs": {"webhook_configs": [{"url": SECRET}]}}}, "default": "ops"}

        assert Fleet.model_validate({**FLEET, "alertmanager": {**section, "heartbeat": {"receiver": "ops"}}})

    @pytest.mark.parametrize(("kind", "name"), SECRETS)
    def test_keep_no_credential_in_plain_text(self, kind: str, name: str) -> None:
        """
        Whatever Alertmanager keeps secret is refused, and not repeated.
        """
        with pytest.raises(FleetError) as caught:
            read({**FLEET, "alertmanager": alertmanager({kind: [{name: "swordfish"}]})}, "x", bool)

        assert any(f"{kind}[0].{name}: is a credential in plain text" in str(one) for one in caught.value.problems)
        assert "swordfish" not in caught.value.report()

    @settings(max_examples=200, derandomize=True, deadline=None, database=None)
    @given(
        st.sampled_from(sorted(INTEGRATIONS)),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.sampled_from(["", "a", "{{ .Status }}"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(
                        ["url", "http_config", "basic_auth", "password", "fields", "secret", "http_headers"]
                    ),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ),
    )
    def test_are_answered_whatever_they_are(self, kind: str, value: object) -> None:
        """
        Any YAML is either taken or answered with a message.
        """
        found: Sequence[Problem] = ()
        try:
            read({**FLEET, "alertmanager": alertmanager({kind: value})}, "x", bool)
        except FleetError as error:
            found = error.problems
        assert all(str(problem).startswith("alertmanager.receivers.ops.configs") for problem in found)

    def test_that_contain_themselves_are_refused(self) -> None:
        """
        YAML's aliases can do that.
        """
        details: dict[str, object] = {}
        details["again"] = details
        with pytest.raises(FleetError, match="contains itself"):
            read(
                {
                    **FLEET,
                    "alertmanager": alertmanager({"pagerduty_configs": [{"routing_key": SECRET, "details": details}]}),
                },
                "x",
                bool,
            )


def alertmanager(configs: object) -> dict[str, Any]:
    return {"receivers": {"ops": {"configs": configs}}, "default": "ops"}


class TestPod:
    def test_reads_keys_of_secrets_beside_the_secrets_of_the_stack(self, engine) -> None:
        """
        All of them are in the one folder that the rendered file names.
        """
        described = fleet(configs={"opsgenie_configs": [{"api_key": SECRET}, {"api_key": {"stackSecret": "opsgenie"}}]})
        assert described.alertmanager
        files = [file for file in render.receiver_files(described.alertmanager) if file.kind == "secret"]
        made = engine.deploy(lambda: Alertmanager("hub", args(files=files), ResourceOptions()))

        [volume] = [volume for volume in pod(made)["volumes"] if volume["name"] == "secrets"]
        items = [{"key": "key", "path": "secret/ops/key"}]
        assert {"secret": {"name": "ops", "items": items}} in volume["projected"]["sources"]

    def test_has_templates_beside_its_configuration(self, engine) -> None:
        """
        The reloader watches that folder, so that a changed template is loaded without a restart.
        """
        made = engine.deploy(lambda: Alertmanager("hub", args(templates={"a.tmpl": "x"}), ResourceOptions()))

        assert made.one(CONFIG_MAP, "alertmanager").inputs["data"]["a.tmpl"] == "x"
        assert "--watched-dir=/etc/alertmanager/config" in containers(made)["reloader"]["args"]


class TestMachine:
    def test_has_secrets_of_the_stack_and_templates_beside_its_configuration(self) -> None:
        """
        The rendered file names both where they are written.
        """
        described = Fleet.model_validate(
            {
                "clusters": {"eu1": {"context": "eu1"}},
                "watcher": {"clusters": ["eu1"]},
                "alertmanager": {
                    **alertmanager({"opsgenie_configs": [{"api_key": {"stackSecret": "opsgenie"}}]}),
                    "templates": MappingProxyType({"a.tmpl": "x"}),
                },
            }
        )
        assert described.secrets.keys() == {"opsgenie"}

        files = machine_files(
            described, {"eu1": ClusterCredentials("https://eu1.example", "CA", "t")}, {"opsgenie": "K"}
        )

        [ops] = yaml.safe_load(files["alertmanager/alertmanager.yml"].text)["receivers"][1:]
        path = ops["opsgenie_configs"][0]["api_key_file"].removeprefix(f"{ETC}/")
        assert files[path] == ("K", 0o600)
        assert files["alertmanager/a.tmpl"].text == "x"


TEMPLATED = (
    HUB % ""
    + """alertmanager:
  default: ops
  templates: [%s]
  receivers:
    ops:
      configs:
        slack_configs:
          - {api_url: {secret: {name: s, key: k}}, text: '{{ template "acme.text" . }}'}
"""
)


class TestTemplates:
    def test_are_read_from_files(self, tmp_path: Path) -> None:
        """
        The rendered file names them in its own folder, by their names.
        """
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates/b.tmpl").write_text('{{ define "acme.text" }}a{{ end }}')
        (tmp_path / "templates/a.tmpl").write_text('{{ define "acme.title" }}a{{ end }}')

        section = loaded(tmp_path, TEMPLATED % "templates/*.tmpl").alertmanager

        assert section
        assert yaml.safe_load(render.alertmanager_config(section))["templates"] == ["a.tmpl", "b.tmpl"]
        assert section.templates["b.tmpl"] == '{{ define "acme.text" }}a{{ end }}'

    @pytest.mark.parametrize(
        ("files", "patterns", "said"),
        [
            (
                {"a.txt": ""},
                "a.txt",
                "alertmanager.templates[0].a.txt: is not the name of a template file. "
                "Use letters, digits, - and _, and end it in .tmpl.",
            ),
            (
                {"x/a.tmpl": "", "y/a.tmpl": ""},
                "x/*.tmpl, y/*.tmpl",
                "alertmanager.templates[1].y/a.tmpl: has the name of another file, and all are in one folder of the "
                "pod. Rename one of the two.",
            ),
            (
                {"a.tmpl": '{{ define "acme.txt" }}a{{ end }}'},
                "a.tmpl",
                'alertmanager.receivers.ops.configs.slack_configs[0].text: names the template "acme.text", which '
                'nothing defines. Did you mean "acme.txt"?',
            ),
            (
                {"a.tmpl": '{{ define "acme.text" }}{{ template "other" . }}{{ end }}'},
                "a.tmpl",
                'alertmanager.templates.a.tmpl: names the template "other", which nothing defines. '
                "Define it in a file of alertmanager.templates.",
            ),
            (
                {"a.tmpl": '{{ define "acme.text" }}{{ range .Alerts }}{{ .Labels.pod }}{{ end }}'},
                "a.tmpl",
                "alertmanager.templates.a.tmpl: has not as many {{ end }} as {{ if }}, {{ range }} and {{ with }}. "
                "End each of them once.",
            ),
            (
                {"a.tmpl": '{{ define "acme.text" }}{{ .CommonLabels.pod | humanize }}{{ end }}'},
                "a.tmpl",
                'alertmanager.templates.a.tmpl: calls humanize, which is no function. Did you mean "humanizeDuration"?',
            ),
        ],
    )
    def test_with_mistakes_are_named(self, tmp_path: Path, files: dict[str, str], patterns: str, said: str) -> None:
        """
        The file, and what is wrong with it.
        """
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)

        assert problems(tmp_path, TEMPLATED % patterns) == [said]

    def test_that_are_no_text_are_refused(self, tmp_path: Path) -> None:
        """
        A file that is not UTF-8.
        """
        (tmp_path / "a.tmpl").write_bytes(b"\xff")

        said = problems(tmp_path, TEMPLATED % "a.tmpl")
        assert said == ["alertmanager.templates[0].a.tmpl: can't be read: it is not UTF-8. Save it as UTF-8."]
