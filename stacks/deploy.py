"""Every section of a stack, in the order in which they need each other."""

from settings import Fleet, Hub

from .agents import deploy_agent
from .alertmanager import deploy_alertmanager
from .beside import deploy_grafana, deploy_prober, deploy_pushgateway
from .clusters import Watched, deploy_cluster
from .hub import DeployedHub, deploy_hub, export_hub
from .providers import require_contexts
from .thanos import deploy_thanos


def deploy(fleet: Fleet) -> None:
    """Deploy each section that the stack file has, in clusters that the kubeconfigs know."""
    require_contexts(fleet.clusters)
    deploy_sections(fleet)


def deploy_sections(fleet: Fleet) -> None:
    """Deploy each section that the stack file has, and export what others need of it."""
    watched = {name: deploy_cluster(fleet, name) for name in fleet.clusters}
    hub = deploy_home(fleet, fleet.hub, watched[fleet.hub.cluster]) if fleet.hub else None
    for cluster in fleet.agents:
        deploy_agent(fleet, cluster, watched[cluster], hub.endpoint if hub else None)


def deploy_home(fleet: Fleet, said: Hub, place: Watched) -> DeployedHub:
    """Deploy the hub and what stands beside it."""
    ways = {}
    if fleet.thanos:
        from .storage import deploy_storage  # noqa: PLC0415 — Google Cloud's SDK takes a second, and few need it

        ways = deploy_storage(fleet, fleet.thanos, said.cluster)
    hub = deploy_hub(fleet, said, place, ways)
    notify = deploy_alertmanager(fleet, fleet.alertmanager, place, hub) if fleet.alertmanager else None
    if fleet.thanos:
        hub = deploy_thanos(fleet, fleet.thanos, place, hub, ways, notify)
    if fleet.pushgateway:
        deploy_pushgateway(fleet, fleet.pushgateway, place, hub)
    if fleet.grafana:
        deploy_grafana(fleet, fleet.grafana, place, hub)
    if fleet.probes:
        deploy_prober(fleet, place, hub)
    export_hub(fleet, hub, place)
    return hub
