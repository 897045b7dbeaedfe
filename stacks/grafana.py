"""Grafana, with the dashboards of the catalogue."""

import pulumi

import settings
from components import Grafana
from components.grafana import HTTPS, GrafanaArgs
from render import grafana as rendered
from render.prometheus.auth_proxies import READ
from settings import seconds, secret_key
from settings.receiver_config import OF_STACK

from .exposure import Port, expose_endpoint
from .monitor import Monitor


def deploy_grafana(monitor: Monitor, grafana: settings.Grafana) -> None:
    """Make Grafana, and export its Service and URL."""
    url = expose_endpoint(monitor, grafana.expose, rendered.APP, Port(HTTPS, rendered.PORT, rendered.HEALTH))
    component = Grafana(monitor.cluster, grafana_args(monitor, grafana, url), monitor.options())
    pulumi.export("grafana", {"service": component.service, "url": url})


def grafana_args(monitor: Monitor, grafana: settings.Grafana, url: str | None) -> GrafanaArgs:
    """Return the arguments of Grafana's component."""
    import dashboards  # noqa: PLC0415 — Grafana's SDK takes a tenth of the program's time, and only this section needs it

    fleet, tls, config = monitor.fleet, monitor.server.expose.tls, pulumi.Config()
    files = rendered.setting_files(grafana)
    query_url = READ.url(monitor.query.app, fleet.namespace)
    args: GrafanaArgs = {
        "namespace": monitor.context.namespace,
        "environment": rendered.environment(url, grafana),
        "datasources": rendered.datasources(monitor.server, fleet, query_url),
        "providers": rendered.providers(fleet),
        "boards": dashboards.files(fleet),
        "application_boards": rendered.application_boards(fleet),
        "folder_boards": rendered.folder_boards(fleet),
        "files": [file for file in files if file.kind != OF_STACK],
        "secrets": {file.name: config.require_secret(file.name) for file in files if file.kind == OF_STACK},
        "reader": monitor.query.role,
        "tls_secret": monitor.tls_secret,
        "storage": grafana.storage,
        "storage_class": grafana.storage_class,
        "image": fleet.images.grafana,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if grafana.plugins:
        args["scratch"] = "512Mi"
    if grafana.secret:
        args["password_in"] = (grafana.secret.name, grafana.secret.key)
    else:
        args["password"] = config.require_secret(secret_key("grafana", "admin"))
    if tls.ca:
        args["ca"] = tls.ca
    if tls.ca_config_map:
        args["ca_config_map"] = tls.ca_config_map
    return args
