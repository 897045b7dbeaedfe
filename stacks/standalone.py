"""A Prometheus server that scrapes the cluster it runs in, and no other."""

from components import PrometheusServer
from render.prometheus.auth_proxies import READ
from settings import Fleet, Standalone

from .clusters import ClusterContext
from .monitor import Monitor, QueryEndpoint
from .server import BucketAccesses, expose_server, proxy_url, server_args


def deploy_standalone(
    fleet: Fleet, standalone: Standalone, context: ClusterContext, bucket_access: BucketAccesses
) -> Monitor:
    """Make the server, and route its host to the auth proxy for reading."""
    args = server_args(fleet, standalone, context, bucket_access)
    component = PrometheusServer(standalone.cluster, args, context.prometheus_options())
    query = QueryEndpoint(standalone.app, component.roles[READ.name], proxy_url(standalone.expose, READ))
    monitor = Monitor(fleet, standalone, context, component, query)
    expose_server(monitor, [READ])
    return monitor
