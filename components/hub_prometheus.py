"""The Prometheus server that receives samples of other clusters, through an auth proxy for remote write."""

from collections.abc import Mapping
from typing import NotRequired

import pulumi
from pulumi import ResourceOptions

from render.prometheus.auth_proxies import READ, WRITE
from render.tokens import writer_account

from .k8s.labels import metadata_of
from .k8s.service_account import service_account_token
from .k8s.write_proxy import Envoy
from .prometheus_server import HUB_TYPE, SERVER_TYPE, PrometheusServerArgs, deploy_server, formerly


class HubPrometheusArgs(PrometheusServerArgs):
    writers: Mapping[str, int]
    """Clusters whose agents have a token for remote write: name -> how often it was renewed."""
    envoy: NotRequired[Envoy]
    """Judges remote write in place of a kube-rbac-proxy, which would ask the API server who comes."""
    takes_samples: NotRequired[bool]
    """Whether they write here; true, if left out. If false, another component binds their Role, such as Receive."""


class HubPrometheus(pulumi.ComponentResource):
    """A Prometheus server that receives samples of agents by remote write."""

    service: pulumi.Output[str]
    """Name of the Service with a port per auth proxy."""
    roles: Mapping[str, pulumi.Output[str]]
    """Auth proxy -> name of the Role that permits access to it."""
    tls_secret: pulumi.Output[str]
    """Name of the Secret with the certificate of all hosts."""
    writer_tokens: Mapping[str, pulumi.Output[str]]
    """Agent's cluster -> bearer token for remote write; secret."""

    def __init__(self, name: str, args: HubPrometheusArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(HUB_TYPE, name, {}, formerly(SERVER_TYPE, opts))
        envoy = args.get("envoy")
        proxies = [WRITE, READ] if args.get("takes_samples", True) and not envoy else [READ]
        server = deploy_server(self, name, args, proxies, envoy)
        self.service, self.roles, self.tls_secret = server
        self.writer_tokens = {
            cluster: service_account_token(
                f"{name}-writer-{cluster}",
                {**metadata_of(args["app"], args["namespace"], args["image"]), "name": writer_account(cluster)},
                self.roles.get(WRITE.name),
                renewals,
                ResourceOptions(parent=self),
            )
            for cluster, renewals in args["writers"].items()
        }
        self.register_outputs({"service": self.service, "writer_tokens": self.writer_tokens})
