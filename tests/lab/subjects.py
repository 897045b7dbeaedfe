"""One of each thing that rules and dashboards speak of, where a bare cluster has none."""

from collections.abc import Iterator, Sequence
from typing import Any

from .workloads import IMAGE, NAMESPACE, exporter

COUNTED = {
    "http_server_requests_seconds_count": 'status="200",uri="/cart"',
    "http_server_requests_seconds_sum": 'status="200",uri="/cart"',
    "jvm_gc_pause_seconds_sum": 'cause="full"',
    "jvm_gc_pause_seconds_count": 'cause="full"',
    "logback_events_total": 'level="error"',
}
MEASURED = (
    'jvm_memory_used_bytes{area="heap",id="eden"}',
    'jvm_memory_used_bytes{area="nonheap",id="metaspace"}',
    'jvm_memory_max_bytes{area="heap",id="eden"}',
    "jvm_threads_live_threads",
    'jvm_threads_states_threads{state="runnable"}',
    'hikaricp_connections_active{pool="db"}',
    'hikaricp_connections_max{pool="db"}',
    "process_cpu_usage",
    "process_files_max_files",
    "process_files_open_files",
    "process_uptime_seconds",
)
JVM = "\n".join(
    [
        "#!/bin/sh",
        "printf 'Content-Type: text/plain; version=0.0.4\\n\\n'",
        *(f"printf '{name}{{{labels}}} %s\\n' $(date +%s)" for name, labels in COUNTED.items()),
        *(f"printf '{series} 7\\n'" for series in MEASURED),
    ]
)
"""Exposes what Micrometer does of a Java program."""


def objects() -> Iterator[dict[str, Any]]:
    """All of it, a Java program first."""
    yield from exporter("jvm", JVM, "15s")
    meta = {"namespace": NAMESPACE}
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "work", "image": IMAGE, "command": ["/bin/busybox", "true"]}],
    }
    limited = {
        "name": "limited",
        "image": IMAGE,
        "command": ["/bin/busybox", "sleep", "86400"],
        "resources": {"limits": {"cpu": "50m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    yield {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**meta, "name": "once"},
        "spec": {"template": {"spec": pod}},
    }
    failing = {**pod, "containers": [{**pod["containers"][0], "command": ["/bin/busybox", "false"]}]}
    yield {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**meta, "name": "fails"},
        "spec": {"backoffLimit": 0, "template": {"spec": failing}},
    }
    yield {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {**meta, "name": "yearly"},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }
    yield {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {**meta, "name": "jvm"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "jvm"},
            "minReplicas": 1,
            "maxReplicas": 2,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
    }
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {**meta, "name": "jvm"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "jvm"}}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {**meta, "name": "all"},
        "spec": {"hard": {"pods": "50"}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**meta, "name": "limited"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "name": "limited"},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [limited],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "limited"}}],
        },
    }
    yield lone_pod("crashes", ["false"])
    yield lone_pod("waits", ["true"], image="lab.local/busybox:never")
    yield lone_pod("homeless", ["sleep", "86400"], nodeSelector={"lab.local/no-such-node": ""})


def lone_pod(name: str, command: Sequence[str], image: str = IMAGE, **spec: Any) -> dict[str, Any]:
    """A pod of one container that nothing else makes or mends."""
    container = {"name": name, "image": image, "command": ["/bin/busybox", *command]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": NAMESPACE, "name": name},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec},
    }
