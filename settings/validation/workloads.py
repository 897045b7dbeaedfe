"""Rules on what pods of components get: the component runs somewhere, and its memory holds what it is planned for."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic.alias_generators import to_camel

from .. import memory
from ..agent import series_of_shard
from ..cluster import Cluster
from ..errors import Path, Problem
from ..memory import Memory
from ..pod_fields import quantity
from ..thanos import Thanos
from ..workloads import Workloads
from .capacity import ingested_series, planned_series, series_of, stored_series
from .issuers import verifies_tokens
from .partial import PartialFleet


def components_run(partial: PartialFleet) -> Iterator[Problem]:
    """Settings of a component are for a stack, or a cluster, in which it runs."""
    if not _is_readable(partial):
        return
    everywhere = frozenset(name for cluster in partial.clusters for name in _running(partial, cluster))
    for path, workloads in _layers(partial):
        running = everywhere if len(path) == 1 else _running(partial, str(path[1]))
        for name in sorted(workloads.components.model_fields_set - running):
            where = "this stack" if len(path) == 1 else f"{path[1]}"
            rule = f"has no effect: {where} runs no {to_camel(name)}"
            yield Problem((*path, "components", to_camel(name)), rule, "Remove it.")


def memory_suffices(partial: PartialFleet) -> Iterator[Problem]:
    """
    No request or limit of memory is below what the planned series need in any cluster that it is for.

    A pod with less is killed again and again, and its WAL is replayed each time.
    """
    if not partial.workloads or not _is_readable(partial):
        return
    needed: dict[Path, tuple[Decimal, Problem]] = {}
    for name, cluster in partial.clusters.items():
        for component, (planned, cause) in _planned(partial, name).items():
            path, resources = _resources(partial.workloads, name, cluster, component)
            for kind, amounts in resources.items():
                written = amounts.get("memory")
                place, most = (*path, "components", to_camel(component), "resources", kind, "memory"), quantity(planned)
                if written is None or quantity(written) >= most or (place in needed and needed[place][0] >= most):
                    continue
                rule = f"is less than {to_camel(component)} needs in {name} for {cause}"
                needed[place] = most, Problem(place, rule, f"Write {planned} or more.", written)
    yield from (problem for _, problem in needed.values())


def accounts_have_one_identity(partial: PartialFleet) -> Iterator[Problem]:
    """No annotation replaces the identity by which the server's sidecar writes to the bucket."""
    identity = partial.thanos.storage.identity if partial.thanos else None
    if not identity:
        return
    for path, workloads in _layers(partial):
        annotations = workloads.components.prometheus.service_account_annotations or {}
        if identity in annotations and (len(path) == 1 or path[1] == partial.server_cluster):
            place = (*path, "components", "prometheus", "serviceAccountAnnotations", identity)
            instead = (
                "Give that identity the rights of this one too, and remove it; for agents write it at their clusters."
            )
            yield Problem(place, "has another value by thanos.storage", instead, annotations[identity])


def proxies_exempt_services(partial: PartialFleet) -> Iterator[Problem]:
    """A Ruler is told its Query and Alertmanager by name, and connects to their addresses, which no proxy reaches."""
    if not partial.thanos or not partial.thanos.ruler:
        return
    for path, workloads in _layers(partial):
        concerns = len(path) == 1 or path[1] == partial.server_cluster
        if concerns and workloads.proxy and not any("/" in one for one in workloads.proxy.no_proxy):
            rule = "has no range of addresses, and thanos.ruler connects to addresses of Services"
            instead = "Write the ranges of the cluster's pods and Services: [10.0.0.0/8]."
            yield Problem((*path, "proxy", "noProxy"), rule, instead)


def _is_readable(partial: PartialFleet) -> bool:
    sections = {"server": partial.server_section, "thanos": "thanos" in partial.present}
    return None not in partial.clusters.values() and all(
        getattr(partial, name) for name, is_there in sections.items() if is_there
    )


def _layers(partial: PartialFleet) -> Iterator[tuple[Path, Workloads]]:
    if partial.workloads:
        yield ("workloads",), partial.workloads
    for name, cluster in partial.clusters.items():
        if cluster:
            yield ("clusters", name, "workloads"), cluster.workloads


def _resources(
    stack: Workloads, name: str, cluster: Cluster | None, component: str
) -> tuple[Path, Mapping[str, Mapping[str, Any]]]:
    """Where the resources of a component in a cluster are written, and what they are."""
    if cluster and (found := getattr(cluster.workloads.components, component).resources) is not None:
        return ("clusters", name, "workloads"), found
    return ("workloads",), getattr(stack.components, component).resources or {}


def _running(partial: PartialFleet, name: str) -> frozenset[str]:
    """What this program runs in a cluster that could be read."""
    cluster, is_servers = partial.clusters[name], partial.server_cluster == name
    if cluster is None:
        return frozenset()
    has_prometheus = is_servers or name in partial.agents
    parts = {
        "kube_state_metrics": cluster.kube_state_metrics.is_ours,
        "node_exporter": cluster.runs_node_exporter,
        "prometheus_operator": cluster.operator and cluster.operator.install,
        "admission_webhook": cluster.operator and cluster.operator.webhook,
        "prometheus": has_prometheus,
        "config_reloader": (cluster.operator and has_prometheus) or (is_servers and "alertmanager" in partial.present),
        "envoy": is_servers and verifies_tokens(partial),
        "kube_rbac_proxy": is_servers,
        "alertmanager": is_servers and "alertmanager" in partial.present,
        "grafana": is_servers and "grafana" in partial.present,
        "pushgateway": is_servers and "pushgateway" in partial.present,
        "blackbox_exporter": is_servers and "probes" in partial.present,
        **(_of_thanos(partial.thanos) if is_servers and partial.thanos else {}),
    }
    return frozenset(part for part, runs in parts.items() if runs)


def _of_thanos(thanos: Thanos) -> Mapping[str, object]:
    return {
        "thanos_sidecar": True,
        "thanos_query": True,
        "thanos_store": True,
        "thanos_query_frontend": thanos.query_frontend,
        "thanos_compactor": thanos.compacts or (thanos.ruler and thanos.ruler.bucket),
        "thanos_ruler": thanos.ruler,
        "thanos_receive": thanos.receive,
        "thanos_receive_router": thanos.receive,
        "thanos_bucket_web": thanos.bucket_web,
        "memcached": thanos.memcached,
    }


def _planned(partial: PartialFleet, name: str) -> Mapping[str, tuple[str, str]]:
    """Component -> the memory that it requests in a cluster if nothing is said, and what that follows from."""
    here = series_of(partial.clusters, name)
    parts: dict[str, tuple[Callable[[int], Memory], int]] = {"kube_state_metrics": (memory.exporter_memory, here)}
    if name in partial.agents:
        agent = partial.agents[name]
        destinations, shards = (len(agent.destinations), agent.shards) if agent else (0, 1)
        parts["prometheus"] = lambda series: memory.agent_memory(series, destinations), series_of_shard(here, shards)
    found = {}
    if name == partial.server_cluster:
        planned, stored = planned_series(partial), stored_series(partial)
        parts["prometheus"] = memory.server_memory, planned
        if thanos := partial.thanos:
            parts["thanos_query"] = memory.query_memory, planned
            parts["thanos_store"] = memory.store_memory, stored
            parts["thanos_compactor"] = memory.compactor_memory, stored
            if receive := thanos.receive:
                parts["thanos_receive"] = memory.server_memory, ingested_series(partial, receive)
            if thanos.memcached:
                items = thanos.memcached.memory
                found["memcached"] = memory.memcached_memory(items).request, f"memory: {items}"
    return found | {part: (need(series).request, f"{series} series") for part, (need, series) in parts.items()}
