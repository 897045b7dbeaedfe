"""Makes the provider of each cluster."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from settings import Cluster
from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs, shared_servers, unknown_contexts

CLIENT_TIMEOUT = 30
"""Timeout in seconds of a request to an API server."""


def require_contexts(clusters: Mapping[str, Cluster]) -> None:
    """
    Resolve every cluster's context in the kubeconfigs before anything is created.

    Raises `pulumi.RunError` where a context does not exist, or where two have one API server: each would take the
    other's objects for its own, and delete them.
    """
    kubeconfigs = Kubeconfigs()
    try:
        problems = [*unknown_contexts(clusters, kubeconfigs), *shared_servers(clusters, kubeconfigs)]
    except KubeconfigError as error:
        raise pulumi.RunError(str(error)) from error
    if problems:
        raise pulumi.RunError("\n".join(map(str, problems)))


def cluster_provider(name: str, cluster: Cluster) -> k8s.Provider:
    """Make the provider of one cluster."""
    return k8s.Provider(
        name,
        context=cluster.context,
        kubeconfig=cluster.kubeconfig or "",  # empty: client-go finds it, and no local path is in the state
        cluster_identifier=name,  # an edited kubeconfig must not replace everything in the cluster
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        upsert_existing_objects=True,  # its own only: see ownership.py
        kube_client_settings={"timeout": CLIENT_TIMEOUT},
    )
