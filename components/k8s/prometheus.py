"""RBAC and container that Prometheus has as a server and as an agent."""

from collections.abc import Sequence
from posixpath import dirname

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.prometheus.flags import CONFIG_FILE, DATA, LISTEN
from render.scrape.annotated import AUTHORITY
from render.scrape.user_jobs import FOLDER
from settings.scrape_credentials import MountedFile

from .probes import REPLAYING
from .security import RESTRICTED
from .service_account import bind_cluster_role, bind_role, service_account
from .volume import Mounted, projections
from .workload import pod_field, resources

_READ_BY_GROUP = 0o440
"""Mode of files for the pod's user, who is in the group that its volumes have."""
CONFIG = dirname(CONFIG_FILE)


_ENDPOINTS: k8s.rbac.v1.PolicyRuleArgsDict = {
    "api_groups": ["discovery.k8s.io"],
    "resources": ["endpointslices"],
    "verbs": ["list", "watch"],
}
DISCOVERY: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    {"api_groups": [""], "resources": ["nodes", "pods", "services"], "verbs": ["list", "watch"]},
    _ENDPOINTS,
]
_IN_NAMESPACE: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    {"api_groups": [""], "resources": ["pods", "services"], "verbs": ["list", "watch"]},
    _ENDPOINTS,
]
NODE_METRICS: k8s.rbac.v1.PolicyRuleArgsDict = {
    "api_groups": [""],
    "resources": ["nodes/metrics"],
    "verbs": ["get"],
}
"""Of a kubelet that is asked at its node."""
API_METRICS: k8s.rbac.v1.PolicyRuleArgsDict = {
    "non_resource_urls": ["/metrics", "/metrics/slis"],
    "verbs": ["get"],
}
"""Of the API server itself."""
RULES = [*DISCOVERY, NODE_METRICS, API_METRICS]
"""Discovery and metrics; never nodes/proxy, whose holder can run commands in any pod."""
_OUTSIDE_NAMESPACES: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    {"api_groups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]},
    NODE_METRICS,
    API_METRICS,
]
"""What is left of them in the whole cluster, where the rest is in Roles."""


def scrape_account(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    wide_name: str,
    discovered: Sequence[tuple[str, str]],
    namespaces: Sequence[str] | None,
    child_opts: ResourceOptions,
) -> k8s.core.v1.ServiceAccount:
    """
    Make a ServiceAccount with the right to discover and scrape the targets in its cluster, and no other right.

    `discovered` has API group and resource of what people's own jobs discover by beside it; `namespaces` are those
    whose targets it may discover, all if None.
    """
    rules: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
        {"api_groups": [group], "resources": [resource], "verbs": ["list", "watch"]} for group, resource in discovered
    ]
    account = service_account(f"{name}-account", metadata, child_opts)
    cluster_scoped: k8s.meta.v1.ObjectMetaArgsDict = {"name": f"{wide_name}-scrape", "labels": metadata["labels"]}
    everywhere = RULES if namespaces is None else _OUTSIDE_NAMESPACES
    allow_scrapes(name, cluster_scoped, [*everywhere, *rules], account.metadata.name, metadata["namespace"], child_opts)
    for namespace in namespaces or ():
        within: k8s.meta.v1.ObjectMetaArgsDict = {**cluster_scoped, "namespace": namespace}
        role = k8s.rbac.v1.Role(f"{name}-discover-{namespace}", metadata=within, rules=_IN_NAMESPACE, opts=child_opts)
        bind_role(
            f"{name}-discover-{namespace}",
            within,
            role.metadata.name,
            account.metadata.name,
            child_opts,
            account_namespace=metadata["namespace"],
        )
    return account


def allow_scrapes(
    name: str,
    cluster_scoped: k8s.meta.v1.ObjectMetaArgsDict,
    rules: Sequence[k8s.rbac.v1.PolicyRuleArgsDict],
    account: pulumi.Input[str],
    namespace: pulumi.Input[str],
    child_opts: ResourceOptions,
) -> None:
    """Give a ServiceAccount of a namespace these rights in the whole cluster."""
    role = k8s.rbac.v1.ClusterRole(f"{name}-scrape-role", metadata=cluster_scoped, rules=[*rules], opts=child_opts)
    bind_cluster_role(f"{name}-scrape", cluster_scoped, role.metadata.name, account, namespace, child_opts)


def targets_ca(config_map: pulumi.Input[str] | None) -> Mounted:
    """The volume with the CA of annotated targets, if there is one."""
    if config_map is None:
        return Mounted([], [])
    return Mounted(
        [{"name": "targets", "config_map": {"name": config_map}}],
        [{"name": "targets", "mount_path": dirname(AUTHORITY), "read_only": True}],
    )


def job_files(files: Sequence[MountedFile]) -> Mounted:
    """
    The volume with all that people's own jobs read, if there is anything.

    Only the keys that are named are mounted; a change of their values is there within a minute or two, without a
    restart.
    """
    if not files:
        return Mounted([], [])
    return Mounted(
        [{"name": "jobs", "projected": {"default_mode": _READ_BY_GROUP, "sources": projections(files)}}],
        [{"name": "jobs", "mount_path": FOLDER, "read_only": True}],
    )


def container(
    image: str,
    flags: Sequence[str],
    memory: tuple[str, str],
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
) -> k8s.core.v1.ContainerArgsDict:
    """Prometheus, which listens on loopback, so that its probes are commands in the container."""
    return {
        "name": "prometheus",
        "image": image,
        "args": list(flags),
        "env": [{"name": "POD_NAME", "value_from": pod_field("metadata.name")}],
        "resources": resources("100m", *memory),
        "security_context": RESTRICTED,
        "startup_probe": {**_probe("ready"), **REPLAYING},
        "readiness_probe": {**_probe("ready"), "period_seconds": 15},
        "liveness_probe": {**_probe("healthy"), "period_seconds": 30, "failure_threshold": 4},
        "volume_mounts": [
            {"name": "config", "mount_path": CONFIG, "read_only": True},
            {"name": "data", "mount_path": DATA},
            *mounts,
        ],
    }


def _probe(state: str) -> k8s.core.v1.ProbeArgsDict:
    command = ["promtool", "check", state, f"--url=http://{LISTEN}"]
    return {"exec_": {"command": command}, "timeout_seconds": 5}
