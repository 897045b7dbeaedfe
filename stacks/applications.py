"""The applications of a stack that the Prometheus Operator of their cluster scrapes."""

from components import Application
from render.operator import monitor_labels, operated_application
from settings import Fleet

from .clusters import ClusterContext


def deploy_applications(fleet: Fleet, cluster: str, context: ClusterContext) -> None:
    """Make the ServiceMonitors of a cluster's applications; without an operator they are jobs of its Prometheus."""
    if not fleet.clusters[cluster].operator:
        return
    for name, application in fleet.applications_in(cluster).items():
        Application(
            name,
            {
                "prefix": fleet.namespace,
                "namespace": application.namespace,
                "monitor": operated_application(fleet, name),
                "labels": monitor_labels(fleet, cluster),
            },
            context.prometheus_options(),
        )
