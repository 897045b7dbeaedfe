"""The only place where providers are made."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from settings import Cluster
from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs, shared_servers, unknown_contexts

CLIENT_TIMEOUT = 30
"""Seconds until a request to an API server that does not answer fails."""


def require_contexts(clusters: Mapping[str, Cluster]) -> None:
    """
    Find every cluster in the kubeconfigs before anything is made.

    Raises `pulumi.RunError` where a context does not exist, or two lead to one API server: each would take the other's
    objects for its own, and delete them.
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
        kubeconfig=cluster.kubeconfig or "",  # then client-go looks for it, and nobody's path is in the state
        cluster_identifier=name,  # an edited kubeconfig must not replace everything in the cluster
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        upsert_existing_objects=True,  # its own only: see ownership.py
        kube_client_settings={"timeout": CLIENT_TIMEOUT},
    )
