"""Puts what the stack file says about workloads, and limits of all containers, into the pods of all components."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pulumi import ResourceTransformationArgs, ResourceTransformationResult

from components.k8s.labels import pods_of_app
from render.alertmanager import APP as ALERTMANAGER
from render.alertmanager import RELOADER
from render.operator import camel
from render.thanos.names import FRONTEND, SIDECAR
from settings import ContainerLimits, Fleet
from settings.agent import AGENT
from settings.pod_fields import quantity
from settings.workloads import Workloads, component_of, fields_of, resources_of

from .operators import OF_OPERATORS

WORKLOADS = frozenset(f"kubernetes:apps/v1:{kind}" for kind in ("DaemonSet", "Deployment", "StatefulSet"))
"""Types of resources with a pod template."""
OPERATED = frozenset(OF_OPERATORS)
"""Types that the Prometheus Operator makes pods of."""
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
SCRATCH = "32Mi"
"""Ephemeral storage that a container requests: a log before rotation, and small files."""
_SIDECARS = {
    "config-reloader": "config_reloader",
    "envoy": "envoy",
    "init-config-reloader": "config_reloader",
    "kube-rbac-proxy": "kube_rbac_proxy",
    RELOADER: "config_reloader",
    FRONTEND: "thanos_query_frontend",
    SIDECAR: "thanos_sidecar",
}
"""Name of a container, or the beginning of several -> its settings; another one is its component's main container."""
_OF_METADATA = {"pod_labels": "labels", "pod_annotations": "annotations"}
_OF_ACCOUNTS = "service_account_annotations"


class _PodSettings(NamedTuple):
    """What the stack file says of the pods of one app."""

    app: str
    fields: Mapping[str, Any]
    """Of its component, by their names in `Component`."""
    layers: Sequence[Workloads]
    """Of the stack and of the cluster, for containers that run beside others."""
    limits: ContainerLimits


def placed(fleet: Fleet, cluster: str) -> Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]:
    """Return a transformation of every workload in a cluster, of those of the Prometheus Operator, and of accounts."""
    layers = (fleet.workloads, fleet.clusters[cluster].workloads)
    of_pods = {AGENT, ALERTMANAGER, *([fleet.server.app] if fleet.server else [])}

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if args.type_ not in {ACCOUNT, *WORKLOADS, *OPERATED}:
            return None
        metadata: Any = args.props["metadata"]  # plain dictionaries everywhere in components/
        app = metadata["name"]
        if args.type_ == ACCOUNT:
            if app not in of_pods:
                return None
            return ResourceTransformationResult({**args.props, "metadata": _of_account(metadata, layers)}, args.opts)
        spec: Any = args.props["spec"]
        settings = _PodSettings(app, fields_of(component_of(app), layers), layers, fleet.limits)
        if args.type_ in OPERATED:
            changed = {**_pod(spec, settings, camel), "podMetadata": _metadata(spec["podMetadata"], settings.fields)}
        else:
            template = spec["template"]
            metadata, pod = _metadata(template["metadata"], settings.fields), _pod(template["spec"], settings, str)
            changed = {**spec, "template": {**template, "metadata": metadata, "spec": pod}}
        return ResourceTransformationResult({**args.props, "spec": changed}, args.opts)

    return transform


def _of_account(metadata: Mapping[str, Any], layers: Sequence[Workloads]) -> Mapping[str, Any]:
    """The metadata of the ServiceAccount of pods that talk to clouds."""
    written = fields_of(component_of(metadata["name"]), layers).get(_OF_ACCOUNTS, {})
    return {**metadata, "annotations": {**metadata.get("annotations", {}), **written}} if written else metadata


def _metadata(metadata: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    added = {key: {**metadata.get(key, {}), **fields[name]} for name, key in _OF_METADATA.items() if name in fields}
    return {**metadata, **added}


def _pod(pod: Mapping[str, Any], settings: _PodSettings, spelling: Callable[[str], str]) -> dict[str, Any]:
    """The fields of a pod with those of the stack file; `spelling` gives the name of a field as this pod has it."""
    elsewhere = {*_OF_METADATA, _OF_ACCOUNTS, "resources", "proxy"}
    added = {spelling(name): value for name, value in settings.fields.items() if name not in elsewhere}
    selector, spread = spelling("node_selector"), spelling("topology_spread_constraints")
    if selector in added:
        added[selector] = {**added[selector], **pod[selector]}
    if spread in added:
        own = {"labelSelector": {"matchLabels": pods_of_app(settings.app)}}
        added[spread] = [{**own, **constraint} for constraint in added[spread]]
    lists = [name for name in ("containers", spelling("init_containers")) if name in pod]
    return {**pod, **added, **{name: [_container(one, settings) for one in pod[name]] for name in lists}}


def _container(container: Mapping[str, Any], settings: _PodSettings) -> dict[str, Any]:
    """
    A container with the limits of all, over them the resources of its component, and the variables of a proxy.

    One that talks to nothing but its pod and the API server gets none of these variables.
    """
    name = str(container["name"])
    sidecar = _SIDECARS.get("kube-rbac-proxy" if name.startswith("kube-rbac-proxy-") else name)
    written = resources_of(sidecar, settings.layers) if sidecar else settings.fields.get("resources")
    resources = _bounded(container["resources"], settings.limits)
    changed = {**container, "resources": merged(resources, written) if written else resources}
    proxy = settings.fields.get("proxy")
    if proxy and sidecar in (None, "thanos_sidecar"):
        variables = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url, "NO_PROXY": proxy.exempt}
        added = [{"name": variable, "value": value} for variable, value in variables.items()]
        changed["env"] = [*container.get("env", ()), *added]
    return changed


def _bounded(resources: Mapping[str, Mapping[str, str]], limits: ContainerLimits) -> dict[str, dict[str, str]]:
    """Return requests and limits of a container with the limits of all, for a ResourceQuota that requires them."""
    requests, most = dict(resources["requests"]), dict(resources["limits"])
    if limits.cpu:
        most["cpu"] = str(limits.cpu)
    if limits.ephemeral_storage:
        requests["ephemeral-storage"], most["ephemeral-storage"] = SCRATCH, limits.ephemeral_storage
    return {"requests": requests, "limits": most}


def merged(ours: Mapping[str, Mapping[str, str]], written: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """
    Return what is written, and ours for the rest.

    Where ours would be a request above a written limit, or a limit below a written request, it is equal to that.
    """
    requests, limits = (
        {**ours[kind], **{name: str(amount) for name, amount in written.get(kind, {}).items()}}
        for kind in ("requests", "limits")
    )
    for name in requests.keys() & limits.keys():
        if quantity(requests[name]) > quantity(limits[name]):
            if name in written.get("requests", {}):
                limits[name] = requests[name]
            else:
                requests[name] = limits[name]
    return {"requests": requests, "limits": limits}
