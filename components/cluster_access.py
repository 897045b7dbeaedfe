"""The identity by which a Prometheus outside of a cluster discovers and scrapes what is in it."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .k8s.labels import metadata_of
from .k8s.prometheus import API_METRICS, DISCOVERY, NODE_METRICS, allow_scrapes
from .k8s.service_account import decoded, newest_token_secret

APP = "prometheus-watcher"
PODS_PROXY: k8s.rbac.v1.PolicyRuleArgsDict = {"api_groups": [""], "resources": ["pods/proxy"], "verbs": ["get"]}
"""Any page of any pod, by GET, through the API server."""
NODES_PROXY: k8s.rbac.v1.PolicyRuleArgsDict = {"api_groups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]}
"""
Metrics of a kubelet through the API server.

Whoever has it can run commands in every pod of the node, since a kubelet takes `exec` by GET too.
"""


class ClusterAccessArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the ServiceAccount."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    through_api_server: bool
    """Whether targets are asked through the API server instead of at their addresses."""
    nodes: bool
    """Whether kubelets are scraped."""
    rotation: int
    """How often the token was renewed; the one before the newest stays valid."""


class ClusterAccess(pulumi.ComponentResource):
    """A ServiceAccount with the rights that a watcher needs in one cluster, and its token."""

    token: pulumi.Output[str]
    """Its newest bearer token; a secret."""
    ca: pulumi.Output[str]
    """PEM certificates of the cluster's authority."""

    def __init__(self, name: str, args: ClusterAccessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ClusterAccess", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        metadata = metadata_of(APP, args["namespace"])
        secret = newest_token_secret(f"{name}-watcher", metadata, None, args["rotation"], child_opts)
        allow_scrapes(
            f"{name}-watcher",
            {"name": f"{args['prefix']}-{APP}-scrape", "labels": metadata["labels"]},
            rules(args),
            APP,
            args["namespace"],
            child_opts,
        )
        self.token = pulumi.Output.secret(decoded(secret, "token"))
        self.ca = decoded(secret, "ca.crt")
        self.register_outputs({"token": self.token, "ca": self.ca})


def rules(args: ClusterAccessArgs) -> Sequence[k8s.rbac.v1.PolicyRuleArgsDict]:
    """Return the rights of a route, and no others."""
    if not args["through_api_server"]:
        return [*DISCOVERY, API_METRICS, *([NODE_METRICS] if args["nodes"] else [])]
    return [*DISCOVERY, API_METRICS, PODS_PROXY, *([NODES_PROXY] if args["nodes"] else [])]
