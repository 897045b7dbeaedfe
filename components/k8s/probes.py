"""Probes of containers."""

import pulumi_kubernetes as k8s

from render.prometheus.flags import LONGEST_START

STARTING: k8s.core.v1.ProbeArgsDict = {"period_seconds": 2, "failure_threshold": 60}
"""Startup probe with a short period: with the readiness probe alone, a rollout would wait for its whole period."""
REPLAYING: k8s.core.v1.ProbeArgsDict = {"period_seconds": 2, "failure_threshold": LONGEST_START // 2}
"""The same for whoever reads its write-ahead log or its blocks first."""


def http_probes(path: str, port: str, *, https: bool = False) -> dict[str, k8s.core.v1.ProbeArgsDict]:
    """Return probes of a server that listens on the pod's address, by a path that answers 200 while it is healthy."""
    request: k8s.core.v1.HTTPGetActionArgsDict = {"path": path, "port": port}
    if https:
        request["scheme"] = "HTTPS"
    return {
        "startup_probe": {"http_get": request, **STARTING},
        "readiness_probe": {"http_get": request},
        "liveness_probe": {"http_get": request, "period_seconds": 30},
    }


def exec_probes(upstream: str) -> dict[str, k8s.core.v1.ProbeArgsDict]:
    """
    Probes of a server that listens on loopback, as commands in its container.

    The kubelet connects from outside, where only the auth proxy listens, and kube-rbac-proxy supports either
    `--allow-paths` or paths without authentication, but not both. The image must have wget in its PATH, as
    those of the Prometheus project and of Thanos do.
    """

    def get(path: str) -> k8s.core.v1.ProbeArgsDict:
        command = ["wget", "-q", "-O", "/dev/null", f"http://{upstream}{path}"]
        return {"exec_": {"command": command}, "timeout_seconds": 5}

    return {
        "startup_probe": {**get("/-/ready"), **STARTING},
        "readiness_probe": {**get("/-/ready"), "period_seconds": 15},
        "liveness_probe": {**get("/-/healthy"), "period_seconds": 30, "failure_threshold": 4},
    }
