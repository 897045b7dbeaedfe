"""alertmanager.yml: routes, receivers and inhibition rules."""

from collections.abc import Mapping
from typing import Any

from alerts import INHIBITIONS, WATCHDOG, Inhibition
from settings import Alertmanager, Fleet, Server, authority, seconds, secret_key
from settings.alertmanager import (
    ALWAYS_GROUPED,
    NOBODY,
    Contact,
    Email,
    Integration,
    PagerDuty,
    Route,
    Slack,
    VictorOps,
    Webhook,
)
from settings.errors import Path as Place
from settings.existing_alertmanager import ExistingAlertmanager
from settings.receiver_config import ReceiverReference
from settings.reserved import HUB_LABEL, REPLICA_LABEL
from settings.scrape_credentials import MountedFile

from .auth_proxy import AuthProxy
from .prometheus.destinations import FROM_ENVIRONMENT
from .scrape.authenticated import authenticated_job, notifications
from .scrape.discovery import endpoints_of
from .scrape.job import ScrapeJob
from .scrape.relabel import POD, SLICE, copied, keep
from .scrape.user_jobs import FOLDER, file_path, with_paths
from .yaml import to_yaml

APP = "alertmanager"
CONFIG_FILE = "/etc/alertmanager/config/alertmanager.yml"
SECRETS = "/etc/alertmanager/secrets"
DATA = "/alertmanager"
LISTEN = "127.0.0.1:9093"
ALERTS = "/api/v2/alerts"
_OPERATED = ("/api/v2/alerts/groups", "/api/v2/receivers", "/api/v2/silence/*", "/api/v2/silences", "/api/v2/status")
NOTIFY = AuthProxy("alertmanagers", "notify", LISTEN, 8443, 8643, ("create", "get"), (ALERTS, "/metrics"))
"""Auth proxy for Prometheus, which sends alerts and scrapes."""
_PAGES = ("/", "/script.js", "/favicon.ico", "/lib/*/*/*", "/assets/*")
"""Paths of the page, of releases before 0.34 and since (ui/web.go)."""
OPERATE = AuthProxy("alertmanagers", "operate", LISTEN, 8444, 8644, ("create", "delete", "get"), (*_OPERATED, *_PAGES))
"""Auth proxy for silencing, and the page. Its Role has a verb per HTTP method, none of which permits posting alerts."""
READ = AuthProxy("alertmanagers", "read", LISTEN, 8445, 8645, ("get",), (ALERTS, *_OPERATED))
"""Auth proxy for reading."""
OPERATOR = f"{APP}-operator"
"""ServiceAccount for silencing; `fleet token` and `fleet open` request its tokens."""
PEERS = f"{APP}-peers"
"""Headless Service through which replicas find each other."""
PEERS_PORT = 9094
RELOADER, RELOADER_PORT = "reloader", 8080
"""Container and port of prometheus-config-reloader, which serves its own metrics and nothing else."""

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

Block = dict[str, Any]


def alertmanager_config(settings: Alertmanager, secrets: str = SECRETS, *, proxied: bool = False) -> str:
    """
    The text of alertmanager.yml; every secret in it is the path of a file in the folder of secrets.

    `proxied` is whether the pod's environment has a proxy for notifications.
    """
    proxy = {"http_config": FROM_ENVIRONMENT} if proxied else {}
    return to_yaml(
        {
            "global": {"resolve_timeout": "5m", **proxy},
            "route": _tree(settings),
            "inhibit_rules": [*map(_inhibition, INHIBITIONS), *map(_of_people, settings.inhibit_rules)],
            **({"time_intervals": list(settings.time_intervals)} if settings.time_intervals else {}),
            **({"templates": sorted(settings.templates)} if settings.templates else {}),
            "receivers": [
                {"name": NOBODY},
                *(
                    {"name": name, **_integrations(name, contact, secrets)}
                    for name, contact in settings.receivers.items()
                ),
            ],
        }
    )


def verbatim_parts(settings: Alertmanager) -> Mapping[Place, Block]:
    """Return what people wrote in Alertmanager's words: path in the section -> a configuration with that part alone."""
    nobody = {"name": NOBODY}
    around: Block = {"route": {"receiver": NOBODY}, "receivers": [nobody]}
    parts: dict[Place, Block] = {}
    for name, contact in settings.receivers.items():
        if contact.configs:
            own = {"name": name, **with_paths(contact.configs.integrations, SECRETS)}
            parts["receivers", name, "configs"] = {**around, "receivers": [nobody, own]}
    if settings.routes:
        names = [{"name": one["name"], "time_intervals": []} for one in settings.time_intervals]
        receivers = [nobody, *({"name": name} for name in settings.receivers)]
        parts["routes",] = {"route": _tree(settings), "receivers": receivers, "time_intervals": names}
    if settings.time_intervals:
        parts["timeIntervals",] = {**around, "time_intervals": list(settings.time_intervals)}
    if settings.inhibit_rules:
        parts["inhibitRules",] = {**around, "inhibit_rules": list(map(_of_people, settings.inhibit_rules))}
    if settings.templates:
        parts["templates",] = {**around, "templates": sorted(settings.templates)}
    return parts


def receiver_files(settings: Alertmanager) -> list[MountedFile]:
    """Return each key of a Secret or ConfigMap, and each secret of the stack, that `configs` of receivers name."""
    found = {file for contact in settings.receivers.values() if contact.configs for _, file in contact.configs.mounted}
    return sorted(found, key=file_path)


def alertmanager_flags(replicas: int, peers: str, label: str, url: str | None) -> list[str]:
    """
    Alertmanager's command line; `peers` is the headless Service of its replicas, `label` the name of their cluster.

    `url` is the external URL, for links in notifications.
    """
    members = [f"--cluster.peer={APP}-{number}.{peers}:{PEERS_PORT}" for number in range(replicas)]
    clustered = [
        f"--cluster.listen-address=0.0.0.0:{PEERS_PORT}",
        f"--cluster.advertise-address=[$(POD_IP)]:{PEERS_PORT}",
        f"--cluster.label={label}",
        "--cluster.reconnect-timeout=5m",  # a replica that is replaced gets another address
        *members,
    ]
    return [
        *common_flags(CONFIG_FILE, DATA),
        *([f"--web.external-url={url}"] if url else []),
        *(clustered if replicas > 1 else [ALONE]),
    ]


def common_flags(config_file: str, data: str) -> list[str]:
    """Return the flags that it has in a pod and on a machine; `data` is the folder of silences and notifications."""
    return [f"--config.file={config_file}", f"--storage.path={data}", f"--web.listen-address={LISTEN}"]


ALONE = "--cluster.listen-address="
"""Flag without which a single one would look for others."""


def alerting(server: Server, fleet: Fleet) -> Block:
    """Return the section `alerting` of a server's prometheus.yml with all Alertmanagers; {} without any."""
    ours = [notifications(server, fleet.namespace, APP, NOTIFY)] if fleet.alertmanager else []
    found = [*ours, *existing_alertmanagers(fleet)]
    dropped = [{"regex": f"{HUB_LABEL}|{REPLICA_LABEL}", "action": "labeldrop"}]
    return {"alert_relabel_configs": dropped, "alertmanagers": found} if found else {}


def existing_alertmanagers(fleet: Fleet, folder: str = FOLDER) -> list[Block]:
    """Return an entry of `alertmanagers` for each that exists already; its credentials are files in a folder."""
    return [
        {
            "api_version": "v2",
            "scheme": one.scheme,
            **({"path_prefix": one.prefix} if one.prefix else {}),
            "follow_redirects": False,
            **_login(one, folder),
            **({"tls_config": tls} if (tls := _tls(one, folder)) else {}),
            "static_configs": [{"targets": [one.address]}],
        }
        for one in fleet.alerts.alertmanagers
    ]


def _login(one: ExistingAlertmanager, folder: str) -> Block:
    if one.token:
        return {"authorization": {"credentials_file": _path(one.token, folder)}}
    if one.basic_auth:
        return {
            "basic_auth": {
                "username": one.basic_auth.username,
                "password_file": _path(one.basic_auth.password, folder),
            }
        }
    return {}


def _tls(one: ExistingAlertmanager, folder: str) -> Block:
    """Return by what an existing Alertmanager is verified; {} for the public authorities."""
    return {
        **({"ca_file": _path(one.ca, folder)} if one.ca else {}),
        **({"server_name": one.server_name} if one.server_name else {}),
    }


def _path(reference: ReceiverReference, folder: str) -> str:
    return str(with_paths(reference.mounted, folder))


def alerting_files(fleet: Fleet) -> list[MountedFile]:
    """Return each key of a Secret or ConfigMap, or secret of the stack, that existing Alertmanagers need."""
    found = {file for one in fleet.alerts.alertmanagers for _, file in one.references}
    return sorted(found, key=file_path)


def alertmanager_job(server: Server, namespace: str) -> ScrapeJob:
    """Return the scrape job of every replica."""
    return authenticated_job(server, namespace, APP, APP, NOTIFY)


def config_reloader_job(namespace: str) -> ScrapeJob:
    """Return the scrape job of the config reloader of each replica."""
    return ScrapeJob(
        name="config-reloader",
        discovery=endpoints_of(namespace, PEERS),
        relabel=[keep([f"{SLICE}_port_name"], RELOADER), copied(f"{POD}_name", "instance")],
    )


def _tree(settings: Alertmanager) -> Block:
    group = settings.grouping
    return {
        "receiver": settings.default,
        "group_by": [*ALWAYS_GROUPED, *group.by],
        "group_wait": group.wait,
        "group_interval": group.interval,
        "repeat_interval": group.repeat,
        "routes": [
            *_heartbeat(settings),
            {"receiver": NOBODY, "matchers": ['severity="none"']},
            *map(_route, settings.routes),
        ],
    }


def _heartbeat(settings: Alertmanager) -> list[Block]:
    if not settings.heartbeat:
        return []
    every = seconds(settings.heartbeat.every)
    return [
        {
            "receiver": settings.heartbeat.receiver,
            "matchers": [f'alertname="{WATCHDOG}"'],
            "group_wait": "0s",
            "group_interval": f"{every}s",
            # Groups are flushed once per group_interval; with an equal repeat_interval every second flush is too early.
            "repeat_interval": f"{every * 4 // 5}s",
        }
    ]


def _route(route: Route) -> Block:
    chosen = {
        "team": route.teams,
        "cluster": route.clusters,
        "namespace": route.namespaces,
        "severity": route.severities,
    }
    matchers = [*(f'{label}=~"{"|".join(values)}"' for label, values in chosen.items() if values), *route.matchers]
    written = {
        "receiver": route.receiver,
        "matchers": matchers,
        "continue": route.resume,
        "mute_time_intervals": list(route.mute),
        "active_time_intervals": list(route.active),
        "routes": [_route(inner) for inner in route.routes],
    }
    return {**{name: value for name, value in written.items() if value}, **route.grouping}


def _inhibition(inhibition: Inhibition) -> Block:
    return {
        "source_matchers": [inhibition.source],
        "target_matchers": [inhibition.target],
        "equal": ["cluster", *inhibition.equal],
    }


def _of_people(rule: Mapping[str, Any]) -> Block:
    """An inhibition as it was written; the heartbeat it can't mute."""
    return {**rule, "target_matchers": [*rule["target_matchers"], f'alertname!="{WATCHDOG}"']}


def _integrations(receiver: str, contact: Contact, secrets: str) -> Block:
    """The `*_configs` of one receiver, whose secrets are files in a folder."""
    blocks = (
        _integration(one, f"{secrets}/{secret_key(receiver, name)}") for name, one in contact.integrations.items()
    )
    found: dict[str, list[Any]] = {f"{kind}_configs": [{**block, "send_resolved": True}] for kind, block in blocks}
    for kind, verbatim in contact.configs.integrations.items() if contact.configs else ():
        found[kind] = [*found.get(kind, ()), *with_paths(verbatim, secrets)]
    return found


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
