"""Every rule between sections of a stack file."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import NOTHING, Problem, nearest
from ..loading.kubeconfig import files_of
from ..types import duration, seconds
from .alerting import (
    alertmanager_fits_a_machine,
    named_clusters_report,
    routed_teams_have_alerts,
    rules_keep_clusters,
    sections_have_a_server,
)
from .applications import (
    applications_are_named_once,
    applications_are_scraped,
    applications_are_selected,
    dashboards_are_distinct,
    dashboards_have_a_grafana,
    namespaced_jobs_are_known,
)
from .capacity import retention_fits
from .dashboards import dashboards_are_in_one_place, dashboards_query_datasources
from .exposure import (
    annotations_have_objects,
    gateways_of_gke_are_known,
    hosts_are_distinct,
    ingresses_have_a_class,
    node_ports_are_distinct,
    node_ports_are_written,
    proxies_know_hosts_by_name,
    records_are_of_names,
)
from .issuers import issuers_are_distinct, issuers_are_used, keys_are_comparable, tokens_are_needed
from .jobs import (
    job_files_exist,
    job_names_are_distinct,
    jobs_fit_a_machine,
    jobs_name_clusters,
    services_of_nodes_are_reached,
)
from .limits import external_labels_leave_room, probes_are_within_limits
from .machine import machines_have_no_kubernetes_secrets, machines_install_releases
from .operator import (
    operated_servers_are_alone,
    operators_know_their_images,
    operators_run_prometheus,
    operators_take_destinations,
    webhooks_judge_rules_that_are_evaluated,
)
from .partial import PartialFleet
from .receivers import alertmanager_credentials_exist, receiver_files_exist
from .releases import releases_know_delayed_compaction, releases_know_their_flags
from .replication import (
    agents_write_once,
    late_samples_are_uploaded,
    limited_clusters_write,
    pods_have_identities,
    pools_have_a_bucket,
    receive_has_writers,
    replicas_are_deduplicated,
    ruler_bucket_is_created,
)
from .trust import authorities_sign_hosts, proxies_verify_the_hub
from .workloads import accounts_have_one_identity, components_run, memory_suffices, proxies_exempt_services

Rule = Callable[[PartialFleet], Iterable[Problem]]

_INTERVALS_PER_OUTAGE = 10


def broken_rules(partial: PartialFleet) -> Iterator[Problem]:
    """Every problem that a rule finds."""
    for rule in RULES:
        yield from rule(partial)


def something_runs(partial: PartialFleet) -> Iterator[Problem]:
    """A stack has a Prometheus server or agents."""
    if not partial.server_section and not partial.has_agents and "watcher" not in partial.present:
        yield Problem((), "deploys no Prometheus", "Write a section hub, standalone, watcher or agents.")


def there_is_one_server(partial: PartialFleet) -> Iterator[Problem]:
    """A stack has one Prometheus server, which Grafana and other sections belong to."""
    if {"hub", "standalone"} <= partial.present:
        instead = "Remove one: a hub scrapes its own cluster too. For both, write two stack files."
        yield Problem(("standalone",), "is a second Prometheus server: this stack has a hub", instead)
    if "watcher" in partial.present and partial.server_section:
        instead = f"Write the watcher into a stack file of its own, or remove {partial.server_section}."
        rule = f"is a second Prometheus server: this stack has a section {partial.server_section}"
        yield Problem(("watcher",), rule, instead)


def server_has_a_cluster(partial: PartialFleet) -> Iterator[Problem]:
    """The cluster of the Prometheus server is one of the clusters."""
    if partial.clusters and partial.server_cluster is not None and partial.server_cluster not in partial.clusters:
        yield Problem(
            (partial.server_section, "cluster"),
            "is not in clusters",
            _nearest(partial, partial.server_cluster),
            partial.server_cluster,
        )


def agents_have_clusters(partial: PartialFleet) -> Iterator[Problem]:
    """Every agent's cluster is one of the clusters."""
    for name in partial.agents if partial.clusters else ():
        if name not in partial.clusters:
            yield Problem(("agents", name), "names a cluster that is not in clusters", _nearest(partial, name))


def watcher_watches_clusters(partial: PartialFleet) -> Iterator[Problem]:
    """What a watcher watches is one of the clusters, and has no agent that scrapes the same targets."""
    if not partial.watcher:
        return
    for name in partial.watcher.clusters if partial.clusters else ():
        if name not in partial.clusters:
            yield Problem(
                ("watcher", "clusters", name), "names a cluster that is not in clusters", _nearest(partial, name)
            )
        if name in partial.agents:
            instead = f"Remove it, or remove {name} from watcher.clusters."
            yield Problem(("agents", name), "scrapes a cluster that the watcher scrapes too", instead)
    if partial.watcher.name in partial.clusters:
        instead = "Write another name: it is the label cluster of the machine's own series."
        yield Problem(("watcher", "name"), "is the name of a cluster too", instead, partial.watcher.name)


def server_watches_its_cluster(partial: PartialFleet) -> Iterator[Problem]:
    """No agent runs in the cluster of this stack's server."""
    if partial.server_cluster is not None and partial.server_cluster in partial.agents:
        server = partial.server_noun
        instead = f"Remove it: the {server} scrapes its own cluster itself."
        yield Problem(("agents", partial.server_cluster), f"is an agent in the {server}'s own cluster", instead)


def agents_have_a_hub(partial: PartialFleet) -> Iterator[Problem]:
    """An agent has somewhere to write to: this stack's hub, another that it names, or destinations."""
    for name, agent in partial.agents.items():
        if agent and not agent.hub and not agent.destinations and not partial.has_hub:
            instead = (
                "Write hub: {stack: organization/promfleet/hub}, or destinations, or add a section hub to this stack."
            )
            yield Problem(("agents", name), "has no hub to write to: this stack has none", instead)
        if agent and agent.hub and agent.hub.stack and partial.has_hub:
            instead = "Remove it to write to this stack's hub, or move the agent to a stack without one."
            yield Problem(
                ("agents", name, "hub", "stack"), "has no effect: this stack has a hub", instead, agent.hub.stack
            )


def clusters_are_used(partial: PartialFleet) -> Iterator[Problem]:
    """Every cluster runs a Prometheus server or an agent."""
    is_unreadable = partial.server_section and partial.server_cluster is None
    has_watcher = "watcher" in partial.present
    if is_unreadable or not (partial.server_section or partial.has_agents or has_watcher):
        return
    if has_watcher and not partial.watcher:
        return
    watched = partial.watcher.clusters if partial.watcher else ()
    for name in partial.clusters:
        if name != partial.server_cluster and name not in partial.agents and name not in watched:
            section = "watcher.clusters" if has_watcher else "agents"
            rule = "is neither watched nor runs an agent" if has_watcher else "runs neither a server nor an agent"
            yield Problem(("clusters", name), rule, f"Add {name}: {{}} to {section}, or remove the cluster.")


def clusters_are_distinct(partial: PartialFleet) -> Iterator[Problem]:
    """No two clusters have one context; whether two contexts have one API server is checked at `pulumi up`."""
    seen: dict[tuple[str, tuple[Path, ...]], str] = {}
    for name, cluster in partial.clusters.items():
        if not cluster:
            continue
        first = seen.setdefault((cluster.context, files_of(cluster.kubeconfig)), name)
        if first != name:
            instead = "Give each cluster its own context, or remove one of the two."
            yield Problem(("clusters", name, "context"), f"is the context of {first} too", instead, cluster.context)


def writers_are_known_once(partial: PartialFleet) -> Iterator[Problem]:
    """Series and labels of a cluster are written once: in `clusters`, or in `hub.agents` for another stack's."""
    for name, writer in partial.hub.agents.items() if partial.hub else ():
        agent = partial.agents.get(name)
        if agent and agent.hub and agent.hub.url:
            instead = f"Remove it here, or agents.{name}.hub."
            yield Problem(("hub", "agents", name), "writes to another system", instead)
            continue
        sections = {"series": "clusters", "labels": "clusters", "issuer": "clusters", "shards": "agents"}
        for key, section in sections.items() if name in partial.clusters else ():
            if key in writer.model_fields_set:
                rule = f"has no effect: {name} is a cluster of this stack"
                instead = f"Write it in {section}.{name}.{key}."
                value = NOTHING if key == "issuer" else getattr(writer, key)
                yield Problem(("hub", "agents", name, key), rule, instead, value)


def labels_are_joined(partial: PartialFleet) -> Iterator[Problem]:
    """Labels of a cluster are in the stack of the hub that its agent writes to."""
    for name, cluster in partial.clusters.items():
        agent = partial.agents.get(name)
        if not cluster or not cluster.labels:
            continue
        if agent and agent.hub and agent.hub.is_foreign:
            rule = "has no effect: its agent writes to another system"
            yield Problem(("clusters", name, "labels"), rule, "Remove it.")
        elif not partial.has_hub and name != partial.server_cluster and name not in partial.expected:
            instead = f"Write them in the stack of the hub, in hub.agents.{name}.labels."
            yield Problem(("clusters", name, "labels"), "has no effect: this stack has no hub", instead)


def outages_span_intervals(partial: PartialFleet) -> Iterator[Problem]:
    """An outage spans at least ten scrape intervals."""
    if not partial.scrape:
        return
    least = _INTERVALS_PER_OUTAGE * seconds(partial.scrape.interval)
    for name, agent in partial.agents.items():
        if agent and seconds(agent.outage) < least:
            rule = f"is shorter than {_INTERVALS_PER_OUTAGE} scrapes at an interval of {partial.scrape.interval}"
            yield Problem(("agents", name, "outage"), rule, f"Write {duration(least)} or more.", agent.outage)


RULES: tuple[Rule, ...] = (
    something_runs,
    there_is_one_server,
    server_has_a_cluster,
    agents_have_clusters,
    watcher_watches_clusters,
    server_watches_its_cluster,
    agents_have_a_hub,
    clusters_are_used,
    clusters_are_distinct,
    writers_are_known_once,
    labels_are_joined,
    issuers_are_distinct,
    issuers_are_used,
    keys_are_comparable,
    tokens_are_needed,
    outages_span_intervals,
    retention_fits,
    sections_have_a_server,
    alertmanager_fits_a_machine,
    machines_install_releases,
    machines_have_no_kubernetes_secrets,
    receiver_files_exist,
    alertmanager_credentials_exist,
    jobs_name_clusters,
    job_names_are_distinct,
    job_files_exist,
    jobs_fit_a_machine,
    services_of_nodes_are_reached,
    probes_are_within_limits,
    external_labels_leave_room,
    named_clusters_report,
    routed_teams_have_alerts,
    rules_keep_clusters,
    hosts_are_distinct,
    proxies_know_hosts_by_name,
    ingresses_have_a_class,
    gateways_of_gke_are_known,
    annotations_have_objects,
    records_are_of_names,
    authorities_sign_hosts,
    proxies_verify_the_hub,
    node_ports_are_written,
    node_ports_are_distinct,
    replicas_are_deduplicated,
    agents_write_once,
    late_samples_are_uploaded,
    limited_clusters_write,
    receive_has_writers,
    ruler_bucket_is_created,
    pods_have_identities,
    pools_have_a_bucket,
    releases_know_their_flags,
    releases_know_delayed_compaction,
    operators_run_prometheus,
    operators_take_destinations,
    webhooks_judge_rules_that_are_evaluated,
    operated_servers_are_alone,
    operators_know_their_images,
    accounts_have_one_identity,
    components_run,
    memory_suffices,
    proxies_exempt_services,
    applications_are_scraped,
    applications_are_named_once,
    applications_are_selected,
    dashboards_have_a_grafana,
    dashboards_are_distinct,
    namespaced_jobs_are_known,
    dashboards_are_in_one_place,
    dashboards_query_datasources,
)


def _nearest(partial: PartialFleet, name: str) -> str:
    return nearest(name, partial.clusters, f"Add {name}: {{context: …}} to clusters.")
