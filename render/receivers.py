"""Receivers in alertmanager.yml: typed integrations with templates of their notifications, and those of people."""

from typing import Any

from settings import authority, secret_key
from settings.alertmanager import Contact, Email, Integration, PagerDuty, Slack, VictorOps, Webhook

from .scrape.user_jobs import with_paths

Block = dict[str, Any]

_FOR_SLACK = ' | reReplaceAll "&" "&amp;" | reReplaceAll "<" "&lt;" | reReplaceAll ">" "&gt;"'
"""Replaces `<…>`, which Slack reads as a mention or a link, in values that workloads choose."""
_LINK = '{{ if match "^https://" .CommonAnnotations.runbook_url }}{{ .CommonAnnotations.runbook_url }}{{ end }}'
"""Link to the runbook, where runbooks are published."""
_COLOR = (
    '{{ if eq .Status "resolved" }}good{{ else if eq .CommonLabels.severity "critical" }}danger'
    "{{ else }}warning{{ end }}"
)
_VICTOR_OPS_TYPE = '{{ if eq .CommonLabels.severity "critical" }}CRITICAL{{ else }}WARNING{{ end }}'
_PAGER_DUTY_SEVERITY = '{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}warning{{ end }}'


def receiver(name: str, contact: Contact, secrets: str) -> Block:
    """Return an entry of `receivers`, whose secrets are files in a folder."""
    blocks = (_integration(one, f"{secrets}/{secret_key(name, kind)}") for kind, one in contact.integrations.items())
    found: dict[str, list[Any]] = {f"{kind}_configs": [{**block, "send_resolved": True}] for kind, block in blocks}
    for kind, verbatim in contact.configs.integrations.items() if contact.configs else ():
        found[kind] = [*found.get(kind, ()), *with_paths(verbatim, secrets)]
    return {"name": name, **found}


def _integration(integration: Integration, secret: str) -> tuple[str, Block]:
    """Alertmanager's name of an integration's type, and its configuration with the path of its secret."""
    match integration:
        case Slack():
            shown = {
                "channel": integration.channel,
                "color": _COLOR,
                "title": _title(_FOR_SLACK),
                "title_link": _LINK,
                "text": _text(_FOR_SLACK),
                "fallback": _title(_FOR_SLACK),  # the default template shows every common label
            }
            return "slack", {"api_url_file": secret, **shown}
        case VictorOps():
            shown = {"message_type": _VICTOR_OPS_TYPE, "entity_display_name": _title(), "state_message": _text()}
            return "victorops", {"api_key_file": secret, "routing_key": integration.routing_key, **shown}
        case PagerDuty():
            shown = {
                "description": _title(),
                "severity": _PAGER_DUTY_SEVERITY,
                "group": "{{ .CommonLabels.cluster }}",
                "client": "promfleet",
                "client_url": _LINK,
            }
            return "pagerduty", {"routing_key_file": secret, **shown}
        case Email():
            return "email", {
                "to": ", ".join(integration.to),
                "from": integration.sender,
                "smarthost": authority(integration.host, integration.port),
                "auth_username": integration.username or integration.sender,
                "auth_password_file": secret,
                "require_tls": True,
                "headers": {"Subject": _title()},
                "html": "",
                "text": _text(),
            }
        case Webhook():
            return "webhook", {"url_file": secret}
    raise NotImplementedError(f"there is no receiver configuration for {integration!r}")


def _title(then: str = "") -> str:
    """Template of a title: alert, cluster, severity; `then` is appended to each value, as a pipeline."""
    name, cluster, severity = (
        f"{{{{ {value}{then} }}}}"
        for value in (
            'or .CommonLabels.alertname "several alerts"',  # a route may group by other labels
            'or .CommonLabels.cluster "several clusters"',
            ".CommonLabels.severity",
        )
    )
    count = "{{ .Status | toUpper }}{{ if .Alerts.Firing }}:{{ .Alerts.Firing | len }}{{ end }}"
    return f"[{count}] {name} in {cluster} ({severity})"


def _text(then: str = "") -> str:
    """Template of a text with three lines per alert; line breaks in values are removed."""
    one_line = r' | reReplaceAll "\\s+" " "'
    lines = (f"{{{{ .Annotations.{name}{one_line}{then} }}}}\n" for name in ("summary", "description", "runbook_url"))
    return f"{{{{ range .Alerts }}}}{''.join(lines)}\n{{{{ end }}}}"
