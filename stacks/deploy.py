"""Deploys the sections of a stack, in the order of their dependencies."""

from settings import Fleet, Server

from .agents import deploy_agent
from .alertmanager import deploy_alertmanager
from .applications import deploy_applications
from .clusters import ClusterContext, deploy_cluster
from .grafana import deploy_grafana
from .hub import RemoteWriteEndpoint, deploy_hub, export_hub
from .issuers import require_issuers
from .monitors import warn_of_unread_monitors
from .probes import deploy_blackbox_exporter
from .providers import require_contexts
from .pushgateway import deploy_pushgateway
from .server import export_server
from .standalone import deploy_standalone
from .thanos import deploy_thanos
from .watcher import deploy_watcher, require_api_servers


def deploy(fleet: Fleet) -> None:
    """Deploy each section that the stack file has, in clusters that the kubeconfigs know."""
    require_contexts(fleet.clusters)
    require_api_servers(fleet)
    warn_of_unread_monitors(fleet)
    deploy_sections(fleet)


def deploy_sections(fleet: Fleet) -> None:
    """Deploy each section that the stack file has, and export the outputs that other stacks and commands need."""
    require_issuers(fleet)
    contexts = {name: deploy_cluster(fleet, name) for name in fleet.clusters}
    for name, context in contexts.items():
        deploy_applications(fleet, name, context)
    endpoint = deploy_server(fleet, fleet.server, contexts[fleet.server.cluster]) if fleet.server else None
    if fleet.watcher:
        deploy_watcher(fleet, fleet.watcher, contexts)
    for cluster in fleet.agents:
        deploy_agent(fleet, cluster, contexts[cluster], endpoint)


def deploy_server(fleet: Fleet, server: Server, context: ClusterContext) -> RemoteWriteEndpoint | None:
    """Deploy the Prometheus server and the sections that need it; return the remote-write endpoint of a hub."""
    bucket_access, endpoint, notify_role = {}, None, None
    if fleet.thanos:
        from .storage import deploy_storage  # noqa: PLC0415 — Google Cloud's SDK takes a second, and few need it

        bucket_access = deploy_storage(fleet, fleet.thanos, server)
    if fleet.hub:
        monitor, endpoint = deploy_hub(fleet, fleet.hub, context, bucket_access)
    elif fleet.standalone:
        monitor = deploy_standalone(fleet, fleet.standalone, context, bucket_access)
    else:
        raise ValueError(f"nothing deploys a section {server.section}")
    if fleet.alertmanager:
        notify_role = deploy_alertmanager(monitor, fleet.alertmanager)
    if fleet.thanos:
        monitor, endpoint = deploy_thanos(monitor, fleet.thanos, bucket_access, notify_role, endpoint)
    if fleet.pushgateway:
        deploy_pushgateway(monitor, fleet.pushgateway)
    if fleet.grafana:
        deploy_grafana(monitor, fleet.grafana)
    if fleet.probes:
        deploy_blackbox_exporter(monitor)
    export_server(monitor)
    if endpoint:
        export_hub(endpoint)
    return endpoint
