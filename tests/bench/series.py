"""What each side keeps of the same expositions: this program, kube-prometheus, k8s-monitoring."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lab.cluster import state
from lab.kubectl import kubectl
from render.scrape.allowlist import ESSENTIAL, metric_rules
from render.scrape.relabel import keep
from settings import Scrape
from tests.unit.relabelling import relabel

MONITORS = {
    "apiserver": ("kubernetesControlPlane-serviceMonitorApiserver.yaml", None, "https"),
    "kubelet": ("kubernetesControlPlane-serviceMonitorKubelet.yaml", None, "https-metrics"),
    "cadvisor": ("kubernetesControlPlane-serviceMonitorKubelet.yaml", "/metrics/cadvisor", "https-metrics"),
    "coredns": ("kubernetesControlPlane-serviceMonitorCoreDNS.yaml", None, "metrics"),
    "kube-state-metrics": ("kubeStateMetrics-serviceMonitor.yaml", None, "https-main"),
    "node-exporter": ("nodeExporter-serviceMonitor.yaml", None, "https"),
}
"""Job -> the file, path and port of the endpoint by which kube-prometheus scrapes the same target."""
_SAMPLE = re.compile(r"(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? \S+( \d+)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Rules = Sequence[Mapping[str, Any]]


class Kept(NamedTuple):
    """How many series of one target are kept, and by whom; None where a side has no list for it."""

    exposed: int
    ours: int
    kube_prometheus: int | None
    k8s_monitoring: int | None


_NODE = "/api/v1/nodes/{context}/proxy"
TARGETS = {
    "apiserver": "/metrics",
    "kubelet": f"{_NODE}/metrics",
    "cadvisor": f"{_NODE}/metrics/cadvisor",
    "coredns": "/api/v1/namespaces/kube-system/services/kube-dns:metrics/proxy/metrics",
    "kube-state-metrics": "/api/v1/namespaces/promfleet/services/kube-state-metrics:metrics/proxy/metrics",
    "node-exporter": "/api/v1/namespaces/promfleet-node-exporter/services/node-exporter:metrics/proxy/metrics",
}
"""Job -> where an administrator reads its target through the API server of a lab's cluster, whose node has its name."""


def fetch(folder: Path, context: str = "hub") -> Path:
    """Read each target of a cluster of the lab, as it is now, into files of a folder, and give the folder."""
    for job, path in TARGETS.items():
        text = kubectl("get", "--raw", path.format(context=context), context=context, kubeconfig=state() / "kubeconfig")
        (folder / f"{job}.txt").write_text(text)
    return folder


def count(expositions: Path, kube_prometheus: Path | None, k8s_monitoring: Path | None) -> dict[str, Kept]:
    """
    Count each job's exposition, a file `<job>.txt` of the folder, through the lists of each side.

    `kube_prometheus` is its folder `manifests`, `k8s_monitoring` the folder `default-allow-lists` of the chart
    `feature-cluster-metrics`.
    """
    found = {}
    for job in ESSENTIAL:
        file = expositions / f"{job}.txt"
        if file.exists():
            series = list(read(file.read_text()))
            theirs = monitored(kube_prometheus, job) if kube_prometheus and job in MONITORS else None
            listed = allowed(k8s_monitoring / f"{job}.yaml") if k8s_monitoring and job in MONITORS else None
            found[job] = Kept(
                len(series),
                passing(series, metric_rules(job, Scrape())),
                None if theirs is None else passing(series, theirs),
                None if listed is None else passing(series, listed),
            )
    return found


def total(kept: Collection[Kept]) -> Kept:
    """The sums of each side, over the jobs that it has."""
    return Kept(
        sum(one.exposed for one in kept),
        sum(one.ours for one in kept),
        _sum(one.kube_prometheus for one in kept),
        _sum(one.k8s_monitoring for one in kept),
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    found = [number for number in numbers if number is not None]
    return sum(found) if found else None


def read(exposition: str) -> Iterator[dict[str, str]]:
    """The series of a text exposition."""
    for line in exposition.splitlines():
        if line and not line.startswith("#") and (found := _SAMPLE.fullmatch(line)):
            yield {"__name__": found["name"], **dict(_LABEL.findall(found["labels"] or ""))}


def passing(series: Sequence[Mapping[str, str]], rules: Rules) -> int:
    """How many different series come out of relabelling."""
    kept = (relabel(one, rules) for one in series)
    return len({tuple(sorted(one.items())) for one in kept if one is not None})


def monitored(manifests: Path, job: str) -> Rules:
    """The rules of the endpoint of a ServiceMonitor, in the words of a scrape configuration."""
    name, path, port = MONITORS[job]
    endpoints = yaml.safe_load((manifests / name).read_text())["spec"]["endpoints"]
    [endpoint] = [one for one in endpoints if (one.get("path"), one["port"]) == (path, port)]
    return [
        {re.sub("(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", key): value for key, value in rule.items()}
        for rule in endpoint.get("metricRelabelings", [])
    ]


def allowed(file: Path) -> Rules:
    """A list of names as a rule; where the chart has no such list, it keeps all."""
    return [keep(["__name__"], "|".join(yaml.safe_load(file.read_text())))] if file.exists() else []
