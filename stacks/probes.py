"""blackbox_exporter, which probes the endpoints of the stack file."""

from components import BlackboxExporter
from components.blackbox_exporter import BlackboxExporterArgs
from render.blackbox import blackbox_config
from settings import seconds

from .monitor import Monitor


def deploy_blackbox_exporter(monitor: Monitor) -> None:
    """Make blackbox_exporter in the server's cluster."""
    fleet = monitor.fleet
    args: BlackboxExporterArgs = {
        "namespace": monitor.context.namespace,
        "prefix": fleet.namespace,
        "config": blackbox_config(proxied=fleet.has_proxy(monitor.cluster)),
        "scraper": monitor.server.app,
        "tls_secret": monitor.tls_secret,
        "image": fleet.images.blackbox_exporter,
        "auth_proxy_image": fleet.images.kube_rbac_proxy,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    BlackboxExporter(monitor.cluster, args, monitor.options())
