"""The only place where providers are made."""

import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s
import yaml

from settings import Cluster

CLIENT_TIMEOUT = 30
"""Seconds until a request to an API server that does not answer fails."""


def cluster_provider(name: str, cluster: Cluster) -> k8s.Provider:
    """Make the provider of one cluster; raises `pulumi.RunError` where its context does not exist."""
    _require_context(name, cluster)
    return k8s.Provider(
        name,
        context=cluster.context,
        kubeconfig=cluster.kubeconfig or "",  # then client-go looks for it, and nobody's path is in the state
        cluster_identifier=name,  # an edited kubeconfig must not replace everything in the cluster
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        upsert_existing_objects=True,  # its own only: see ownership.py
        kube_client_settings={"timeout": CLIENT_TIMEOUT},
    )


def _require_context(name: str, cluster: Cluster) -> None:
    files = _kubeconfigs(cluster)
    contexts: set[str] = set()
    for file in files:
        try:
            read = yaml.safe_load(file.read_text()) or {}
            contexts |= {context["name"] for context in read.get("contexts") or []}
        except FileNotFoundError:
            continue
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise pulumi.RunError(f"clusters.{name}: {file} is not a kubeconfig: {error}") from error
    if cluster.context not in contexts:
        places = ", ".join(map(str, files))
        known = ", ".join(sorted(contexts)) or "none"
        raise pulumi.RunError(
            f'clusters.{name}.context: "{cluster.context}" is in no kubeconfig. '
            f"Contexts in {places}: {known}. Write one of them, or set KUBECONFIG."
        )


def _kubeconfigs(cluster: Cluster) -> list[Path]:
    if cluster.kubeconfig:
        return [Path(cluster.kubeconfig).expanduser()]
    named = os.environ.get("KUBECONFIG", "")
    return [Path(part) for part in named.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
