"""The scrape jobs of one cluster, alike for every Prometheus that scrapes it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from settings import Fleet
from settings.control_plane import CONTROLLER_MANAGER, ETCD, PROXY, SCHEDULER, ControlPlane
from settings.exporters import WINDOWS_EXPORTER, Existing, HostService
from settings.object_labels import NAME, PART_OF

from ..prometheus.flags import LISTEN
from .annotated import annotated_pods, annotated_services
from .applications import application_jobs
from .connection import IN_CLUSTER, Connection
from .discovery import endpoint_slices, endpoints_of, nodes, pods
from .job import ScrapeJob
from .platforms import VIRTUAL, unreachable
from .relabel import ENDED, NAMESPACE, NODE, POD, SERVICE, SLICE, Rule, constant, copied, discovered, drop, keep
from .untrusted import untrusted
from .user_jobs import with_paths

OWN = "prometheus"
"""The job of Prometheus itself."""
_REAL_NODES = [drop([f"{NODE}_label_{discovered(label)}"], "|".join(values)) for label, values in VIRTUAL.items()]
_OF_NODE = (
    *(copied(f"{SLICE}_endpoint_node_name", label) for label in ("node", "instance")),
    copied(f"{POD}_host_ip", "host_ip"),
)
"""What an exporter of nodes is called after, wherever its pod is."""
_DNS_PODS = "k8s-app in (coredns,kube-dns)"
_LONGEST_WORD, _BYTES_OF_A_CHARACTER = 250, 4
WRITTEN_BY_USERS = (
    *("created_by_kind", "created_by_name", "owner_kind", "owner_name"),
    *("image", "image_id", "image_spec", "ingressclass", "load_balancer_ip", "metric_name", "name", "path"),
    *("reason", "resource_kind", "resource_name", "schedule", "service_account", "storageclass", "timezone"),
    *("scaletargetref_api_version", "scaletargetref_kind", "scaletargetref_name", "tls_host", "volumename"),
)
"""Labels of kube-state-metrics whose length the API server does not limit."""
_TELEMETRY = "telemetry"
"""The port where kube-state-metrics tells of itself, and not of objects."""


def jobs(fleet: Fleet, cluster: str, connection: Connection = IN_CLUSTER) -> list[ScrapeJob]:
    """Return what is scraped in a cluster beside Prometheus itself, without what its platform hides."""
    known = fleet.clusters[cluster]
    insecure = known.kubelet.insecure_skip_verify
    state, node = known.kube_state_metrics.existing, known.node_exporter.existing
    windows = known.windows_exporter.existing if known.windows_exporter else None
    found = [
        _on_nodes(connection, "kubelet", "/metrics", insecure=insecure),
        # Its own timestamps go backwards now and then, and such samples would be dropped.
        _on_nodes(connection, "cadvisor", "/metrics/cadvisor", insecure=insecure, honor_timestamps=False),
        _api_server(connection),
        _coredns(),
        _kube_state_metrics(fleet, state),
        _node_service(known.node_exporter.host)
        if known.node_exporter.host
        else _exporter("node-exporter", fleet.node_exporter_namespace, node, *_OF_NODE),
        *([_existing(WINDOWS_EXPORTER, windows, *_OF_NODE)] if windows else []),
        untrusted(annotated_pods(fleet.scrape), fleet.scrape.limits.annotated),
        untrusted(
            _without(annotated_services(fleet.scrape), *(one for one in (state, node, windows) if one)),
            fleet.scrape.limits.annotated,
        ),
        *_control_plane(known.control_plane, connection),
        *([_operator(fleet.namespace)] if known.operator and known.operator.install else []),
        *([] if known.operator else application_jobs(fleet, cluster)),
    ]
    hidden = unreachable(fleet, cluster)
    return [connection.reach(job) for job in found if job.name not in hidden]


def self_scrape(instance: str) -> ScrapeJob:
    """Return the job of a Prometheus that scrapes itself; its instance is a name, since all listen on one address."""
    return ScrapeJob(name=OWN, targets=[{"targets": [LISTEN], "labels": {"instance": instance}}])


def _on_nodes(connection: Connection, name: str, path: str, *, insecure: bool, **options: Any) -> ScrapeJob:
    """A kubelet's endpoint, at the node itself unless a watcher asks through the API server."""
    return ScrapeJob(
        name=name,
        path=path,
        options={**connection.credentials(insecure=insecure), **options},
        discovery=nodes(),
        relabel=[*_REAL_NODES, copied(f"{NODE}_name", "node")],
    )


def _api_server(connection: Connection) -> ScrapeJob:
    """
    Every API server, at its own address; one that is reached by its URL only is one target, however many are behind it.

    Its certificate may lack that address and has the names by which pods know it, this one among them.
    """
    if connection.proxies:
        return ScrapeJob(
            name="apiserver",
            path=f"{connection.prefix}/metrics",
            options=connection.credentials(),
            targets=[{"targets": [connection.authority]}],
        )
    return ScrapeJob(
        name="apiserver",
        options=connection.credentials(server_name="kubernetes"),
        discovery=endpoints_of("default", "kubernetes"),
        relabel=[keep([f"{SLICE}_port_name"], "https")],
    )


def _coredns() -> ScrapeJob:
    """CoreDNS by the label of its pods: its Service has other names elsewhere, and not everywhere the port."""
    return ScrapeJob(
        name="coredns",
        discovery=pods("kube-system", _DNS_PODS),
        relabel=[
            ENDED,
            keep([f"{POD}_container_port_number"], "9153"),
            copied(f"{POD}_name", "pod"),
            copied(f"{POD}_node_name", "node"),
        ],
    )


def _operator(namespace: str) -> ScrapeJob:
    """The Prometheus Operator that this program installs, of which there is one pod."""
    return ScrapeJob(
        name="prometheus-operator",
        discovery=pods(namespace, _ours("prometheus-operator")),
        relabel=[
            ENDED,
            keep([f"{POD}_container_port_name"], "metrics"),
            constant("instance", "prometheus-operator"),
            copied(f"{POD}_name", "pod"),
        ],
    )


def _exporter(name: str, namespace: str, existing: Existing | None, *rules: Rule) -> ScrapeJob:
    """
    An exporter that this program deploys, or the existing one that stands for it.

    Its targets carry neither namespace nor pod: those of its series are what it tells about.
    """
    if existing:
        return _existing(name, existing, *rules)
    selector = _ours(name)
    ports = keep([f"{SLICE}_port_name"], f"metrics|{_TELEMETRY}")
    return ScrapeJob(name=name, discovery=endpoint_slices(namespace, selector, selector), relabel=[ports, *rules])


def _ours(app: str) -> str:
    """The label selector of an app of this program."""
    return ",".join(f"{label}={value}" for label, value in {NAME: app, **PART_OF}.items())


def _existing(name: str, existing: Existing, *rules: Rule) -> ScrapeJob:
    """An exporter of somebody else, with the labels of ours."""
    ports = keep([f"{SLICE}_port_name"], existing.port or ".*")
    found = endpoints_of(existing.namespace, existing.service)
    return ScrapeJob(name=name, discovery=found, relabel=[ports, *rules])


def _node_service(host: HostService) -> ScrapeJob:
    """The exporter of each Linux node itself, with the labels of one in a pod."""
    return _on_ports(
        "node-exporter",
        host.port,
        with_paths(host.client.config),
        _ON_LINUX,
        copied(f"{NODE}_name", "instance"),
        copied(_INTERNAL, "host_ip"),
    )


_INTERNAL = f"{NODE}_address_InternalIP"
_ON_LINUX = drop([f"{NODE}_label_kubernetes_io_os"], "windows")


def _on_ports(name: str, port: int, options: Mapping[str, Any], *rules: Rule) -> ScrapeJob:
    """What listens on a port of each node's internal address; an IPv6 address gets its brackets."""
    return ScrapeJob(
        name=name,
        options=options,
        discovery=nodes(),
        relabel=[
            *_REAL_NODES,
            keep([_INTERNAL], ".+"),  # without one it would be the kubelet's that is asked
            *(
                {
                    "source_labels": [_INTERNAL],
                    "regex": form,
                    "target_label": "__address__",
                    "replacement": f"{written}:{port}",
                }
                for form, written in {"([^:]+)": "$1", "(.*:.*)": "[$1]"}.items()
            ),
            copied(f"{NODE}_name", "node"),
            *rules,
        ],
    )


def _control_plane(planes: ControlPlane, connection: Connection) -> Iterator[ScrapeJob]:
    """What is scraped of a cluster's own control plane, on the nodes that have its label, and of kube-proxy."""
    for name, part in ((SCHEDULER, planes.scheduler), (CONTROLLER_MANAGER, planes.controller_manager)):
        if part:
            named = {"server_name": part.server_name} if part.server_name else {}
            secured = connection.credentials(insecure=part.insecure_skip_verify, **named)
            yield _on_ports(name, part.port, secured, _labelled(part.nodes))
    if etcd := planes.etcd:
        yield _on_ports(ETCD, etcd.port, with_paths(etcd.client.config), _labelled(etcd.nodes))
    if proxy := planes.kube_proxy:
        yield _on_ports(PROXY, proxy.port, {}, _ON_LINUX)


def _labelled(label: str) -> Rule:
    return keep([f"{NODE}_labelpresent_{discovered(label)}"], "true")


def _without(job: ScrapeJob, *existing: Existing) -> ScrapeJob:
    """The job of annotated services without those that have a job of their own; many are annotated as they come."""
    named = "|".join(f"{one.namespace};{one.service}" for one in existing)
    rules = [drop([NAMESPACE, f"{SERVICE}_name"], named)] if named else []
    return replace(job, relabel=[*rules, *job.relabel])


def _kube_state_metrics(fleet: Fleet, existing: Existing | None) -> ScrapeJob:
    """kube-state-metrics, whose labels repeat what users write: one long word would have the whole scrape refused."""
    longest = min(_LONGEST_WORD, fleet.scrape.limits.label_value // _BYTES_OF_A_CHARACTER)
    cut = [
        {"source_labels": [label], "regex": f"(.{{{longest}}}).+", "target_label": label} for label in WRITTEN_BY_USERS
    ]
    # Its successor has the same labels: after an update, and while the node of the old one is dead.
    leaving = drop([f"{SLICE}_endpoint_conditions_terminating"], "true")
    instance = constant("instance", "kube-state-metrics")
    itself = {
        "source_labels": [f"{SLICE}_port_name"],
        "regex": _TELEMETRY,
        "target_label": "instance",
        "replacement": "kube-state-metrics-telemetry",
    }
    return replace(
        _exporter("kube-state-metrics", fleet.namespace, existing, leaving, instance, itself), metric_relabel=cut
    )
