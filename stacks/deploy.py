"""Every section of a stack, in the order in which they need each other."""

from settings import Fleet

from .agents import deploy_agent
from .alertmanager import deploy_alertmanager
from .beside import deploy_grafana, deploy_prober, deploy_pushgateway
from .clusters import deploy_cluster
from .hub import deploy_hub


def deploy(fleet: Fleet) -> None:
    """Deploy each section that the stack file has, and export what others need of it."""
    watched = {name: deploy_cluster(fleet, name) for name in fleet.clusters}
    hub = deploy_hub(fleet, fleet.hub, watched[fleet.hub.cluster]) if fleet.hub else None
    if fleet.hub and hub:
        place = watched[fleet.hub.cluster]
        if fleet.alertmanager:
            deploy_alertmanager(fleet, fleet.alertmanager, place, hub)
        if fleet.pushgateway:
            deploy_pushgateway(fleet, fleet.pushgateway, place, hub)
        if fleet.grafana:
            deploy_grafana(fleet, fleet.grafana, place, hub)
        if fleet.probes:
            deploy_prober(fleet, place, hub)
    for cluster in fleet.agents:
        deploy_agent(fleet, cluster, watched[cluster], hub.endpoint if hub else None)
