"""StatefulSets with one pod or several, and what their pods have in common."""

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

    Where a quota wants one, the stack file says it for all containers.
    """
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory_limit}}


class PodDefaults(TypedDict):
    """The part of a pod's spec that all components have."""

    service_account_name: pulumi.Input[str]
    automount_service_account_token: bool
    node_selector: dict[str, str]
    enable_service_links: bool
    security_context: k8s.core.v1.PodSecurityContextArgsDict


def pod_defaults(
    account: pulumi.Input[str], security: k8s.core.v1.PodSecurityContextArgsDict, *, token: bool = False
) -> PodDefaults:
    """Return that part; `token` mounts the account's token into every container."""
    return {
        "service_account_name": account,
        "automount_service_account_token": token,
        "node_selector": {"kubernetes.io/os": "linux"},
        "enable_service_links": False,
        "security_context": security,
    }


def of_the_pod(field: str) -> k8s.core.v1.EnvVarSourceArgsDict:
    """
    Take a variable from a field of the pod.

    The API's version is said because the server adds it: whoever creates the object again under another manager's name,
    as after a crash, would be refused for what they did not say.
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
    Run one pod, which is gone before its successor starts.

    Two would write to one volume, or count everything twice. A Deployment that recreates its pod would do, but the
    provider takes the moment without pods for its end, and does not see that the new one never starts.

    Its governing Service has the app's name. Only the name is said: the pods must not wait for a Service that waits for
    pods, as one that is not headless does.
    """
    return k8s.apps.v1.StatefulSet(
        f"{name}-statefulset",
        metadata=metadata,
        spec={
            "replicas": 1,
            "service_name": app,
            "pod_management_policy": "Parallel",  # in order, a pod that never starts is never replaced
            "selector": {"match_labels": selector(app, app)},
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": pod},
        },
        opts=opts,
    )


def spread(app: str) -> list[k8s.core.v1.TopologySpreadConstraintArgsDict]:
    """Keep the pods on different nodes where there are any."""
    return [
        {
            "max_skew": 1,
            "topology_key": "kubernetes.io/hostname",
            "when_unsatisfiable": "ScheduleAnyway",
            "label_selector": {"match_labels": selector(app, app)},
        }
    ]


def budget(name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, app: str, child_opts: ResourceOptions) -> None:
    """Let one pod of an app at a time be disturbed."""
    k8s.policy.v1.PodDisruptionBudget(
        f"{name}-budget",
        metadata=metadata,
        spec={"max_unavailable": 1, "selector": {"match_labels": selector(app, app)}},
        opts=child_opts,
    )


def replicas(
    name: str,
    app: str,
    count: int,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    pod: k8s.core.v1.PodSpecArgsDict,
    peers: pulumi.Input[str],
    storage: pulumi.Input[str],
    storage_class: pulumi.Input[str] | None,
    opts: ResourceOptions,
) -> k8s.apps.v1.StatefulSet:
    """
    Run `count` pods that find each other through the headless Service `peers`; one at a time may be disturbed.

    The volumes are claims of their own, under the names by which the StatefulSet takes them for its template's: they
    grow in place, where a changed template would replace the StatefulSet.
    """
    claims = [
        claim(f"{name}-{number}", {**metadata, "name": f"{VOLUME}-{app}-{number}"}, storage, storage_class, opts)
        for number in range(count)
    ]
    budget(name, metadata, app, ResourceOptions(parent=opts.parent))
    adopting = ResourceOptions(depends_on=claims, ignore_changes=["spec.volumeClaimTemplates"])
    return k8s.apps.v1.StatefulSet(
        f"{name}-statefulset",
        metadata=metadata,
        spec={
            "replicas": count,
            "service_name": peers,
            "pod_management_policy": "Parallel",  # in order, a pod that never starts is never replaced
            "selector": {"match_labels": selector(app, app)},
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": pod},
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
