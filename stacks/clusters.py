"""Namespaces and exporters of every cluster of the fleet."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions, ResourceTransformation

from components import AdmissionWebhook, KubeStateMetrics, Namespace, NodeExporter, PrometheusOperator
from components.admission_webhook import APP as WEBHOOK
from components.admission_webhook import AdmissionWebhookArgs
from render.operator import judged
from settings import Fleet, seconds
from settings.agent import shard_name
from settings.operator import AdmissionWebhook as WebhookSettings

from .ownership import Owner, owned, this_stack
from .placement import placed
from .providers import cluster_provider


class ClusterContext(NamedTuple):
    """A cluster's provider and namespace, for further components in it."""

    provider: k8s.Provider
    transformations: Sequence[ResourceTransformation]
    """Transformations of every object in the cluster: owner annotations, limits and placement."""
    namespace: pulumi.Output[str]
    before_prometheus: Sequence[pulumi.Resource]
    """What the cluster's Prometheus needs: the operator that may run it, and namespaces that it has Roles in."""

    def options(self, depends_on: Sequence[pulumi.Resource] = ()) -> ResourceOptions:
        """Give the options of a component in this cluster."""
        return ResourceOptions(provider=self.provider, transformations=[*self.transformations], depends_on=depends_on)

    def prometheus_options(self) -> ResourceOptions:
        """Give the options of the component of the cluster's Prometheus, which the operator may run."""
        return self.options(self.before_prometheus)


def deploy_cluster(fleet: Fleet, name: str) -> ClusterContext:
    """Make one cluster's provider, its namespaces and its exporters."""
    cluster = fleet.clusters[name]
    provider = cluster_provider(name, cluster)
    system = k8s.core.v1.Namespace.get(f"{name}-kube-system", "kube-system", ResourceOptions(provider=provider))
    transformations = [
        owned(Owner(fleet.owner or this_stack(), name), cluster, system.metadata.uid, protect=fleet.protect),
        placed(fleet, name),
    ]
    opts = ResourceOptions(provider=provider, transformations=transformations)
    namespace = Namespace(
        name,
        {
            "namespace": fleet.namespace,
            "admits": "restricted",
            "exists": not fleet.create_namespace,
            "openshift": cluster.platform == "openshift",
        },
        opts,
    ).namespace
    if cluster.kube_state_metrics.is_ours:
        KubeStateMetrics(
            name,
            {
                "namespace": namespace,
                "prefix": fleet.namespace,
                "series": cluster.series,
                "scrapers": _scrapers(fleet, name),
                "labels": {**cluster.kube_state_metrics.labels},
                "image": fleet.images.kube_state_metrics,
                "rollout_timeout": seconds(fleet.rollout_timeout),
            },
            opts,
        )
    before_prometheus: list[pulumi.Resource] = []
    if cluster.runs_node_exporter:
        before_prometheus.append(deploy_node_exporter(fleet, name, opts))
    if cluster.operator and cluster.operator.install:
        before_prometheus.append(deploy_operator(fleet, name, namespace, opts))
        if cluster.operator.webhook:
            deploy_webhook(fleet, name, cluster.operator.webhook, namespace, opts)
    return ClusterContext(provider, transformations, namespace, before_prometheus)


def deploy_operator(
    fleet: Fleet, name: str, namespace: pulumi.Output[str], opts: ResourceOptions
) -> PrometheusOperator:
    """Make the Prometheus Operator of a cluster."""
    return PrometheusOperator(
        name,
        {
            "namespace": namespace,
            "prefix": fleet.namespace,
            "image": fleet.images.prometheus_operator,
            "reloader_image": fleet.images.config_reloader,
            "scrapers": _scrapers(fleet, name),
            "rollout_timeout": seconds(fleet.rollout_timeout),
        },
        opts,
    )


def deploy_webhook(
    fleet: Fleet, name: str, webhook: WebhookSettings, namespace: pulumi.Output[str], opts: ResourceOptions
) -> None:
    """Make the webhook that judges PrometheusRules of a cluster."""
    args: AdmissionWebhookArgs = {
        "namespace": namespace,
        "prefix": fleet.namespace,
        "host": f"{WEBHOOK}.{fleet.namespace}.svc",
        "failure_policy": webhook.failure_policy,
        "selectors": judged(fleet, name),
        "replicas": webhook.replicas,
        "image": fleet.images.admission_webhook,
        "rollout_timeout": seconds(fleet.rollout_timeout),
    }
    if webhook.secret:
        args["tls_secret"] = webhook.secret
    if webhook.issuer:
        args["tls_issuer"] = webhook.issuer
    if webhook.ca:
        args["ca"] = webhook.ca
    AdmissionWebhook(name, args, opts)


def _scrapers(fleet: Fleet, cluster: str) -> list[str]:
    """The apps that scrape a cluster from inside, if any do."""
    if fleet.watcher and cluster in fleet.watcher.clusters:
        return []
    if fleet.server and fleet.server.cluster == cluster:
        return [fleet.server.app]
    return [shard_name(number) for number in range(fleet.agents[cluster].shards)]


def deploy_node_exporter(fleet: Fleet, name: str, opts: ResourceOptions) -> Namespace:
    """Make node_exporter in a namespace of its own, which admits privileged pods; return the namespace."""
    cluster = fleet.clusters[name]
    nodes = Namespace(
        f"{name}.node-exporter",
        {
            "namespace": fleet.node_exporter_namespace,
            "admits": "privileged",
            "openshift": cluster.platform == "openshift",
        },
        opts,
    )
    NodeExporter(
        name,
        {
            "namespace": nodes.namespace,
            "port": cluster.node_exporter.port,
            "image": fleet.images.node_exporter,
            "rollout_timeout": seconds(fleet.rollout_timeout),
        },
        opts,
    )
    return nodes
