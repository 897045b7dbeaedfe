"""A Prometheus of somebody else's, in another cluster, whose sidecar talks to those with a certificate only."""

import base64
from collections.abc import Iterator
from typing import Any

import yaml

from lab.pki import Pair
from settings.images import PROMETHEUS, THANOS

CLUSTER = "elsewhere"
"""Its external label `cluster`."""
NAMESPACE = "promfleet-elsewhere"
PORT = 30901
"""Of every node, on which the sidecar answers."""
_CERTIFICATES = "/etc/certificates"


def certificates(name: str, namespace: str, pair: Pair, authority: bytes) -> dict[str, Any]:
    """A Secret with what one shows, and what one trusts the other side by."""
    files = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {file: base64.b64encode(content).decode() for file, content in files.items()},
    }


def objects(pair: Pair, authority: bytes) -> Iterator[dict[str, Any]]:
    """Everything that it consists of; it scrapes itself."""
    app = {"app": "prometheus"}
    meta = {"name": "prometheus", "namespace": NAMESPACE}
    config = {
        "global": {"scrape_interval": "5s", "external_labels": {"cluster": CLUSTER}},
        "scrape_configs": [{"job_name": "itself", "static_configs": [{"targets": ["127.0.0.1:9090"]}]}],
    }
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    yield certificates("shown", NAMESPACE, pair, authority)
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta,
        "data": {"prometheus.yml": yaml.safe_dump(config)},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"type": "NodePort", "selector": app, "ports": [{"port": 10901, "nodePort": PORT}]},
    }
    yield {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "labels": app},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"fsGroup": 65534},
            "containers": [
                {
                    "name": "prometheus",
                    "image": PROMETHEUS,
                    "args": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data"],
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/etc/prometheus"},
                        {"name": "data", "mountPath": "/data"},
                    ],
                },
                {
                    "name": "sidecar",
                    "image": THANOS,
                    "args": [
                        "sidecar",
                        "--tsdb.path=/data",
                        "--prometheus.url=http://127.0.0.1:9090",
                        f"--grpc-server-tls-cert={_CERTIFICATES}/tls.crt",
                        f"--grpc-server-tls-key={_CERTIFICATES}/tls.key",
                        f"--grpc-server-tls-client-ca={_CERTIFICATES}/ca.crt",
                    ],
                    "volumeMounts": [
                        {"name": "shown", "mountPath": _CERTIFICATES},
                        {"name": "data", "mountPath": "/data"},
                    ],
                },
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "prometheus"}},
                {"name": "shown", "secret": {"secretName": "shown"}},
                {"name": "data", "emptyDir": {}},
            ],
        },
    }
