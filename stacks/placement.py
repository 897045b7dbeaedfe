"""Puts what the stack file says about workloads into the pods of all components."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pulumi import ResourceTransformationArgs, ResourceTransformationResult

from components.k8s.labels import pods_of_app
from render.operator import camel
from settings import Fleet
from settings.pod_fields import quantity
from settings.workloads import Proxy, Workloads, component_of, fields_of, resources_of

from .limits import OPERATED, WORKLOADS

_BESIDE = {
    "config-reloader": "config_reloader",
    "envoy": "envoy",
    "init-config-reloader": "config_reloader",
    "kube-rbac-proxy": "kube_rbac_proxy",
    "reloader": "config_reloader",
    "thanos-query-frontend": "thanos_query_frontend",
    "thanos-sidecar": "thanos_sidecar",
}
"""Name of a container, or the beginning of several -> its settings; another one is its component's main container."""
_OF_METADATA = {"pod_labels": "labels", "pod_annotations": "annotations"}


def placed(fleet: Fleet, cluster: str) -> Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]:
    """Return a transformation of every workload in a cluster, and of those that the Prometheus Operator runs."""
    layers = (fleet.workloads, fleet.clusters[cluster].workloads)

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if args.type_ not in {*WORKLOADS, *OPERATED}:
            return None
        metadata: Any = args.props["metadata"]  # plain dictionaries everywhere in components/
        spec: Any = args.props["spec"]
        app = metadata["name"]
        fields = fields_of(component_of(app), layers)
        if args.type_ in OPERATED:
            changed = {
                **_pod(spec, fields, app, layers, camel),
                "podMetadata": _metadata(spec["podMetadata"], fields),
            }
        else:
            template = spec["template"]
            pod = _pod(template["spec"], fields, app, layers, str)
            changed = {
                **spec,
                "template": {**template, "metadata": _metadata(template["metadata"], fields), "spec": pod},
            }
        return ResourceTransformationResult({**args.props, "spec": changed}, args.opts)

    return transform


def _metadata(metadata: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    added = {key: {**metadata.get(key, {}), **fields[name]} for name, key in _OF_METADATA.items() if name in fields}
    return {**metadata, **added}


def _pod(
    pod: Mapping[str, Any],
    fields: Mapping[str, Any],
    app: str,
    layers: Sequence[Workloads],
    spelt: Callable[[str], str],
) -> dict[str, Any]:
    """The fields of a pod with those of the stack file; `spelt` gives the name of a field as this pod has it."""
    beside = {*_OF_METADATA, "resources", "proxy"}
    added = {spelt(name): value for name, value in fields.items() if name not in beside}
    selector, spread = spelt("node_selector"), spelt("topology_spread_constraints")
    if selector in added:
        added[selector] = {**added[selector], **pod[selector]}
    if spread in added:
        own = {"labelSelector": {"matchLabels": pods_of_app(app)}}
        added[spread] = [{**own, **constraint} for constraint in added[spread]]
    lists = [name for name in ("containers", spelt("init_containers")) if name in pod]
    changed = {
        name: [_proxied(_sized(one, fields.get("resources"), layers), fields.get("proxy")) for one in pod[name]]
        for name in lists
    }
    return {**pod, **added, **changed}


def _proxied(container: dict[str, Any], proxy: Proxy | None) -> dict[str, Any]:
    """A container with the variables of a proxy, unless it talks to nothing but its pod and the API server."""
    if proxy is None or _beside(container) not in (None, "thanos_sidecar"):
        return container
    variables = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url, "NO_PROXY": proxy.exempt}
    return {
        **container,
        "env": [*container.get("env", ()), *({"name": name, "value": value} for name, value in variables.items())],
    }


def _beside(container: Mapping[str, Any]) -> str | None:
    """The settings of a container that runs beside others; none of a main container."""
    name = str(container["name"])
    return _BESIDE.get("kube-rbac-proxy" if name.startswith("kube-rbac-proxy-") else name)


def _sized(
    container: Mapping[str, Any], of_component: Mapping[str, Any] | None, layers: Sequence[Workloads]
) -> dict[str, Any]:
    beside = _beside(container)
    written = resources_of(beside, layers) if beside else of_component
    return {**container, "resources": merged(container["resources"], written)} if written else dict(container)


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
