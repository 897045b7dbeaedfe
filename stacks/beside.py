"""What stands beside the hub: what takes pushes, what asks endpoints."""

import pulumi
from pulumi import ResourceOptions

import settings
from components import BlackboxExporter, Pushgateway
from components.blackbox_exporter import BlackboxExporterArgs
from components.pushgateway import APP, PUSH, PushgatewayArgs
from prometheus.prober import blackbox_config
from settings import Fleet, seconds

from .clusters import Watched
from .exposure import expose_way
from .hub import DeployedHub


def deploy_pushgateway(fleet: Fleet, said: settings.Pushgateway, watched: Watched, hub: DeployedHub) -> None:
    """Make the hub's Pushgateway, and export what pushes need."""
    args: PushgatewayArgs = {
        "namespace": watched.namespace,
        "prefix": fleet.namespace,
        "scraper": hub.made.account,
        "tls_secret": hub.made.tls_secret,
        "storage": said.storage,
        "image": fleet.images.pushgateway,
        "door_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if said.storage_class:
        args["storage_class"] = said.storage_class
    made = Pushgateway(hub.cluster, args, ResourceOptions(provider=watched.provider))
    url = expose_way(fleet, watched, hub.made.tls_secret, said.expose, APP, PUSH)
    pulumi.export("pushgateway", {"url": url})
    pulumi.export("pusher", made.pusher_token)


def deploy_prober(fleet: Fleet, watched: Watched, hub: DeployedHub) -> None:
    """Make what asks the fleet's endpoints."""
    args: BlackboxExporterArgs = {
        "namespace": watched.namespace,
        "prefix": fleet.namespace,
        "config": blackbox_config(),
        "scraper": hub.made.account,
        "tls_secret": hub.made.tls_secret,
        "image": fleet.images.blackbox_exporter,
        "door_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    BlackboxExporter(hub.cluster, args, ResourceOptions(provider=watched.provider))
