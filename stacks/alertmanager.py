"""The hub's Alertmanagers, and the secrets that their receivers need."""

import pulumi
from pulumi import Output

import prometheus
import settings
from components import Alertmanager
from components.alertmanager import APP, OPERATE, AlertmanagerArgs
from settings import Fleet, seconds
from settings.secrets import secret_key

from .clusters import Watched
from .exposure import expose_way, url
from .hub import DeployedHub


def deploy_alertmanager(fleet: Fleet, said: settings.Alertmanager, watched: Watched, hub: DeployedHub) -> Output[str]:
    """Make what the hub notifies, export how people reach it, and give the Role of who may notify."""
    made = Alertmanager(
        hub.cluster,
        alertmanager_args(fleet, said, watched, hub),
        watched.options(),
    )
    reached = expose_way(fleet, watched, hub.made.tls_secret, said.expose, APP, OPERATE)
    pulumi.export("alertmanager", {"service": made.service, "url": reached})
    pulumi.export("operator", made.operator_token)
    return made.notify_role


def alertmanager_args(
    fleet: Fleet, said: settings.Alertmanager, watched: Watched, hub: DeployedHub
) -> AlertmanagerArgs:
    """Turn the stack file's words into the component's."""
    config = pulumi.Config()
    used = {
        secret_key(name, kind): one.secret
        for name, contact in said.receivers.items()
        for kind, one in contact.integrations.items()
    }
    args: AlertmanagerArgs = {
        "namespace": watched.namespace,
        "prefix": fleet.namespace,
        "config": prometheus.alertmanager_config(said),
        "secrets": {key: config.require_secret(key) for key, place in used.items() if not place},
        "existing": {key: (place.name, place.key) for key, place in used.items() if place},
        "replicas": said.replicas,
        "notifier": hub.made.account,
        "tls_secret": hub.made.tls_secret,
        "storage": said.storage,
        "image": fleet.images.alertmanager,
        "reloader_image": fleet.images.config_reloader,
        "door_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if said.storage_class:
        args["storage_class"] = said.storage_class
    if fleet.hub and said.expose:
        args["url"] = url(fleet.hub.expose, said.expose.host, said.expose.node_port or OPERATE.port)
    return args
