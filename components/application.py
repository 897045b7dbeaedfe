"""What an application of somebody else needs in its own namespace to be scraped."""

from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.object_labels import PART_OF

from .k8s.operated import SERVER


class ApplicationArgs(TypedDict):
    prefix: str
    """Begins the names of its objects, which are among those of others."""
    namespace: pulumi.Input[str]
    """Namespace of the application, which exists."""
    monitor: Mapping[str, Any]
    """Fields `spec` of the ServiceMonitor."""
    labels: Mapping[str, str]
    """Labels by which a Prometheus chooses the ServiceMonitor."""


class Application(pulumi.ComponentResource):
    """Has the Prometheus Operator of a cluster scrape an application."""

    def __init__(self, name: str, args: ApplicationArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Application", name, {}, opts)
        k8s.apiextensions.CustomResource(
            f"{name}-monitor",
            api_version=SERVER.api_version,
            kind="ServiceMonitor",
            metadata={
                "name": f"{args['prefix']}-{name}",
                "namespace": args["namespace"],
                "labels": {**args["labels"], **PART_OF},
            },
            spec=args["monitor"],
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})
