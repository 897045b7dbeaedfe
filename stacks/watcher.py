"""A watcher outside of all clusters: its identity in each, and all that its machine has to know."""

from typing import Any

import pulumi

from components import ClusterAccess
from settings import Cluster, Fleet, WatchedCluster, Watcher
from settings.loading.kubeconfig import Kubeconfigs

from .agents import endpoint
from .clusters import ClusterContext

_HERE = ("127.", "localhost", "[::1]", "0.0.0.0")  # noqa: S104 — nothing listens here


def deploy_watcher(fleet: Fleet, watcher: Watcher, contexts: dict[str, ClusterContext]) -> None:
    """Make a read-only identity in each watched cluster, and export what `fleet watcher write` puts into files."""
    kubeconfigs = Kubeconfigs()
    found: dict[str, Any] = {}
    for name, watched in watcher.clusters.items():
        access = ClusterAccess(
            name,
            {
                "namespace": contexts[name].namespace,
                "prefix": fleet.namespace,
                "through_api_server": watched.route == "apiserver",
                "nodes": watched.nodes,
                "rotation": watched.rotation,
            },
            contexts[name].options(),
        )
        if watched.route == "apiserver" and watched.nodes:
            pulumi.warn(
                f"watcher.clusters.{name}: the token of the watcher gets nodes/proxy, with which its holder can run "
                "commands in every pod. Keep it as an administrator's, or write nodes: false.",
                access,
            )
        found[name] = {
            "apiServer": api_server(fleet.clusters[name], watched, kubeconfigs),
            "ca": access.ca,
            "token": access.token,
        }
    if watcher.instance:
        from .instance import deploy_instance  # noqa: PLC0415 — Google Cloud's SDK takes a second, and few need it

        deploy_instance(fleet, watcher, watcher.instance)
    pulumi.export("watcher", pulumi.Output.secret({"clusters": found, "receiver": _receiver(watcher)}))


def require_api_servers(fleet: Fleet) -> None:
    """
    Find the API server of every watched cluster before anything is made.

    Raises `pulumi.RunError` for one that leads to the machine of whoever runs this.
    """
    kubeconfigs = Kubeconfigs()
    for name, watched in (fleet.watcher.clusters if fleet.watcher else {}).items():
        server = api_server(fleet.clusters[name], watched, kubeconfigs)
        if not server.startswith("https://") or server.removeprefix("https://").startswith(_HERE):
            raise pulumi.RunError(
                f"watcher.clusters.{name}: the kubeconfig leads to {server or 'no API server'}, which the machine of "
                "the watcher can't reach. Write apiServer: https://<host>:<port>, as that machine reaches it."
            )


def api_server(cluster: Cluster, watched: WatchedCluster, kubeconfigs: Kubeconfigs) -> str:
    """Return the URL of an API server as the stack file or the kubeconfig has it; empty where none has it."""
    if watched.api_server:
        return watched.api_server.rstrip("/")
    place = kubeconfigs.place(cluster)
    return place.server.rstrip("/") if place else ""


def _receiver(watcher: Watcher) -> dict[str, Any] | None:
    """Where the machine writes to as well, and with which token."""
    if not watcher.hub:
        return None
    receiver = endpoint(watcher.name, watcher.hub, token=True)
    pulumi.Output.from_input(receiver.ca_config_map).apply(_say_who_verifies)
    return {
        "url": receiver.url,
        "protocol": receiver.protocol,
        "ca": receiver.ca,
        "token": receiver.tokens[watcher.name],
    }


def _say_who_verifies(config_map: str) -> None:
    """A ConfigMap of the clusters reaches no machine."""
    if config_map:
        pulumi.warn(
            f"watcher.hub: the authority of the hub's certificate is in the ConfigMap {config_map} of the clusters, "
            "and the machine verifies by the authorities that it trusts. Install that authority there, or write it "
            "as hub.expose.tls.ca in the hub's stack file."
        )
