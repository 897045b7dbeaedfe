"""The scrape jobs of one cluster, alike on a hub and on an agent."""

import re
from typing import Any

from settings import Fleet
from settings.exporters import Existing

from ..prometheus.flags import LISTEN
from ..tokens import API, API_TOKEN
from .allowlist import metric_rules
from .annotated import annotated_pods, annotated_services
from .platforms import VIRTUAL, unreachable
from .relabel import NODE, POD, SERVICE, SLICE, Rule, constant, copied, drop, keep
from .untrusted import narrowed

Job = dict[str, Any]

OWN = "prometheus"
"""The job of Prometheus itself."""
_REAL_NODES = [
    drop([f"{NODE}_label_{re.sub('[^a-zA-Z0-9]', '_', label)}"], "|".join(values)) for label, values in VIRTUAL.items()
]
_DNS_PODS = "k8s-app in (coredns,kube-dns)"
_LONGEST_WORD, _BYTES_OF_A_CHARACTER = 250, 4
WRITTEN_BY_USERS = (
    *("created_by_kind", "created_by_name", "owner_kind", "owner_name"),
    *("image", "image_id", "image_spec", "ingressclass", "load_balancer_ip", "metric_name", "name", "path"),
    *("reason", "resource_kind", "resource_name", "schedule", "service_account", "storageclass", "timezone"),
    *("scaletargetref_api_version", "scaletargetref_kind", "scaletargetref_name", "tls_host", "volumename"),
)
"""Labels of kube-state-metrics whose length the API server does not limit."""
_NAME, _PART_OF = "app.kubernetes.io/name", "app.kubernetes.io/part-of=promfleet"


def jobs(fleet: Fleet, cluster: str, itself: Job) -> list[Job]:
    """
    Everything that is scraped in a cluster, each target with the label `cluster`; what its platform hides is left out.

    `itself` is the job of the Prometheus that scrapes.

    No job honours labels, so that a series which brings its own `cluster` is stored with it as `exported_cluster`.
    """
    known = fleet.clusters[cluster]
    insecure = known.kubelet.insecure_skip_verify
    state, nodes = known.kube_state_metrics.existing, known.node_exporter.existing
    made = [
        itself,
        _on_nodes("kubelet", "/metrics", insecure=insecure),
        # Its own timestamps go backwards now and then, and such samples would be dropped.
        {**_on_nodes("cadvisor", "/metrics/cadvisor", insecure=insecure), "honor_timestamps": False},
        _api_server(),
        _coredns(),
        _state(fleet, state),
        _exporter("node-exporter", fleet.node_exporter_namespace, nodes, _of_node("node"), _of_node("instance")),
        {**annotated_pods(fleet.scrape), **narrowed(fleet)},
        {
            **_apart(annotated_services(fleet.scrape), *(found for found in (state, nodes) if found)),
            **narrowed(fleet),
        },
    ]
    hidden = unreachable(fleet, cluster)
    return [_finished(job, fleet, cluster) for job in made if job["job_name"] not in hidden]


def _finished(job: Job, fleet: Fleet, cluster: str) -> Job:
    rules = [*job.pop("relabel_configs", []), constant("cluster", cluster)]
    return thinned({**job, "relabel_configs": rules}, fleet)


def thinned(job: Job, fleet: Fleet) -> Job:
    """The job without the metrics that no rule and no board uses."""
    rules = [*metric_rules(job["job_name"], fleet.scrape), *job.get("metric_relabel_configs", [])]
    return {**job, **({"metric_relabel_configs": rules} if rules else {})}


def alone(own_name: str) -> Job:
    """The job of a Prometheus that scrapes itself; its instance is a name, since all listen on the same address."""
    return {
        "job_name": OWN,
        "static_configs": [{"targets": [LISTEN], "labels": {"instance": own_name}}],
    }


def _with_identity(*, insecure: bool = False) -> Job:
    """Kubernetes' own endpoints ask who comes, and prove with the cluster's CA who they are."""
    tls: dict[str, Any] = {"ca_file": f"{API}/ca.crt"}
    if insecure:
        tls["insecure_skip_verify"] = True
    return {
        "scheme": "https",
        "authorization": {"type": "Bearer", "credentials_file": API_TOKEN},
        "tls_config": tls,
    }


def _on_nodes(name: str, path: str, *, insecure: bool) -> Job:
    """A kubelet's endpoint, asked at the node itself: through the API server takes an administrator's rights."""
    return {
        "job_name": name,
        "metrics_path": path,
        **_with_identity(insecure=insecure),
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [
            *_REAL_NODES,
            copied(f"{NODE}_name", "node"),
        ],
    }


def slices(namespace: str, selector: str, service: str) -> list[dict[str, Any]]:
    """Discovery that watches one Service of one namespace instead of the whole cluster."""
    return [
        {
            "role": "endpointslice",
            "namespaces": {"names": [namespace]},
            "selectors": [{"role": "endpointslice", "label": selector}, {"role": "service", **_chosen(service)}],
        }
    ]


def _chosen(service: str) -> dict[str, str]:
    return {"label": service} if "=" in service else {"field": f"metadata.name={service}"}


def _api_server() -> Job:
    """
    Every API server, at its own address.

    Its certificate may lack that address and has the names by which pods know it, this one among them.
    """
    identity = _with_identity()
    return {
        "job_name": "apiserver",
        **identity,
        "tls_config": {**identity["tls_config"], "server_name": "kubernetes"},
        "kubernetes_sd_configs": slices("default", "kubernetes.io/service-name=kubernetes", "kubernetes"),
        "relabel_configs": [keep([f"{SLICE}_port_name"], "https")],
    }


def _coredns() -> Job:
    """CoreDNS by the label of its pods: its Service has other names elsewhere, and not everywhere the port."""
    pods = {"role": "pod", "label": _DNS_PODS}
    return {
        "job_name": "coredns",
        "kubernetes_sd_configs": [
            {"role": "pod", "namespaces": {"names": ["kube-system"]}, "selectors": [pods]},
        ],
        "relabel_configs": [
            drop([f"{POD}_phase"], "Succeeded|Failed"),
            keep([f"{POD}_container_port_number"], "9153"),
            copied(f"{POD}_name", "pod"),
            copied(f"{POD}_node_name", "node"),
        ],
    }


def _exporter(name: str, namespace: str, existing: Existing | None, *rules: Rule) -> Job:
    """
    An exporter that this program deploys, or the existing one that stands for it.

    Its targets carry neither namespace nor pod: those of its series are what it tells about.
    """
    selector = f"{_NAME}={name},{_PART_OF}"
    found, port = slices(namespace, selector, selector), "metrics"
    if existing:
        found = slices(existing.namespace, f"kubernetes.io/service-name={existing.service}", existing.service)
        port = existing.port or ".*"
    return {
        "job_name": name,
        "kubernetes_sd_configs": found,
        "relabel_configs": [keep([f"{SLICE}_port_name"], port), *rules],
    }


def _apart(job: Job, *existing: Existing) -> Job:
    """The job of annotated services without those that have a job of their own; many are annotated as they come."""
    named = "|".join(f"{one.namespace};{one.service}" for one in existing)
    rules = [drop(["__meta_kubernetes_namespace", f"{SERVICE}_name"], named)] if named else []
    return {**job, "relabel_configs": [*rules, *job["relabel_configs"]]}


def _state(fleet: Fleet, existing: Existing | None) -> Job:
    """kube-state-metrics, whose labels repeat what users write: one long word would have the whole scrape refused."""
    job = _exporter("kube-state-metrics", fleet.namespace, existing, constant("instance", "kube-state-metrics"))
    longest = min(_LONGEST_WORD, fleet.scrape.limits.label_value // _BYTES_OF_A_CHARACTER)
    cut = [
        {"source_labels": [label], "regex": f"(.{{{longest}}}).+", "target_label": label} for label in WRITTEN_BY_USERS
    ]
    return {**job, "metric_relabel_configs": cut}


def _of_node(target: str) -> Rule:
    return copied(f"{SLICE}_endpoint_node_name", target)
