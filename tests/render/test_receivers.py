"""People's own integrations and templates, as Alertmanager's own tools and Alertmanager itself see them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

import render
from fleet.validators import AMTOOL, findings
from settings import Fleet
from settings.integrations import INTEGRATIONS, OAUTH, Field, Fields, Headers, ListOf, Public, Secret
from settings.kinds import BOOL, COUNT, LENGTH, LIST, MAPPING
from tests.http_server import Handler, HttpServer

from .alertmanager import running, until
from .tools import tool

pytestmark = pytest.mark.render

SECRET = {"secret": {"name": "ops", "key": "key"}}
CHOSEN = {
    "parse_mode": "HTML",
    "api_type": "cloud",
    "message_type": "markdown",
    "smarthost": "mail.example:587",
    "thread_by_date": "daily",
    "min_version": "TLS12",
    "max_version": "TLS13",
    "type": "user",
    "monospace": False,
}
"""Values of fields that take few, or exclude another with one of them."""
ALONE = frozenset(
    {
        *("basic_auth", "oauth2", "bearer_token", "proxy_from_environment"),
        *("alert_source_token", "app_token", "service_key", "target_arn", "phone_number"),
    }
)
"""Fields that exclude others."""


def filled(fields: Fields) -> dict[str, Any]:
    """A value for every field that may stand beside all others."""
    refused = {name for name, field in fields.items() if field == Secret(has_file=False)}
    return {name: _value(name, field) for name, field in fields.items() if name not in ALONE | refused}


def _value(name: str, field: Field) -> Any:
    match field:
        case Secret() | Public():
            return {"configMap": {"name": "a", "key": "b"}} if name == "ca" else SECRET
        case Headers():
            return {"X-A": {"values": ["a"], "secrets": [SECRET]}}
        case ListOf():
            return [filled(field.fields)]
        case Mapping():
            return filled(field)
    choices = {BOOL: True, COUNT: 1, LENGTH: "1m", LIST: [], MAPPING: {"a": "b"}}
    tried = (CHOSEN.get(name), choices.get(field), "https://a.example", {"a": "b"}, ["a"])
    return next(one for one in tried if one is not None and field.accepts(one))


def fleet(*receivers: Mapping[str, Any], templates: Mapping[str, str] | None = None) -> Fleet:
    """A hub with these receivers, of which all but the first have a route."""
    named = {f"r{number}": {"configs": one} for number, one in enumerate(receivers)}
    return Fleet.model_validate(
        {
            "clusters": {"hub": {"context": "hub"}},
            "hub": {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
            "alertmanager": {
                "receivers": named,
                "default": "r0",
                "routes": [{"receiver": name, "namespaces": [name]} for name in list(named)[1:]],
                "templates": MappingProxyType(templates or {}),
            },
        }
    )


@pytest.mark.parametrize("kind", INTEGRATIONS)
def test_alertmanager_knows_every_field(kind: str) -> None:
    """
    Amtool accepts an integration with all that promfleet accepts, in the deployed release.
    """
    assert findings(AMTOOL, tool("amtool"), [fleet({kind: [filled(INTEGRATIONS[kind])]})]) == [[]]


OTHERS: dict[str, dict[str, list[dict[str, Any]]]] = {
    "a password": {
        "webhook_configs": [{"url": SECRET, "http_config": {"basic_auth": {"username": SECRET, "password": SECRET}}}]
    },
    "OAuth": {"webhook_configs": [{"url": SECRET, "http_config": {"oauth2": filled(OAUTH)}}]},
    "a bearer token": {"webhook_configs": [{"url": SECRET, "http_config": {"bearer_token": SECRET}}]},
    "a proxy of the environment": {
        "webhook_configs": [{"url": SECRET, "http_config": {"proxy_from_environment": True}}]
    },
    "incident.io": {"incidentio_configs": [{"url": "https://a.example", "alert_source_token": SECRET}]},
    "a Slack app": {"slack_configs": [{"app_token": SECRET, "channel": "#a"}]},
    "PagerDuty's older API": {"pagerduty_configs": [{"service_key": SECRET}]},
    "SNS by phone": {"sns_configs": [{"phone_number": "+4912345", "sigv4": {"region": "eu-west-1"}}]},
    "SNS to a target": {"sns_configs": [{"target_arn": "arn:aws:sns:a", "sigv4": {"region": "eu-west-1"}}]},
    "a chat's number": {"telegram_configs": [{"bot_token": SECRET, "chat_id": -100}]},
    "texts with settings": {
        "jira_configs": [
            {
                "api_url": "https://jira.example/rest/api/3",
                "project": "OPS",
                "issue_type": "Bug",
                "summary": {"template": "{{ .Status }}", "enable_update": False},
                "fields": {"customfield_1": {"value": "{{ .Status }}"}},
            }
        ]
    },
}


@pytest.mark.parametrize("configs", OTHERS.values(), ids=OTHERS)
def test_alertmanager_knows_what_excludes_other_fields(configs: dict[str, list[dict[str, Any]]]) -> None:
    """
    Logins, and fields of which an integration has one.
    """
    assert findings(AMTOOL, tool("amtool"), [fleet(configs)]) == [[]]


class TestTemplates:
    def test_what_does_not_execute_is_said_of_the_text(self) -> None:
        """
        A text is executed with a notification, and so are the templates that it names.
        """
        texts = {
            "title": "{{ .CommonLabels.severity | toUpper }}",
            "text": '{{ template "acme" . }}',
            "footer": "{{ .X }}",
        }
        made = fleet(
            {"slack_configs": [{"api_url": SECRET, **texts}]},
            templates={"acme.tmpl": '{{ define "acme" }}{{ range .Alerts }}{{ .Labels.pod }}{{ end }}{{ end }}'},
        )

        [[problem]] = findings(AMTOOL, tool("amtool"), [made])
        assert str(problem).startswith("alertmanager.receivers.r0.configs.slack_configs[0].footer: ")
        assert "can't evaluate field X" in str(problem)
        assert str(problem).endswith("Correct the template.")

    def test_files_that_do_not_parse_are_named(self) -> None:
        """
        Amtool names the file and the line.
        """
        made = fleet(
            {"webhook_configs": [{"url": SECRET}]}, templates={"acme.tmpl": '{{ define "a" }}{{ 1 | 2 }}{{ end }}'}
        )

        [[problem]] = findings(AMTOOL, tool("amtool"), [made])
        assert problem.path == ("alertmanager", "templates")
        assert "acme.tmpl:1" in str(problem)


class Heard(Handler):
    """Keeps what was posted."""

    posts: ClassVar[list[tuple[str, Mapping[str, str], Any]]] = []

    def do_POST(self) -> None:
        Heard.posts.append((self.path, dict(self.headers), json.loads(self.body())))
        self.answer(200, b"ok")


@pytest.fixture
def url() -> Iterator[str]:
    Heard.posts.clear()
    with HttpServer(Heard) as server:
        yield f"http://{server.host}"


def test_a_notification_has_peoples_texts_headers_and_logins(url: str, tmp_path: Path) -> None:
    """
    Alertmanager executes a template file for two Slack channels, and logs in at a webhook.
    """
    slack = [{"api_url": SECRET, "channel": name, "text": '{{ template "acme" . }}'} for name in ("#a", "#b")]
    login = {"authorization": {"credentials": SECRET}, "http_headers": {"X-Scope": {"values": ["ops"]}}}
    made = fleet(
        {"slack_configs": slack, "webhook_configs": [{"url": SECRET, "http_config": login}]},
        templates={"acme.tmpl": '{{ define "acme" }}{{ range .Alerts }}{{ .Labels.pod }}!{{ end }}{{ end }}'},
    )
    assert made.alertmanager
    (tmp_path / "secret/ops").mkdir(parents=True)
    (tmp_path / "secret/ops/key").write_text(url)
    (tmp_path / "acme.tmpl").write_text(made.alertmanager.templates["acme.tmpl"])
    config = render.alertmanager_config(made.alertmanager, str(tmp_path)).replace("group_wait: 30s", "group_wait: 0s")

    with running(config, tmp_path) as server:
        server.take({"alertname": "A", "cluster": "eu1", "team": "ops", "severity": "critical", "pod": "cart-0"})
        until("all three are notified", lambda: len(Heard.posts) >= 3)

    posts = [body for _, _, body in Heard.posts if "channel" in body]
    assert sorted(body["channel"] for body in posts) == ["#a", "#b"]
    assert {body["attachments"][0]["text"] for body in posts} == {"cart-0!"}
    [headers] = [headers for _, headers, body in Heard.posts if "channel" not in body]
    assert (headers["Authorization"], headers["X-Scope"]) == (f"Bearer {url}", "ops")
