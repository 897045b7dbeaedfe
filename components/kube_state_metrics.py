"""kube-state-metrics: the state of Kubernetes objects as metrics."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.memory import exporter_memory

from .k8s.labels import metadata_of, selector
from .k8s.network_policy import network_policy, pods_of
from .k8s.probes import STARTING
from .k8s.security import POD_RESTRICTED, RESTRICTED
from .k8s.service_account import bind_cluster_role, service_account
from .k8s.timeouts import timeouts
from .k8s.workload import deployment, pod_defaults, resources

APP = "kube-state-metrics"
PORT, TELEMETRY = 8080, 8081
RESOURCES = {
    "": [
        "namespaces",
        "nodes",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "resourcequotas",
        "services",
    ],
    "apps": ["daemonsets", "deployments", "replicasets", "statefulsets"],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "networking.k8s.io": ["ingresses"],
    "policy": ["poddisruptionbudgets"],
}
"""What it may list and watch, by API group; upstream's default adds every Secret and ConfigMap."""


class KubeStateMetricsArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    scrapers: Sequence[str]
    """Apps of the Prometheus in its namespace that scrapes it; none admits everybody: a watcher is outside."""
    series: int
    """Active series of the cluster; memory follows from it."""
    labels: NotRequired[Mapping[str, Sequence[str]]]
    """Kind of object -> labels of its objects to expose as metrics; none, if left out."""
    image: str
    """Image of the exporter."""
    rollout_timeout: int
    """Seconds until a Deployment that does not become ready fails the update."""


class KubeStateMetrics(pulumi.ComponentResource):
    """Runs kube-state-metrics once in one cluster."""

    def __init__(self, name: str, args: KubeStateMetricsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:KubeStateMetrics", name, {}, opts)
        image = args["image"]
        child_opts = ResourceOptions(parent=self)
        metadata = metadata_of(APP, args["namespace"], image)
        cluster_scoped: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": f"{args['prefix']}-{APP}",
            "labels": metadata["labels"],
        }
        account = service_account(f"{name}-account", metadata, child_opts)
        role = k8s.rbac.v1.ClusterRole(
            f"{name}-role",
            metadata=cluster_scoped,
            rules=[
                {"api_groups": [group], "resources": kinds, "verbs": ["list", "watch"]}
                for group, kinds in RESOURCES.items()
            ],
            opts=child_opts,
        )
        bind_cluster_role(
            name, cluster_scoped, role.metadata.name, account.metadata.name, args["namespace"], child_opts
        )
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        deployment(name, APP, metadata, pod(image, account.metadata.name, args), await_opts)
        k8s.core.v1.Service(
            f"{name}-service",
            metadata=metadata,
            spec={
                "cluster_ip": "None",
                "selector": selector(APP, APP),
                "ports": [
                    {"name": "metrics", "port": PORT, "target_port": "metrics"},
                    {"name": "telemetry", "port": TELEMETRY, "target_port": "telemetry"},
                ],
            },
            opts=await_opts,
        )
        ports: list[k8s.networking.v1.NetworkPolicyPortArgsDict] = [
            {"port": port, "protocol": "TCP"} for port in ("metrics", "telemetry")
        ]
        rule: k8s.networking.v1.NetworkPolicyIngressRuleArgsDict = {"ports": ports}
        if args["scrapers"]:
            rule["from_"] = pods_of(args["scrapers"])
        network_policy(name, metadata, APP, [rule], child_opts)
        self.register_outputs({})


def pod(image: str, account: pulumi.Input[str], args: KubeStateMetricsArgs) -> k8s.core.v1.PodSpecArgsDict:
    """One container that may list what `RESOURCES` names; its memory follows from the cluster's series."""
    return {
        **pod_defaults(account, POD_RESTRICTED, token=True),
        "containers": [
            {
                "name": APP,
                "image": image,
                "args": [
                    f"--port={PORT}",
                    f"--telemetry-port={TELEMETRY}",
                    f"--resources={','.join(sorted(kind for kinds in RESOURCES.values() for kind in kinds))}",
                    *labels_allowlist(args.get("labels", {})),
                ],
                "ports": [
                    {"name": "metrics", "container_port": PORT},
                    {"name": "telemetry", "container_port": TELEMETRY},
                ],
                "startup_probe": {"http_get": {"path": "/readyz", "port": "telemetry"}, **STARTING},
                "readiness_probe": {"http_get": {"path": "/readyz", "port": "telemetry"}},
                "liveness_probe": {"http_get": {"path": "/livez", "port": "metrics"}, "period_seconds": 30},
                "resources": resources("10m", *exporter_memory(args["series"])),
                "security_context": RESTRICTED,
            }
        ],
    }


def labels_allowlist(labels: Mapping[str, Sequence[str]]) -> list[str]:
    """The flag with the labels of objects to expose; the exporter's default is none, since each adds series."""
    kinds = [f"{kind}=[{','.join(names)}]" for kind, names in sorted(labels.items()) if names]
    return [f"--metric-labels-allowlist={','.join(kinds)}"] if kinds else []
