"""Alertmanager: alertmanager.yml with its routes and inhibition rules, command line, auth proxies and scrape jobs."""

from collections.abc import Mapping
from typing import Any

from alerts import INHIBITIONS, WATCHDOG, Inhibition
from settings import Alertmanager, Server, seconds
from settings.alertmanager import ALWAYS_GROUPED, NOBODY, Route
from settings.errors import Path as Place
from settings.scrape_credentials import MountedFile

from .auth_proxy import AuthProxy
from .prometheus.destinations import FROM_ENVIRONMENT
from .receivers import receiver
from .scrape.authenticated import authenticated_job
from .scrape.discovery import endpoints_of
from .scrape.job import ScrapeJob
from .scrape.relabel import POD, SLICE, copied, keep
from .scrape.user_jobs import file_path, with_paths
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
                *(receiver(name, contact, secrets) for name, contact in settings.receivers.items()),
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


def alertmanager_flags(replicas: int, label: str, url: str | None) -> list[str]:
    """
    Alertmanager's command line; `label` is the name of the cluster that its replicas form.

    `url` is the external URL, for links in notifications.
    """
    members = [f"--cluster.peer={APP}-{number}.{PEERS}:{PEERS_PORT}" for number in range(replicas)]
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
