"""The files of a watcher's machine: configuration, secrets, units, and the script that installs them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from settings import Alertmanager, Fleet, Watcher, authority, secret_key
from settings.images import release
from settings.memory import server_memory
from settings.watcher import SELF

from .alerting import alerting_files
from .alertmanager import ALONE, alertmanager_config, common_flags, receiver_files
from .blackbox import LISTEN as BLACKBOX
from .blackbox import blackbox_config
from .prometheus.flags import EXEMPLARS, FAST_DISCOVERY, LISTEN
from .prometheus.watcher import (
    EXISTING,
    RECEIVER_CA,
    RECEIVER_TOKEN,
    SELF_PASSWORD,
    WatcherReceiver,
    cluster_folder,
    watcher_config,
)
from .rules import server_rules
from .systemd import Service, unit
from .yaml import to_yaml

ETC = "/etc/promfleet-watcher"
OPT = "/opt/promfleet-watcher"
INSTALL = "install.sh"
RELEASES = "releases"
"""Names the program and release of each archive that is installed, as lines of a shell."""

WEB, PASSWORD = "prometheus/web.yml", f"prometheus/{SELF_PASSWORD}"
"""Who may use Prometheus where it is exposed, and the password of Prometheus itself."""

_CONFIG = "prometheus/prometheus.yml"
_ALERTMANAGER, _BLACKBOX = "alertmanager/alertmanager.yml", "blackbox-exporter/config.yml"
_SECRETS = "alertmanager/secrets"
_ASK = "prometheus/web.curl"
_STATE = "/var/lib"


class File(NamedTuple):
    """What is written, and who may read it."""

    text: str
    mode: int = 0o644


class ClusterCredentials(NamedTuple):
    """How the machine reaches a cluster, and who it is there."""

    api_server: str
    ca: str
    """PEM certificates that sign for the API server and the kubelets."""
    token: str


class ReceiverCredentials(NamedTuple):
    """Where all samples are written to as well."""

    url: str
    own: bool
    """Whether it is a promfleet hub."""
    ca: str
    """PEM certificates; empty where a public authority signs."""
    token: str


class Login(NamedTuple):
    """By which Prometheus and the install script reach a Prometheus that asks for a password."""

    password: str
    hash: str
    """bcrypt."""


def machine_files(
    fleet: Fleet,
    clusters: Mapping[str, ClusterCredentials],
    secrets: Mapping[str, str],
    own: Login | None = None,
    receiver: ReceiverCredentials | None = None,
) -> Mapping[str, File]:
    """
    Return all files of the machine by their path in the directory that is copied to it.

    `secrets` are those of the stack by key, as `fleet.secrets` lists them; `own` is needed where Prometheus is exposed.
    All secrets are in files that only their owner reads.
    """
    watcher = fleet.watcher
    if watcher is None:
        raise ValueError("this stack has no watcher")
    return {
        INSTALL: File(Path(__file__).with_name(INSTALL).read_text(encoding="utf-8"), 0o755),
        RELEASES: File("".join(f"{name}={version}\n" for name, version in releases(fleet).items())),
        **{f"units/promfleet-{name}.service": File(unit(one)) for name, one in _services(fleet, watcher).items()},
        _CONFIG: File(
            watcher_config(fleet, {name: known.api_server for name, known in clusters.items()}, _to(receiver))
        ),
        **{f"prometheus/rules/{name}": File(text) for name, text in server_rules(fleet).items()},
        **_identities(clusters),
        **(_of_receiver(receiver) if receiver else {}),
        **(_exposed(watcher, secrets, own) if own else {_ASK: _secret(f'url = "http://{LISTEN}/metrics"\n')}),
        **(_alertmanager(fleet.alertmanager, secrets) if fleet.alertmanager else {}),
        **{f"prometheus/{EXISTING}/{file.name}": _secret(secrets[file.name]) for file in alerting_files(fleet)},
        **({_BLACKBOX: File(blackbox_config())} if fleet.probes else {}),
    }


def releases(fleet: Fleet) -> dict[str, str]:
    """Return the release of each program that the machine runs, by upstream's name of it; no stack file lacks one."""
    images = {
        "prometheus": fleet.images.prometheus,
        **({"alertmanager": fleet.images.alertmanager} if fleet.alertmanager else {}),
        **({"blackbox_exporter": fleet.images.blackbox_exporter} if fleet.probes else {}),
    }
    found = {name: release(image) for name, image in images.items()}
    return {name: version for name, version in found.items() if version}


def _services(fleet: Fleet, watcher: Watcher) -> dict[str, Service]:
    homes = {name: f"{OPT}/{name}-{version}" for name, version in releases(fleet).items()}
    services = {"prometheus": _prometheus(fleet, watcher, homes["prometheus"])}
    if fleet.alertmanager:
        home, config, state = homes["alertmanager"], f"{ETC}/{_ALERTMANAGER}", "promfleet-alertmanager"
        services["alertmanager"] = Service(
            description="Alertmanager of the promfleet watcher",
            documentation="https://prometheus.io/docs/alerting/latest/alertmanager/",
            command=[
                f"{home}/alertmanager",
                *common_flags(config, f"{_STATE}/{state}"),
                ALONE,
            ],
            checks=[[f"{home}/amtool", "check-config", config]],
            memory="256M",
            user="alertmanager",
            state=state,
        )
    if fleet.probes:
        program, config = f"{homes['blackbox_exporter']}/blackbox_exporter", f"{ETC}/{_BLACKBOX}"
        services["blackbox-exporter"] = Service(
            description="blackbox_exporter of the promfleet watcher",
            documentation="https://github.com/prometheus/blackbox_exporter",
            command=[program, f"--config.file={config}", f"--web.listen-address={BLACKBOX}"],
            checks=[[program, f"--config.file={config}", "--config.check"]],
            memory="128M",
        )
    return services


def _prometheus(fleet: Fleet, watcher: Watcher, home: str) -> Service:
    config, web, state = f"{ETC}/{_CONFIG}", f"{ETC}/{WEB}", "promfleet-prometheus"
    checks = [[f"{home}/promtool", "check", "config", config]]
    listen = [f"--web.listen-address={LISTEN}"]
    if expose := watcher.expose:
        checks.append([f"{home}/promtool", "check", "web-config", web])
        listen = [
            f"--web.listen-address=:{expose.port}",
            f"--web.config.file={web}",
            f"--web.external-url={url(watcher)}/",
        ]
    return Service(
        description="Prometheus of the promfleet watcher",
        documentation="https://prometheus.io/docs/",
        command=[
            f"{home}/prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={_STATE}/{state}",
            *listen,
            EXEMPLARS,
            FAST_DISCOVERY,
        ],
        checks=checks,
        memory=server_memory(fleet.server_series).limit.removesuffix("i"),
        user="prometheus",
        state=state,
        stop="5min",  # it writes out what it has in memory
    )


def url(watcher: Watcher) -> str:
    """Return where Prometheus is reached, without a path."""
    expose = watcher.expose
    return f"https://{authority(expose.host, expose.port)}" if expose else f"http://{LISTEN}"


def _identities(clusters: Mapping[str, ClusterCredentials]) -> dict[str, File]:
    return {
        f"prometheus/{cluster_folder(name)}/{file}": _secret(text)
        for name, known in clusters.items()
        for file, text in {"token": known.token, "ca.crt": known.ca}.items()
    }


def _to(receiver: ReceiverCredentials | None) -> WatcherReceiver | None:
    return WatcherReceiver(receiver.url, receiver.own, bool(receiver.ca)) if receiver else None


def _of_receiver(receiver: ReceiverCredentials) -> dict[str, File]:
    files = {RECEIVER_TOKEN: receiver.token, RECEIVER_CA: receiver.ca}
    return {f"prometheus/{path}": _secret(text) for path, text in files.items() if text}


def _exposed(watcher: Watcher, secrets: Mapping[str, str], own: Login) -> dict[str, File]:
    """What asks people for a password; the certificate is read at every connection, this file too."""
    expose = watcher.expose
    if expose is None:
        raise ValueError("there is a login for a Prometheus that asks for none")
    hashes = {user: secrets[secret_key(user, "password_hash")] for user in expose.users}
    web = {
        "tls_server_config": {
            "cert_file": expose.tls.certificate,
            "key_file": expose.tls.key,
            "min_version": "TLS13",
        },
        "http_server_config": {"headers": {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "deny"}},
        "basic_auth_users": {SELF: own.hash, **hashes},
    }
    asked = {
        "url": f"{url(watcher)}/metrics",
        "connect-to": "::127.0.0.1:",
        "cacert": expose.tls.certificate,
        "user": f"{SELF}:{own.password}",
    }
    return {
        WEB: _secret(to_yaml(web)),
        PASSWORD: _secret(own.password),
        _ASK: _secret("".join(f'{key} = "{value}"\n' for key, value in asked.items())),
    }


def _alertmanager(alertmanager: Alertmanager, secrets: Mapping[str, str]) -> dict[str, File]:
    keys = [
        secret_key(receiver, integration)
        for receiver, contact in alertmanager.receivers.items()
        for integration in contact.integrations
    ]
    keys += [file.name for file in receiver_files(alertmanager)]
    return {
        _ALERTMANAGER: File(alertmanager_config(alertmanager, f"{ETC}/{_SECRETS}")),
        **{f"alertmanager/{name}": File(text) for name, text in alertmanager.templates.items()},
        **{f"{_SECRETS}/{key}": _secret(secrets[key]) for key in keys},
    }


def _secret(text: str) -> File:
    return File(text, 0o600)
