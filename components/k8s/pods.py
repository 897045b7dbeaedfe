"""What the pods of every component have in common: restricted, read-only, bounded."""

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .labels import selector

USER = 65534
"""nobody, as in the images of the Prometheus project."""

RESTRICTED: k8s.core.v1.SecurityContextArgsDict = {
    "allow_privilege_escalation": False,
    "capabilities": {"drop": ["ALL"]},
    "read_only_root_filesystem": True,
    "run_as_non_root": True,
}

POD_RESTRICTED: k8s.core.v1.PodSecurityContextArgsDict = {
    "run_as_non_root": True,
    "run_as_user": USER,
    "run_as_group": USER,
    "seccomp_profile": {"type": "RuntimeDefault"},
}

POD_WITH_VOLUME: k8s.core.v1.PodSecurityContextArgsDict = {
    **POD_RESTRICTED,
    "fs_group": USER,
    "fs_group_change_policy": "OnRootMismatch",
}


STARTING: k8s.core.v1.ProbeArgsDict = {"period_seconds": 2, "failure_threshold": 60}
"""How a container is asked that starts; what waits for it would wait for a whole period of its readiness otherwise."""


def resources(cpu: str, memory: str, memory_limit: str) -> k8s.core.v1.ResourceRequirementsArgsDict:
    """
    Requests, and a limit for memory only: a CPU limit throttles scrapes and probes on an idle node.

    Where a quota wants one, the stack file says it for all containers.
    """
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory_limit}}


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


def asked_inside(upstream: str) -> dict[str, k8s.core.v1.ProbeArgsDict]:
    """
    Probes of a server that listens on loopback, asked from inside its container.

    The kubelet comes from outside, where only the door listens; and a door leads either to nothing but the paths that
    it names, or to some without asking who comes, never both. So that the image must have a wget, as those of the
    Prometheus project and of Thanos do; wherever it lies in the PATH.
    """

    def asks(path: str) -> k8s.core.v1.ProbeArgsDict:
        command = ["wget", "-q", "-O", "/dev/null", f"http://{upstream}{path}"]
        return {"exec_": {"command": command}, "timeout_seconds": 5}

    return {
        "startup_probe": {**asks("/-/ready"), **STARTING},
        "readiness_probe": {**asks("/-/ready"), "period_seconds": 15},
        "liveness_probe": {**asks("/-/healthy"), "period_seconds": 30, "failure_threshold": 4},
    }


def of_the_pod(field: str) -> k8s.core.v1.EnvVarSourceArgsDict:
    """
    Take a variable from a field of the pod.

    The API's version is said because the server adds it: whoever creates the object again under another manager's name,
    as after a crash, would be refused for what they did not say.
    """
    return {"field_ref": {"api_version": "v1", "field_path": field}}
