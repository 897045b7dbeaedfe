"""Small programs that the tests run in the lab's clusters."""

from typing import Any

IMAGE = "lab.local/busybox:1"
NAMESPACE = "promfleet-oracle"

ORACLE = """#!/bin/sh
printf 'Content-Type: text/plain; version=0.0.4\\n\\n'
printf '# TYPE oracle_seconds_total counter\\noracle_seconds_total %s\\n' "$(date +%s)"
"""
"""Counts the seconds of the clock, so that a stored sample tells what it should be."""

IMPOSTOR = """#!/bin/sh
printf 'Content-Type: text/plain; version=0.0.4\\n\\n'
printf 'impostor_claims{cluster="hub"} 1\\n'
"""

QUEUES = """#!/bin/sh
printf 'Content-Type: text/plain; version=0.0.4\\n\\n'
printf 'queue_size{replica="r1",tenant_id="a"} 5\\nqueue_size{replica="r2",tenant_id="a"} 700\\n'
printf 'queue_size{replica="r2",tenant_id="b"} 0\\n'
"""
"""Has replicas and tenants of its own, as databases do."""


def exporter(
    name: str, script: str, interval: str, labels: dict[str, str] | None = None, namespace: str = NAMESPACE
) -> list[dict[str, Any]]:
    """A Deployment whose pod answers scrapes with what a shell script prints, found by its annotations."""
    identity = {"app": name}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": {"metrics": script},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": identity},
                "template": {
                    "metadata": {
                        "labels": identity | (labels or {}),
                        "annotations": {
                            "prometheus.io/scrape": "true",
                            "prometheus.io/port": "8080",
                            "prometheus.io/path": "/cgi-bin/metrics",
                            "prometheus.io/interval": interval,
                        },
                    },
                    "spec": {
                        "terminationGracePeriodSeconds": 1,
                        "containers": [
                            {
                                "name": name,
                                "image": IMAGE,
                                "command": ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"],
                                "ports": [{"containerPort": 8080}],
                                "volumeMounts": [{"name": "script", "mountPath": "/www/cgi-bin"}],
                            }
                        ],
                        "volumes": [{"name": "script", "configMap": {"name": name, "defaultMode": 0o755}}],
                    },
                },
            },
        },
    ]
