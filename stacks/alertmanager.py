"""The Alertmanagers of a Prometheus server, and the secrets that their receivers need."""

import pulumi
from pulumi import Output

import render
import settings
from components import Alertmanager
from components.alertmanager import AlertmanagerArgs
from render.alertmanager import ALERTS, APP, OPERATE, READ
from render.prometheus.auth_proxies import READER
from settings import Expose, ExposedAlertmanager, ExposedHost, seconds, secret_key
from settings.expose import ROUTED
from settings.receiver_config import OF_STACK

from .exposure import backend, expose_host, url
from .monitor import Monitor


def deploy_alertmanager(monitor: Monitor, alertmanager: settings.Alertmanager) -> Output[str]:
    """Make Alertmanager, export its Service and URL, and return the Role that permits sending alerts."""
    component = Alertmanager(monitor.cluster, alertmanager_args(monitor, alertmanager), monitor.options())
    exposed, reached = alertmanager.expose, None
    if exposed:
        reached = operating_url(monitor.server.expose, exposed)
        expose_alertmanager(monitor, exposed)
    pulumi.export("alertmanager", {"service": component.service, "url": reached})
    return component.notify_role


def operating_url(expose: Expose, exposed: ExposedHost) -> str:
    """Return the URL for silencing, which behind a proxy that routes by path is that of the page of alerts too."""
    return url(expose, exposed.host, exposed.node_port or OPERATE.port)


def expose_alertmanager(monitor: Monitor, exposed: ExposedAlertmanager) -> None:
    """
    Route its host to the auth proxies for silencing and reading; with passthrough, to the first only.

    A port of nodes that nobody wrote would be any, perhaps the one that is written for another host.
    """
    expose = monitor.server.expose
    backends = [backend(OPERATE, node_port=exposed.node_port)]
    if not expose.passthrough and (expose.via != "nodePort" or exposed.read_node_port):
        path = ALERTS if expose.via in ROUTED else None
        backends.append(backend(READ, path=path, node_port=exposed.read_node_port))
    expose_host(monitor, APP, exposed, backends)


def alertmanager_args(monitor: Monitor, alertmanager: settings.Alertmanager) -> AlertmanagerArgs:
    """Return the arguments of Alertmanager's component."""
    fleet, config = monitor.fleet, pulumi.Config()
    used = {
        secret_key(name, kind): one.secret
        for name, contact in alertmanager.receivers.items()
        for kind, one in contact.integrations.items()
    }
    files = render.receiver_files(alertmanager)
    keys = [*(key for key, place in used.items() if not place), *(file.name for file in files if file.kind == OF_STACK)]
    args: AlertmanagerArgs = {
        "namespace": monitor.context.namespace,
        "prefix": fleet.namespace,
        "config": render.alertmanager_config(alertmanager, proxied=fleet.has_proxy(monitor.cluster)),
        "secrets": {key: config.require_secret(key) for key in keys},
        "existing": {key: (place.name, place.key) for key, place in used.items() if place},
        "files": [file for file in files if file.kind != OF_STACK],
        "templates": alertmanager.templates,
        "replicas": alertmanager.replicas,
        "notifier": monitor.server.app,
        "reader": READER,
        "tls_secret": monitor.tls_secret,
        "storage": alertmanager.storage,
        "storage_class": alertmanager.storage_class,
        "image": fleet.images.alertmanager,
        "reloader_image": fleet.images.config_reloader,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if alertmanager.expose:
        args["url"] = operating_url(monitor.server.expose, alertmanager.expose)
    return args
