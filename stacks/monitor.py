"""The deployed Prometheus server of a stack, for the sections that need it."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
from pulumi import ResourceOptions

from components import HubPrometheus, PrometheusServer
from settings import Fleet, Server

from .clusters import ClusterContext


class QueryEndpoint(NamedTuple):
    """The endpoint for queries: the Prometheus server, or Thanos Query in front of it."""

    app: str
    """Name of the Service, with the auth proxy's port `read`."""
    role: pulumi.Output[str]
    """Name of the Role that permits queries."""
    url: str
    """URL from outside the cluster."""


class Monitor(NamedTuple):
    """A deployed Prometheus server, its cluster, and its endpoint for queries."""

    fleet: Fleet
    server: Server
    """Section of the stack file."""
    context: ClusterContext
    component: HubPrometheus | PrometheusServer
    query: QueryEndpoint

    @property
    def cluster(self) -> str:
        """Name of the server's cluster."""
        return self.server.cluster

    @property
    def tls_secret(self) -> pulumi.Output[str]:
        """Name of the Secret with the one certificate of the stack."""
        return self.component.tls_secret

    def options(self, depends_on: Sequence[pulumi.Resource] = ()) -> ResourceOptions:
        """Return the options of a component in the server's cluster."""
        return self.context.options(depends_on)
