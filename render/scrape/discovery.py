"""How targets in a cluster are found: entries of `kubernetes_sd_configs`."""

from collections.abc import Iterable, Mapping
from typing import Any

from settings.scrape_config import is_elsewhere


def endpoint_slices(namespace: str, slices: str, services: str) -> list[dict[str, Any]]:
    """
    Watch the endpoints of some Services of one namespace, instead of the whole cluster's.

    `slices` is a label selector, `services` one too, or the name of one Service.
    """
    chosen = {"label": services} if "=" in services else {"field": f"metadata.name={services}"}
    selectors = [{"role": "endpointslice", "label": slices}, {"role": "service", **chosen}]
    return [{"role": "endpointslice", "namespaces": {"names": [namespace]}, "selectors": selectors}]


def endpoints_of(namespace: str, service: str) -> list[dict[str, Any]]:
    """Watch the endpoints of one Service."""
    return endpoint_slices(namespace, f"kubernetes.io/service-name={service}", service)


def nodes() -> list[dict[str, Any]]:
    """Watch all nodes."""
    return [{"role": "node"}]


def pods(namespace: str, labels: str) -> list[dict[str, Any]]:
    """Watch the pods of one namespace that a label selector chooses."""
    return [{"role": "pod", "namespaces": {"names": [namespace]}, "selectors": [{"role": "pod", "label": labels}]}]


def discovered_namespaces(configs: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the namespaces of the own cluster in which entries of `scrape_configs` discover; nodes are in none."""
    return {
        namespace
        for config in configs
        for entry in config.get("kubernetes_sd_configs", ())
        if not is_elsewhere(entry)
        for namespace in entry.get("namespaces", {}).get("names", ())
    }
