"""Configuration and provisioning files of Grafana."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from settings import Fleet, Grafana, Server
from settings.dashboard_file import DATASOURCE
from settings.grafana_config import is_path, variable
from settings.grafana_datasources import NAME
from settings.scrape_credentials import MountedFile

from .scrape.user_jobs import file_path
from .yaml import to_yaml

APP = "grafana"
PORT = 3000
HEALTH = "/api/health"
"""Path that answers without a login."""
DATA = "/var/lib/grafana"
PROVISIONING = "/etc/grafana/provisioning"
DASHBOARDS = "/etc/grafana/boards"
APPLICATIONS = "/etc/grafana/applications"
"""Mount path of the dashboards of applications, which have a folder of their own: titles in a folder are distinct."""
FOLDERS = "/etc/grafana/folders"
"""Folder of the mount paths of people's own dashboards, one for each folder in Grafana."""
_LONGEST = 30
TLS = "/etc/grafana/tls"
TRUSTED = "/etc/grafana/trusted/ca.crt"
"""CA of the server's auth proxies, or their certificate."""
TOKEN = "/etc/grafana/reader/token"
"""Bearer token for the server's read auth proxy."""
PASSWORD = "/etc/grafana/admin/password"
SECRETS = "/etc/grafana/secrets"
"""Mount path of the Secrets and ConfigMaps that settings refer to."""


def environment(url: str | None, grafana: Grafana | None = None) -> dict[str, str]:
    """
    Environment variables with Grafana's settings, `GF_<SECTION>_<KEY>`.

    `url` is the external URL. Every user must log in, and Grafana makes no requests to the internet but for plugins.
    Kubernetes replaces `$(NAME)` in a value, and `$$` by a dollar; Grafana replaces `$__file{…}` by the trimmed content
    of a file.
    """
    written = {**grafana.sign_in.values, **grafana.settings.values} if grafana else {}
    return {
        **{variable(section, key): _text(key, value) for (section, key), value in written.items()},
        **_CLOSED,
        "GF_SERVER_PROTOCOL": "https",
        "GF_SERVER_CERT_FILE": f"{TLS}/tls.crt",
        "GF_SERVER_CERT_KEY": f"{TLS}/tls.key",
        "GF_SERVER_CERTS_WATCH_INTERVAL": "1m",
        "GF_SECURITY_ADMIN_PASSWORD__FILE": PASSWORD,
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{DASHBOARDS}/fleet.json",
        **({"GF_SERVER_ROOT_URL": f"{url}/"} if url else {}),
        **(_plugins(grafana.plugins) if grafana and grafana.plugins else {}),
    }


def _plugins(plugins: Sequence[str]) -> dict[str, str]:
    """Grafana fetches these before it listens; it does so only where its own list of plugins is enabled too."""
    return {"GF_PLUGINS_PREINSTALL_DISABLED": "false", "GF_PLUGINS_PREINSTALL_SYNC": ",".join(plugins)}


def _text(key: str, value: str | MountedFile) -> str:
    if isinstance(value, str):
        return value.replace("$", "$$")
    return f"{SECRETS}/{file_path(value)}" if is_path(key) else _content(value)


def _content(file: MountedFile) -> str:
    return f"$__file{{{SECRETS}/{file_path(file)}}}"


def _further(source: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it was written, read-only unless it says otherwise."""
    secure = {name: _content(file) for name, file in source.get("secureJsonData", {}).items()}
    return {"access": "proxy", "editable": False, **source, **({"secureJsonData": secure} if secure else {})}


def setting_files(grafana: Grafana) -> list[MountedFile]:
    """Return each key of a Secret or ConfigMap that settings refer to, in the order of their paths."""
    return sorted({file for _, file in grafana.mounted}, key=file_path)


def datasources(server: Server, fleet: Fleet, url: str) -> str:
    """
    The provisioning file of the datasources: the read auth proxy at `url`, with Grafana's own token, and people's own.

    With `prune`, Grafana deletes those that were in the file before.

    Grafana replaces `$__file{…}` anywhere in a value by the trimmed content of the file, and ignores `serverName`
    without a CA.
    """
    source: dict[str, Any] = {
        "name": NAME,
        "uid": DATASOURCE,
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "isDefault": True,
        "editable": False,
        "jsonData": {
            "httpMethod": "POST",
            "prometheusType": "Thanos" if fleet.thanos else "Prometheus",
            "prometheusVersion": "2.50.1",  # the newest that it distinguishes; without one it queries whole series
            "timeInterval": fleet.scrape.interval,
            "manageAlerts": False,
            "tlsAuthWithCACert": True,
            "serverName": server.expose.host,
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {
            "tlsCACert": f"$__file{{{TRUSTED}}}",
            "httpHeaderValue1": f"Bearer $__file{{{TOKEN}}}",
        },
    }
    further = fleet.grafana.datasources.sources if fleet.grafana else ()
    return to_yaml({"apiVersion": 1, "prune": True, "datasources": [source, *map(_further, further)]})


def providers(fleet: Fleet) -> str:
    """The provisioning file of the dashboards' folders, which are checked for changes twice a minute."""
    folders = {
        "promfleet": DASHBOARDS,
        **({"applications": APPLICATIONS} if application_boards(fleet) else {}),
        **{title: f"{FOLDERS}/{name}" for title, name in _folder_names(fleet).items()},
    }
    entries = [
        {
            "name": name,
            "type": "file",
            "folder": name,
            "updateIntervalSeconds": 30,
            "allowUiUpdates": False,
            "disableDeletion": False,
            "options": {"path": path, "foldersFromFilesStructure": False},
        }
        for name, path in folders.items()
    ]
    return to_yaml({"apiVersion": 1, "providers": entries})


def folder_boards(fleet: Fleet) -> dict[str, dict[str, str]]:
    """Return people's own dashboards: name of a folder below `FOLDERS` -> file name -> JSON text."""
    if not fleet.grafana:
        return {}
    names, sources = _folder_names(fleet), fleet.grafana.datasources.sources
    return {
        names[title]: {f"{file.uid}.json": file.resolved(sources) for file in files}
        for title, files in fleet.grafana.dashboards.items()
    }


def _folder_names(fleet: Fleet) -> dict[str, str]:
    """The title of each folder -> its name, which objects in Kubernetes may have; no two are equal."""
    names: dict[str, str] = {}
    for title in fleet.grafana.dashboards if fleet.grafana else ():
        bare = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")[:_LONGEST].strip("-") or "folder"
        taken = [name for name in names.values() if name == bare or name.startswith(f"{bare}-")]
        names[title] = f"{bare}-{len(taken) + 1}" if taken else bare
    return names


def application_boards(fleet: Fleet) -> dict[str, str]:
    """Return the JSON text of each dashboard that applications name, by a file name; a file that two name is one."""
    named = {one.dashboard.path: (name, one.dashboard) for name, one in fleet.applications.items() if one.dashboard}
    sources = fleet.grafana.datasources.sources if fleet.grafana else ()
    return {f"{name}.json": file.resolved(sources) for name, file in named.values()}


_CLOSED = {
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_FEEDBACK_LINKS_ENABLED": "false",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_AUTH_ANONYMOUS_ENABLED": "false",
    "GF_METRICS_ENABLED": "false",  # /metrics would need no login
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
    "GF_PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    "GF_SECURITY_COOKIE_SECURE": "true",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    "GF_USERS_ALLOW_SIGN_UP": "false",
}
