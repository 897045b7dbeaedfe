"""What a person reads who is told of an alert, sent by Alertmanager itself."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

import render
from settings import Alertmanager
from tests.http_server import Handler, HttpServer

from .alertmanager import running, until
from .tools import tool

pytestmark = pytest.mark.render

SETTINGS = Alertmanager.model_validate(
    {
        "receivers": {
            "night": {
                "slack": {"channel": "#night"},
                "pagerDuty": {},
                "victorOps": {"routingKey": "sre"},
                "webhook": {},
            }
        },
        "default": "night",
        "grouping": {"wait": "1s", "interval": "1s"},
    }
)
RUNBOOK = "https://runbooks.example/nodes.md#nodedown"
TITLE = "[FIRING:2] NodeDown in eu1 (critical)"
TEXT = f"n1 is away.\nIt does not answer.\n{RUNBOOK}\n\nn2 is away.\nIt does not answer.\n{RUNBOOK}\n\n"
HOSTILE = "<!channel> <https://evil.example/?a=1&b=2|Open runbook> {{ .Status }}\n\nAll is well: https://evil.example"
"""A label's value, as whoever owns a pod may choose it."""


class Inbox(HttpServer):
    """Takes what Slack, PagerDuty, VictorOps and a webhook would, each under a path of its own."""

    def __init__(self) -> None:
        self.got: dict[str, dict[str, Any]] = {}
        got = self.got

        class Answering(Handler):
            def do_POST(self) -> None:
                got[self.path] = json.loads(self.body())
                self.answer(202 if self.path == "/pagerduty" else 200)

        super().__init__(Answering)

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def config(inbox: Inbox, folder: Path) -> str:
    """The rendered file, with its secrets in a folder of the test and the services' addresses on loopback."""
    for key, secret in {
        "nightSlack": f"{inbox.url}/slack",
        "nightWebhook": f"{inbox.url}/webhook",
        "nightPagerDuty": "integration-key\n",
        "nightVictorOps": "api-key\n",
    }.items():
        (folder / key).write_text(secret)
    rendered = render.alertmanager_config(SETTINGS).replace("/etc/alertmanager/secrets", str(folder))
    document = yaml.safe_load(rendered)
    document["global"] |= {"pagerduty_url": f"{inbox.url}/pagerduty", "victorops_api_url": f"{inbox.url}/victorops/"}
    return yaml.safe_dump(document)


def told_of(nodes: Sequence[str], folder: Path) -> dict[str, dict[str, Any]]:
    """What came in, by path, after nodes of one cluster went down."""
    with Inbox() as inbox, running(config(inbox, folder), folder) as server:
        labels = {"alertname": "NodeDown", "cluster": "eu1", "team": "platform", "severity": "critical"}
        texts = {"description": "It does not answer.", "runbook_url": RUNBOOK}
        server.take(
            *({**labels, "node": node} for node in nodes),
            annotations=[{**texts, "summary": f"{node} is away."} for node in nodes],
        )
        until("four services are told", lambda: len(inbox.got) == 4)
        return inbox.got


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return told_of(["n1", "n2"], tmp_path_factory.mktemp("alertmanager"))


@pytest.fixture(scope="module")
def lured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return told_of([HOSTILE], tmp_path_factory.mktemp("hostile"))


class TestNotifications:
    def test_slack_shows_what_where_and_what_to_do(self, told: dict[str, dict[str, Any]]) -> None:
        """
        One message for both nodes, which leads to the runbook.
        """
        message = told["/slack"]
        [shown] = message["attachments"]

        assert (message["channel"], shown["color"]) == ("#night", "danger")
        assert (shown["title"], shown["title_link"], shown["text"]) == (TITLE, RUNBOOK, TEXT)

    def test_pager_duty_gets_the_severity(self, told: dict[str, dict[str, Any]]) -> None:
        """
        The integration key comes from its file, and the severity is one that PagerDuty knows.
        """
        event = told["/pagerduty"]

        assert (event["routing_key"], event["client_url"]) == ("integration-key", RUNBOOK)
        said = {key: event["payload"][key] for key in ("summary", "severity", "group")}
        assert said == {"summary": TITLE, "severity": "critical", "group": "eu1"}

    def test_victor_ops_pages_for_what_is_critical(self, told: dict[str, dict[str, Any]]) -> None:
        """
        The API key and the routing key are parts of the address.
        """
        incident = told["/victorops/api-key/sre"]

        said = (incident["message_type"], incident["entity_display_name"], incident["state_message"])
        assert said == ("CRITICAL", TITLE, TEXT)

    def test_a_webhook_gets_alertmanagers_own_json(self, told: dict[str, dict[str, Any]]) -> None:
        """
        Nothing is lost on the way to a program.
        """
        assert [alert["labels"]["node"] for alert in told["/webhook"]["alerts"]] == ["n1", "n2"]


class TestHostileLabels:
    def test_slack_gets_no_mention_and_no_link(self, lured: dict[str, dict[str, Any]]) -> None:
        """
        What Slack would read as such is escaped wherever a label is shown, in what phones show too.
        """
        [shown] = lured["/slack"]["attachments"]
        written = [text for text in (*lured["/slack"].values(), *shown.values()) if isinstance(text, str)]

        assert [text for text in written if "<" in text or ">" in text or re.search(r"&(?!amp;|lt;|gt;)", text)] == []
        assert "&lt;!channel&gt; &lt;https://evil.example/?a=1&amp;b=2|Open runbook&gt;" in shown["text"]
        assert shown["title_link"] == RUNBOOK

    def test_labels_make_no_lines_of_their_own(self, lured: dict[str, dict[str, Any]]) -> None:
        """
        In every text an alert has three lines, so that a label can't feign another alert or another runbook.
        """
        for text in (lured["/slack"]["attachments"][0]["text"], lured["/victorops/api-key/sre"]["state_message"]):
            lines = text.splitlines()

            assert lines[0].endswith("All is well: https://evil.example is away.")
            assert lines[1:] == ["It does not answer.", RUNBOOK, ""]

    def test_labels_are_no_templates(self, lured: dict[str, dict[str, Any]]) -> None:
        """
        What stands in braces is shown as it is.
        """
        assert "{{ .Status }}" in lured["/victorops/api-key/sre"]["state_message"]

    def test_titles_and_links_show_none_of_them(self, lured: dict[str, dict[str, Any]]) -> None:
        """
        They are made of the rule and the cluster, which nobody who is scraped can choose.
        """
        title = "[FIRING:1] NodeDown in eu1 (critical)"
        event, incident = lured["/pagerduty"], lured["/victorops/api-key/sre"]

        assert (event["payload"]["summary"], event["client_url"]) == (title, RUNBOOK)
        assert incident["entity_display_name"] == title
        assert lured["/slack"]["attachments"][0]["fallback"] == title


def test_a_title_of_many_clusters_says_so(tmp_path: Path) -> None:
    """
    A route may group by other labels than name and cluster.
    """
    [_, night] = yaml.safe_load(render.alertmanager_config(SETTINGS))["receivers"]
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"status": "firing", "alerts": [], "commonLabels": {"severity": "critical"}}))
    command = [tool("amtool"), "template", "render", f"--template.glob={tmp_path}/*.tmpl", f"--template.data={data}"]

    done = subprocess.run(
        [*command, f"--template.text={night['slack_configs'][0]['title']}"], capture_output=True, check=True
    )

    assert done.stdout.decode() == "[FIRING] several alerts in several clusters (critical)"
