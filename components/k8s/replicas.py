"""Several equal pods, each with a name, a volume and, if it can be had, a node of its own."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .labels import selector
from .scraper import claim

VOLUME = "data"


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


def budget(name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, app: str, child: ResourceOptions) -> None:
    """Let one pod of an app at a time be disturbed."""
    k8s.policy.v1.PodDisruptionBudget(
        f"{name}-budget",
        metadata=metadata,
        spec={"max_unavailable": 1, "selector": {"match_labels": selector(app, app)}},
        opts=child,
    )


def replicas(
    name: str,
    app: str,
    count: int,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    pod: k8s.core.v1.PodSpecArgsDict,
    mesh: pulumi.Input[str],
    storage: pulumi.Input[str],
    storage_class: pulumi.Input[str] | None,
    opts: ResourceOptions,
) -> k8s.apps.v1.StatefulSet:
    """
    Run `count` pods that find each other through the headless Service `mesh`; one at a time may be disturbed.

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
            "service_name": mesh,
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
