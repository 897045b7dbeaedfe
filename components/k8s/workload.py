"""StatefulSets, Deployments, and defaults of pods."""

from collections.abc import Mapping
from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .labels import selector
from .volume import claim

VOLUME = "data"


def resources(cpu: str, memory: str, memory_limit: str) -> k8s.core.v1.ResourceRequirementsArgsDict:
    """
    Requests, and a limit for memory only: a CPU limit throttles scrapes and probes on an idle node.

    For a ResourceQuota that requires one, the stack file sets it for all containers.
    """
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory_limit}}


class PodDefaults(TypedDict):
    """Fields of a pod's spec that all components set."""

    service_account_name: pulumi.Input[str]
    automount_service_account_token: bool
    node_selector: dict[str, str]
    enable_service_links: bool
    security_context: k8s.core.v1.PodSecurityContextArgsDict


def pod_defaults(
    account: pulumi.Input[str], security: k8s.core.v1.PodSecurityContextArgsDict, *, token: bool = False
) -> PodDefaults:
    """Return these fields; with `token`, the account's token is mounted into every container."""
    return {
        "service_account_name": account,
        "automount_service_account_token": token,
        "node_selector": {"kubernetes.io/os": "linux"},
        "enable_service_links": False,
        "security_context": security,
    }


def pod_field(field: str) -> k8s.core.v1.EnvVarSourceArgsDict:
    """
    Source of an environment variable: a field of the pod.

    `api_version` is explicit because the API server adds it as a default. Without it, an apply by another field
    manager, as after a crash, would conflict over the field.
    """
    return {"field_ref": {"api_version": "v1", "field_path": field}}


def stateful_set(
    name: str,
    app: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    pod: k8s.core.v1.PodSpecArgsDict,
    opts: ResourceOptions,
) -> k8s.apps.v1.StatefulSet:
    """
    Run one pod, which is gone before its successor starts: two would write to one volume.

    A Deployment with the strategy Recreate would do as well, but the provider takes the moment without pods for the end
    of the rollout, and would not notice that the new pod never starts.

    Its governing Service has the app's name. It is given by name, without a dependency: the provider waits for a
    Service that is not headless until it has pods, and the pods would wait for the Service.
    """
    return k8s.apps.v1.StatefulSet(
        f"{name}-statefulset",
        metadata=metadata,
        spec={
            "replicas": 1,
            "service_name": app,
            "pod_management_policy": "Parallel",  # with OrderedReady, a pod that never starts is never replaced
            "selector": {"match_labels": selector(app, app)},
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": pod},
        },
        opts=opts,
    )


def deployment(
    name: str,
    app: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    pod: k8s.core.v1.PodSpecArgsDict,
    opts: ResourceOptions,
    count: int = 1,
    pod_labels: Mapping[str, str] | None = None,
) -> k8s.apps.v1.Deployment:
    """
    Run `count` pods without state; where the node of one is dead, another one is made.

    An update makes a new pod before an old one ends, and keeps the old one where the new one does not start.
    `pod_labels` are all labels of the pods, those of `metadata` if left out.
    """
    return k8s.apps.v1.Deployment(
        f"{name}-deployment",
        metadata=metadata,
        spec={
            "replicas": count,
            "selector": {"match_labels": selector(app, app)},
            "template": {"metadata": {"labels": pod_labels or metadata["labels"]}, "spec": pod},
        },
        opts=opts,
    )


def spread(app: str) -> list[k8s.core.v1.TopologySpreadConstraintArgsDict]:
    """Prefer different nodes for the pods of an app."""
    return [
        {
            "max_skew": 1,
            "topology_key": "kubernetes.io/hostname",
            "when_unsatisfiable": "ScheduleAnyway",
            "label_selector": {"match_labels": selector(app, app)},
        }
    ]


def budget(name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, app: str, child_opts: ResourceOptions) -> None:
    """Make a PodDisruptionBudget that lets one pod of an app be evicted at a time."""
    k8s.policy.v1.PodDisruptionBudget(
        f"{name}-budget",
        metadata=metadata,
        spec={"max_unavailable": 1, "selector": {"match_labels": selector(app, app)}},
        opts=child_opts,
    )


def replica_claim(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    number: int,
    storage: pulumi.Input[str],
    storage_class: pulumi.Input[str] | None,
    opts: ResourceOptions,
) -> k8s.core.v1.PersistentVolumeClaim:
    """Make the volume of one of the replicas of an app."""
    claimed: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{VOLUME}-{metadata['name']}-{number}"}
    return claim(f"{name}-{number}", claimed, storage, storage_class, opts)


def replicas(
    name: str,
    app: str,
    count: int,
    *,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    pod: k8s.core.v1.PodSpecArgsDict,
    peers: pulumi.Input[str],
    storage: pulumi.Input[str],
    storage_class: pulumi.Input[str] | None,
    opts: ResourceOptions,
    pod_labels: Mapping[str, str] | None = None,
) -> k8s.apps.v1.StatefulSet:
    """
    Run `count` pods that find each other through the headless Service `peers`; one at a time may be evicted.

    The volumes are PersistentVolumeClaims of their own, with the names of those of the StatefulSet's template: they can
    be expanded in place, where a changed template would replace the StatefulSet. `pod_labels` are all labels of the
    pods, those of `metadata` if left out.
    """
    claims = [replica_claim(name, metadata, number, storage, storage_class, opts) for number in range(count)]
    budget(name, metadata, app, ResourceOptions(parent=opts.parent))
    adopting = ResourceOptions(depends_on=claims, ignore_changes=["spec.volumeClaimTemplates"])
    return k8s.apps.v1.StatefulSet(
        f"{name}-statefulset",
        metadata=metadata,
        spec={
            "replicas": count,
            "service_name": peers,
            "pod_management_policy": "Parallel",  # with OrderedReady, a pod that never starts is never replaced
            "selector": {"match_labels": selector(app, app)},
            "template": {"metadata": {"labels": pod_labels or metadata["labels"]}, "spec": pod},
            "volume_claim_templates": [
                {
                    "api_version": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": VOLUME},
                    "spec": {
                        "access_modes": ["ReadWriteOnce"],
                        "volume_mode": "Filesystem",
                        "resources": {"requests": {"storage": storage}},
                        **({"storage_class_name": storage_class} if storage_class else {}),
                    },
                    "status": {"phase": "Pending"},
                }
            ],
        },
        opts=ResourceOptions.merge(opts, adopting),
    )
