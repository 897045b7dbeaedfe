"""The section `alerting` of prometheus.yml: the Alertmanagers of the stack, and those that exist already."""

from typing import Any

from settings import Fleet, Server
from settings.existing_alertmanager import ExistingAlertmanager
from settings.receiver_config import ReceiverReference
from settings.reserved import HUB_LABEL, REPLICA_LABEL
from settings.scrape_credentials import MountedFile

from .alertmanager import APP, NOTIFY
from .scrape.authenticated import credentials
from .scrape.discovery import endpoints_of
from .scrape.relabel import SLICE, keep
from .scrape.user_jobs import FOLDER, file_path, with_paths

Block = dict[str, Any]


def alerting(server: Server, fleet: Fleet) -> Block:
    """Return the section `alerting` of a server's prometheus.yml with all Alertmanagers; {} without any."""
    found = [*([_ours(server, fleet.namespace)] if fleet.alertmanager else []), *existing_alertmanagers(fleet)]
    dropped = [{"regex": f"{HUB_LABEL}|{REPLICA_LABEL}", "action": "labeldrop"}]
    return {"alert_relabel_configs": dropped, "alertmanagers": found} if found else {}


def _ours(server: Server, namespace: str) -> Block:
    """The Alertmanagers of the stack, each through its auth proxy."""
    return {
        "api_version": "v2",
        **credentials(server),
        "follow_redirects": False,
        "kubernetes_sd_configs": endpoints_of(namespace, APP),
        "relabel_configs": [keep([f"{SLICE}_port_name"], NOTIFY.name)],
    }


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
