"""A Prometheus that the Prometheus Operator runs: its custom resource, and what that refers to."""

import json
from typing import Any, NamedTuple

import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from render.operator import ALERT_RELABEL, ALERTMANAGERS, SCRAPE, Operated, camel
from settings.object_labels import PART_OF
from settings.operator import GROUP

from .labels import labels
from .security import RESTRICTED
from .workload import resources

WAIT_FOR = "pulumi.com/waitFor"
"""Annotation with the conditions that the provider waits for."""


RELOADER = ("/bin/prometheus-config-reloader", "--watched-dir=/etc/prometheus/config")
"""
Command of the container config-reloader, which the operator's arguments follow.

With these alone the reloader watches the configuration file by its inode, which the kubelet replaces with the first
change (thanos-io/thanos#8127): it would find every later one when it looks for changes, once in three minutes.
"""


class Kind(NamedTuple):
    """A kind of custom resource that the operator makes a StatefulSet of."""

    api_version: str
    name: str
    app: str
    """The label app.kubernetes.io/name of its pods."""


SERVER = Kind(f"{GROUP}/v1", "Prometheus", "prometheus")
AGENT = Kind(f"{GROUP}/v1alpha1", "PrometheusAgent", "prometheus-agent")
_REFERENCES = {
    SCRAPE: "additionalScrapeConfigs",
    ALERTMANAGERS: "additionalAlertManagerConfigs",
    ALERT_RELABEL: "additionalAlertRelabelConfigs",
}
_UNLIKE = {"downward_api": "downwardAPI", "exec_": "exec"}
"""Names of fields that follow no rule."""


def operated(
    name: str,
    kind: Kind,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    given: Operated,
    pod: k8s.core.v1.PodSpecArgsDict,
    await_opts: ResourceOptions,
) -> None:
    """
    Make the custom resource for a pod that this program would run itself, and the rules that it evaluates.

    The volume of the pod is named `data`, and is mounted where the operator would have mounted one that it makes: so a
    cluster keeps its samples when it gets an operator, and the volume can be expanded.
    """
    child_opts = ResourceOptions(parent=await_opts.parent)
    app = str(metadata["name"])
    common = {**labels(kind.app, app, str(given.spec["image"])), **given.labels}
    files = k8s.core.v1.Secret(
        f"{name}-files",
        metadata={**metadata, "name": f"{app}-files"},
        string_data={**given.files},
        opts=child_opts,
    )
    rules = [
        k8s.apiextensions.CustomResource(
            f"{name}-rules-{rules}",
            api_version=SERVER.api_version,
            kind="PrometheusRule",
            metadata={**metadata, "name": f"{app}-{rules}", "labels": common},
            spec=spec,
            opts=ResourceOptions.merge(child_opts, ResourceOptions(depends_on=await_opts.depends_on)),
        )
        for rules, spec in given.rules.items()
    ]
    references = {
        field: {"name": files.metadata.name, "key": file} for file, field in _REFERENCES.items() if file in given.files
    }
    conditions = json.dumps(["condition=Reconciled", "condition=Available"])
    k8s.apiextensions.CustomResource(
        f"{name}-prometheus",
        api_version=kind.api_version,
        kind=kind.name,
        metadata={**metadata, "labels": common, "annotations": {WAIT_FOR: conditions}},
        spec={**given.spec, **references, **_pod(pod), "podMetadata": {"labels": PART_OF}},
        opts=ResourceOptions.merge(await_opts, ResourceOptions(depends_on=rules)),
    )


def _pod(spec: k8s.core.v1.PodSpecArgsDict) -> dict[str, Any]:
    """
    The pod as fields of the custom resource.

    What the operator sets by itself is left to it: image, command line and configuration of Prometheus. `containers`
    are merged with its own by their names, and mounts by their paths.
    """
    pod: Any = spec  # plain dictionaries everywhere in components/
    prometheus, *sidecars = pod["containers"]
    mounts = [mount for mount in prometheus["volume_mounts"] if mount["name"] not in _FILES]
    changed = {key: prometheus[key] for key in ("name", *_PROBES, "resources", "security_context")}
    reloader = {"resources": resources("10m", "16Mi", "64Mi"), "security_context": RESTRICTED}
    rest = {key: value for key, value in pod.items() if key not in ("containers", "volumes", _SPREAD)}
    return _camel(
        {
            **rest,
            "volumes": [one for one in pod["volumes"] if isinstance(one, Output) or one["name"] not in _FILES],
            "containers": [
                {**changed, "volume_mounts": mounts},
                {"name": "config-reloader", "command": list(RELOADER), **reloader},
                *sidecars,
            ],
            "init_containers": [{"name": "init-config-reloader", **reloader}],
        }
    )


_FILES = ("config", "rules")
"""Volumes with what the operator renders anew."""
_PROBES = ("startup_probe", "readiness_probe", "liveness_probe")
_SPREAD = "topology_spread_constraints"
"""Of pods whose labels are not ours to choose; there is one."""


def _camel(value: Any) -> Any:
    """Fields with the names that they have in Kubernetes, which Pulumi translates for its own types only."""
    if isinstance(value, Output):
        return value.apply(_camel)
    if isinstance(value, dict):
        return {_UNLIKE.get(key) or camel(key): _camel(one) for key, one in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
