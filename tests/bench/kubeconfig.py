"""A kubeconfig such as people with many clusters have: a context for each, with certificates and keys."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from lab import credentials
from lab.cluster import Cluster
from lab.pki import authority, issue


def write_kubeconfig(folder: Path, contexts: Iterable[str]) -> Path:
    """Write it in an empty folder and give its path."""
    signer = authority("bench")
    clusters = [Cluster(name, number, folder) for number, name in enumerate(contexts, 1)]
    signer.write(clusters[0].pki, "ca")
    pair = issue(signer, "admin", group="system:masters")
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(credentials.kubeconfig((cluster, pair) for cluster in clusters), sort_keys=False))
    return file
