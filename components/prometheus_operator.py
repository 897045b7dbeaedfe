"""The Prometheus Operator, for the agent or the Prometheus server of one cluster and everybody's monitors."""

from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.object_labels import PART_OF
from settings.operator import GROUP, HONOURED, definitions

from .k8s.labels import metadata_of, selector
from .k8s.network_policy import allow_ingress
from .k8s.operated import WAIT_FOR
from .k8s.probes import http_probes
from .k8s.security import POD_RESTRICTED, RESTRICTED
from .k8s.service_account import bind_cluster_role, bind_role, service_account
from .k8s.timeouts import timeouts
from .k8s.workload import pod_defaults, resources

APP = "prometheus-operator"
PORT = 8080
_RUN = ("prometheusagents", "prometheuses")
"""Kinds that it runs, in its own namespace only; of the others it reads those of all namespaces."""
_READ: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    {
        "api_groups": [GROUP],
        "resources": [kind for kind in HONOURED if kind not in _RUN],
        "verbs": ["get", "list", "watch"],
    },
    {"api_groups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
    {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
]
"""
In the whole cluster. Upstream's role adds every Secret and ConfigMap, to read and to write.

A monitor that refers to a Secret needs a Role in its own namespace that lets the operator read it.
"""
_EVERYTHING = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_WRITE: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    {
        "api_groups": [GROUP],
        "resources": [f"{kind}{part}" for kind in _RUN for part in ("", "/finalizers", "/status")],
        "verbs": ["get", "list", "patch", "update", "watch"],
    },
    {"api_groups": ["apps"], "resources": ["statefulsets"], "verbs": _EVERYTHING},
    {"api_groups": [""], "resources": ["configmaps", "secrets"], "verbs": _EVERYTHING},
    {
        "api_groups": [""],
        "resources": ["services", "services/finalizers"],
        "verbs": ["create", "delete", "get", "list", "update", "watch"],
    },
    {"api_groups": [""], "resources": ["pods"], "verbs": ["delete", "get", "list", "watch"]},
]
"""In its own namespace."""


class PrometheusOperatorArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment, and of whatever it runs."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    image: str
    """Image of the operator."""
    reloader_image: str
    """Image of prometheus-config-reloader, which it puts into each pod."""
    scrapers: Sequence[str]
    """Apps in this namespace whose pods scrape it, if any do."""
    rollout_timeout: int
    """Seconds until a Deployment that does not become ready fails the update."""


class PrometheusOperator(pulumi.ComponentResource):
    """Installs the operator and the definitions of its custom resources, which stay when it is removed."""

    def __init__(self, name: str, args: PrometheusOperatorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:PrometheusOperator", name, {}, opts)
        image, namespace = args["image"], args["namespace"]
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata = metadata_of(APP, namespace, image)
        defined = [definition(name, one, await_opts) for one in definitions()]
        account = service_account(f"{name}-account", metadata, child_opts)
        cluster_scoped: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": f"{args['prefix']}-{APP}",
            "labels": metadata["labels"],
        }
        reads = k8s.rbac.v1.ClusterRole(f"{name}-reads", metadata=cluster_scoped, rules=_READ, opts=child_opts)
        bind_cluster_role(
            f"{name}-reads", cluster_scoped, reads.metadata.name, account.metadata.name, namespace, child_opts
        )
        writes = k8s.rbac.v1.Role(f"{name}-writes", metadata=metadata, rules=_WRITE, opts=child_opts)
        bind_role(f"{name}-writes", metadata, writes.metadata.name, account.metadata.name, child_opts)
        allow_ingress(name, metadata, APP, {PORT: args["scrapers"]}, child_opts)
        k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec={
                "replicas": 1,
                # Two releases at once would replace each other's pods in turn.
                "strategy": {"type": "RollingUpdate", "rolling_update": {"max_surge": 0, "max_unavailable": 1}},
                "selector": {"match_labels": selector(APP, APP)},
                "template": {"metadata": {"labels": metadata["labels"]}, "spec": pod(args, account.metadata.name)},
            },
            opts=ResourceOptions.merge(await_opts, ResourceOptions(depends_on=defined)),
        )
        self.register_outputs({})


def definition(name: str, given: dict[str, Any], await_opts: ResourceOptions) -> pulumi.Resource:
    """
    Make one definition; nothing deletes it, since Kubernetes would delete all objects of its kind with it.

    `patchForce`: what a stack before has left of it, in this cluster, is taken over.
    """
    metadata = given["metadata"]
    kind = metadata["name"].partition(".")[0]
    annotations = {**metadata["annotations"], WAIT_FOR: "condition=Established", "pulumi.com/patchForce": "true"}
    return k8s.apiextensions.CustomResource(
        f"{name}-{kind}",
        api_version="apiextensions.k8s.io/v1",
        kind="CustomResourceDefinition",
        metadata={**metadata, "labels": PART_OF, "annotations": annotations},
        spec=given["spec"],
        opts=ResourceOptions.merge(await_opts, ResourceOptions(retain_on_delete=True)),
    )


def pod(args: PrometheusOperatorArgs, account: pulumi.Input[str]) -> k8s.core.v1.PodSpecArgsDict:
    """One container, which runs no Prometheus outside of its own namespace."""
    namespace = args["namespace"]
    return {
        **pod_defaults(account, POD_RESTRICTED, token=True),
        "containers": [
            {
                "name": APP,
                "image": args["image"],
                "args": [
                    f"--web.listen-address=:{PORT}",
                    f"--prometheus-config-reloader={args['reloader_image']}",
                    "--kubelet-endpoints=false",
                    "--disable-unmanaged-prometheus-configuration",
                    "--localhost=127.0.0.1",
                    *(
                        f"--config-reloader-{kind}-{bound}=0"  # Prometheus' own resource says them
                        for kind in ("cpu", "memory")
                        for bound in ("request", "limit")
                    ),
                    *(
                        pulumi.Output.concat(f"--{whose}-instance-namespaces=", namespace)
                        for whose in ("prometheus", "alertmanager", "thanos-ruler")
                    ),
                ],
                "ports": [{"name": "metrics", "container_port": PORT}],
                **http_probes("/healthz", "metrics"),
                "resources": resources("20m", "64Mi", "256Mi"),
                "security_context": RESTRICTED,
            }
        ],
    }
