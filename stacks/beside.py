"""What stands beside the hub: what takes pushes, what asks endpoints, what shows the boards."""

import pulumi

import settings
from components import BlackboxExporter, Grafana, Pushgateway
from components.blackbox_exporter import BlackboxExporterArgs
from components.grafana import WAY_IN, GrafanaArgs
from components.hub_prometheus import READ
from components.pushgateway import APP, PUSH, PushgatewayArgs
from render import grafana
from render.blackbox import blackbox_config
from settings import Fleet, seconds
from settings.validation.secrets import secret_key

from .clusters import Watched
from .exposure import Port, expose_way
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
    made = Pushgateway(hub.cluster, args, watched.options())
    url = expose_way(fleet, watched, hub.made.tls_secret, said.expose, APP, PUSH)
    pulumi.export("pushgateway", {"url": url})
    pulumi.export("pusher", made.pusher_token)
    pulumi.export("cleaner", made.cleaner_token)


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
    BlackboxExporter(hub.cluster, args, watched.options())


def deploy_grafana(fleet: Fleet, said: settings.Grafana, watched: Watched, hub: DeployedHub) -> None:
    """Make what shows the boards, and export where people find it."""
    port = Port(WAY_IN, grafana.PORT)
    url = expose_way(fleet, watched, hub.made.tls_secret, said.expose, grafana.APP, port)
    made = Grafana(hub.cluster, grafana_args(fleet, said, watched, hub, url), watched.options())
    pulumi.export("grafana", {"service": made.service, "url": url})


def grafana_args(
    fleet: Fleet, said: settings.Grafana, watched: Watched, hub: DeployedHub, url: str | None
) -> GrafanaArgs:
    """Turn the stack file's words into the component's."""
    import dashboards  # noqa: PLC0415 — Grafana's SDK takes a tenth of the program's time, for those who have one

    tls = fleet.hub.expose.tls if fleet.hub else None
    args: GrafanaArgs = {
        "namespace": watched.namespace,
        "environment": grafana.environment(url),
        "datasources": grafana.datasources(fleet, f"https://{hub.reading.app}.{fleet.namespace}.svc:{READ.port}"),
        "providers": grafana.providers(),
        "boards": dashboards.files(fleet),
        "reader": hub.reading.role,
        "tls_secret": hub.made.tls_secret,
        "storage": said.storage,
        "image": fleet.images.grafana,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if said.secret:
        args["password_in"] = (said.secret.name, said.secret.key)
    else:
        args["password"] = pulumi.Config().require_secret(secret_key("grafana", "admin"))
    if tls and tls.ca:
        args["ca"] = tls.ca
    if tls and tls.ca_config_map:
        args["ca_config_map"] = tls.ca_config_map
    if said.storage_class:
        args["storage_class"] = said.storage_class
    return args
