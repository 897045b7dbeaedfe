"""The hub's Alertmanagers, and the secrets that their receivers need."""

import pulumi
from pulumi import Output

import render
import settings
from components import Alertmanager
from components.alertmanager import ALERTS, APP, OPERATE, READ, AlertmanagerArgs
from components.hub_prometheus import READER
from settings import Expose, Fleet, Way, seconds
from settings.expose import ROUTED
from settings.validation.secrets import secret_key

from .clusters import Watched
from .exposure import backend, lead, url
from .hub import DeployedHub


def deploy_alertmanager(fleet: Fleet, said: settings.Alertmanager, watched: Watched, hub: DeployedHub) -> Output[str]:
    """Make what the hub notifies, export how people reach it, and give the Role of who may notify."""
    made = Alertmanager(
        hub.cluster,
        alertmanager_args(fleet, said, watched, hub),
        watched.options(),
    )
    reached = None
    if fleet.hub and said.expose:
        reached = operating_url(fleet.hub.expose, said.expose)
        lead_to_doors(fleet, fleet.hub.expose, said.expose, watched, hub)
    pulumi.export("alertmanager", {"service": made.service, "url": reached})
    pulumi.export("operator", made.operator_token)
    return made.notify_role


def operating_url(expose: Expose, way: Way) -> str:
    """Where people silence, and behind a proxy that knows paths look at alerts too."""
    return url(expose, way.host, way.node_port or OPERATE.port)


def lead_to_doors(fleet: Fleet, expose: Expose, way: Way, watched: Watched, hub: DeployedHub) -> None:
    """Lead the way's host to both doors of people; where TLS is passed on it has room for one."""
    routed = expose.via in ROUTED
    looking = [] if expose.passthrough else [backend(READ, path=ALERTS if routed else None)]
    backends = [backend(OPERATE, node_port=way.node_port), *looking]
    lead(fleet, watched, hub.made.tls_secret, APP, way.host, backends)


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
        "config": render.alertmanager_config(said),
        "secrets": {key: config.require_secret(key) for key, place in used.items() if not place},
        "existing": {key: (place.name, place.key) for key, place in used.items() if place},
        "replicas": said.replicas,
        "notifier": hub.made.account,
        "reader": READER,
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
        args["url"] = operating_url(fleet.hub.expose, said.expose)
    return args
