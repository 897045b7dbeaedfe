"""How the kubelet asks a container whether it is there."""

import pulumi_kubernetes as k8s

STARTING: k8s.core.v1.ProbeArgsDict = {"period_seconds": 2, "failure_threshold": 60}
"""How a container is asked that starts; what waits for it would wait for a whole period of its readiness otherwise."""


def exec_probes(upstream: str) -> dict[str, k8s.core.v1.ProbeArgsDict]:
    """
    Probes of a server that listens on loopback, asked from inside its container.

    The kubelet comes from outside, where only the auth proxy listens, which leads either to its named paths or to paths
    without authentication, never to both. The image must have a wget, wherever in its PATH, as those of the Prometheus
    project and of Thanos do.
    """

    def asks(path: str) -> k8s.core.v1.ProbeArgsDict:
        command = ["wget", "-q", "-O", "/dev/null", f"http://{upstream}{path}"]
        return {"exec_": {"command": command}, "timeout_seconds": 5}

    return {
        "startup_probe": {**asks("/-/ready"), **STARTING},
        "readiness_probe": {**asks("/-/ready"), "period_seconds": 15},
        "liveness_probe": {**asks("/-/healthy"), "period_seconds": 30, "failure_threshold": 4},
    }
