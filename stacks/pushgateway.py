"""Pushgateway, for jobs that end before they are scraped."""

import pulumi

import settings
from components import Pushgateway
from components.pushgateway import PushgatewayArgs
from render.pushgateway import APP, PUSH
from settings import seconds

from .exposure import expose_endpoint
from .monitor import Monitor


def deploy_pushgateway(monitor: Monitor, pushgateway: settings.Pushgateway) -> None:
    """Make Pushgateway, and export its Service, URL and tokens."""
    fleet = monitor.fleet
    args: PushgatewayArgs = {
        "namespace": monitor.context.namespace,
        "prefix": fleet.namespace,
        "scraper": monitor.server.app,
        "tls_secret": monitor.tls_secret,
        "storage": pushgateway.storage,
        "storage_class": pushgateway.storage_class,
        "image": fleet.images.pushgateway,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    component = Pushgateway(monitor.cluster, args, monitor.options())
    pulumi.export("pushgateway", {"url": expose_endpoint(monitor, pushgateway.expose, APP, PUSH)})
    pulumi.export("pusherToken", component.pusher_token)
    pulumi.export("cleanerToken", component.cleaner_token)
