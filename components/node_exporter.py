"""node_exporter: metrics of nodes, from one pod per Linux node."""

from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.node_exporter import COLLECTORS
from render.scrape.platforms import VIRTUAL

from .k8s.labels import metadata_of, selector
from .k8s.probes import http_probes
from .k8s.security import POD_RESTRICTED, RESTRICTED
from .k8s.service_account import service_account
from .k8s.timeouts import timeouts
from .k8s.workload import pod_defaults, pod_field, resources

APP = "node-exporter"


REAL_NODES: k8s.core.v1.NodeAffinityArgsDict = {
    "required_during_scheduling_ignored_during_execution": {
        "node_selector_terms": [
            {
                "match_expressions": [
                    {"key": label, "operator": "NotIn", "values": list(values)} for label, values in VIRTUAL.items()
                ]
            }
        ]
    }
}
"""Those that can share a network and files: an update would wait for the others for ever."""


class NodeExporterArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the DaemonSet; it must admit host networking and host paths."""
    port: int
    """Port on every node."""
    image: str
    """Image of the exporter."""
    rollout_timeout: int
    """Seconds until a DaemonSet that does not become ready fails the update."""


class NodeExporter(pulumi.ComponentResource):
    """Runs node_exporter on every Linux node of one cluster."""

    def __init__(self, name: str, args: NodeExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:NodeExporter", name, {}, opts)
        image, port = args["image"], args["port"]
        metadata = metadata_of(APP, args["namespace"], image)
        child_opts = ResourceOptions(parent=self)
        account = service_account(f"{name}-account", metadata, child_opts)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        k8s.apps.v1.DaemonSet(
            f"{name}-daemonset",
            metadata=metadata,
            spec={
                "selector": {"match_labels": selector(APP, APP)},
                "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": "10%"}},
                "template": {
                    "metadata": {"labels": metadata["labels"]},
                    "spec": pod(image, account.metadata.name, port),
                },
            },
            opts=await_opts,
        )
        k8s.core.v1.Service(
            f"{name}-service",
            metadata=metadata,
            spec={
                "cluster_ip": "None",
                "selector": selector(APP, APP),
                "ports": [{"name": "metrics", "port": port, "target_port": "metrics"}],
            },
            opts=await_opts,
        )
        self.register_outputs({})


def pod(image: str, account: pulumi.Input[str], port: int) -> k8s.core.v1.PodSpecArgsDict:
    """A pod that shares the network and the files of its node, to measure the node and not the pod."""
    return {
        **pod_defaults(account, POD_RESTRICTED),
        "host_network": True,
        "affinity": {"node_affinity": REAL_NODES},
        "tolerations": [{"operator": "Exists"}],
        "containers": [
            {
                "name": APP,
                "image": image,
                "args": [
                    f"--web.listen-address=[$(HOST_IP)]:{port}",
                    "--path.procfs=/host/proc",
                    "--path.sysfs=/host/sys",
                    "--path.rootfs=/host/root",
                    *COLLECTORS,
                ],
                "env": [{"name": "HOST_IP", "value_from": pod_field("status.hostIP")}],
                "ports": [{"name": "metrics", "container_port": port, "host_port": port}],
                **http_probes("/", "metrics"),
                "resources": resources("50m", "32Mi", "180Mi"),
                "security_context": RESTRICTED,
                "volume_mounts": [
                    {"name": "proc", "mount_path": "/host/proc", "read_only": True},
                    {"name": "sys", "mount_path": "/host/sys", "read_only": True},
                    {
                        "name": "root",
                        "mount_path": "/host/root",
                        "read_only": True,
                        "mount_propagation": "HostToContainer",
                    },
                ],
            }
        ],
        "volumes": [
            {"name": "proc", "host_path": {"path": "/proc"}},
            {"name": "sys", "host_path": {"path": "/sys"}},
            {"name": "root", "host_path": {"path": "/"}},
        ],
    }
