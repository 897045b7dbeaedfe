"""The Prometheus server of a stack, as all that is deployed beside it sees it."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
from pulumi import ResourceOptions

from components import HubPrometheus, PrometheusServer
from settings import Fleet, Server

from .clusters import ClusterContext


class QueryEndpoint(NamedTuple):
    """Where samples are queried: at the Prometheus server, or at Thanos Query in front of it."""

    app: str
    """Name of the Service whose port `read` leads to the auth proxy."""
    role: pulumi.Output[str]
    """Name of the Role that lets through it."""
    url: str
    """Where it is reached from outside the cluster."""


class Monitor(NamedTuple):
    """A deployed Prometheus server, its cluster, and where it is queried."""

    fleet: Fleet
    server: Server
    """Its section of the stack file."""
    context: ClusterContext
    component: HubPrometheus | PrometheusServer
    query: QueryEndpoint

    @property
    def cluster(self) -> str:
        """Name of its cluster."""
        return self.server.cluster

    @property
    def tls_secret(self) -> pulumi.Output[str]:
        """Name of the Secret with the one certificate of the stack."""
        return self.component.tls_secret

    def options(self, depends_on: Sequence[pulumi.Resource] = ()) -> ResourceOptions:
        """Return the options of a component in its cluster."""
        return self.context.options(depends_on)
