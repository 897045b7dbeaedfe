"""What is scraped: exporters that are gone, probes, pushes."""

from .model import Alert, Group, Record, Threshold
from .sources import NODE, PROBES, PUSHED

_UP = "cluster_job:up:sum"
_GROUPS = "without (alertname, severity, team)"
"""Groups of pushes that differ in what an alert's own labels replace would be one alert, which fails its rule."""
_WATCHED = "apiserver|coredns|kube-state-metrics|kubelet|node-exporter"


def _gone(job: str) -> str:
    """Nothing of a job is up though something was within a day, and the cluster is not silent as a whole."""
    return (
        f'max_over_time({_UP}{{job="{job}"}}[1d]) > 0\n'
        f'unless on (cluster) {_UP}{{job="{job}"}} > 0\n'
        'and on (cluster) up{job="prometheus"} == 1'
    )


EXPORTERS = Group(
    name="exporters",
    records=(Record(name=_UP, expr=f'sum by (cluster, job) (up{{job=~"{_WATCHED}"}})'),),
    alerts=(
        Alert(
            name="KubeAPIDown",
            expr=_gone("apiserver"),
            for_="5m",
            severity="critical",
            summary="No API server of {{ $labels.cluster }} can be scraped any more.",
            description="Either it is down, or Prometheus may not ask it.",
            jobs=("apiserver",),
        ),
        Alert(
            name="KubeletDown",
            expr=_gone("kubelet"),
            for_="15m",
            severity="critical",
            summary="No kubelet of {{ $labels.cluster }} can be scraped any more.",
            description="Nodes, containers and volumes of the cluster are out of sight.",
            jobs=("kubelet",),
        ),
        Alert(
            name="CoreDNSDown",
            expr=_gone("coredns"),
            for_="15m",
            severity="critical",
            summary="CoreDNS of {{ $labels.cluster }} can't be scraped any more.",
            description="If it is down, no name is resolved in the cluster.",
            jobs=("coredns",),
        ),
        Alert(
            name="KubeStateMetricsDown",
            expr=_gone("kube-state-metrics"),
            for_="15m",
            severity="critical",
            summary="kube-state-metrics of {{ $labels.cluster }} is gone.",
            description="No alert on workloads, jobs, claims or nodes of the cluster can fire.",
            jobs=("kube-state-metrics",),
        ),
        Alert(
            name="NodeExporterDown",
            expr=_gone("node-exporter"),
            for_="15m",
            severity="critical",
            summary="Every node-exporter of {{ $labels.cluster }} is gone.",
            description="No alert on the machines of the cluster can fire.",
            jobs=("node-exporter",),
        ),
        Alert(
            name="NodeTextFileBroken",
            expr=f"node_textfile_scrape_error{{{NODE}}} == 1",
            for_="15m",
            severity="warning",
            summary="A text file for node-exporter can't be read on {{ $labels.node }} in {{ $labels.cluster }}.",
            description="A script writes what is not the exposition format.",
            jobs=("node-exporter",),
        ),
        Alert(
            name="ProbeFailed",
            expr=f"probe_success{{{PROBES}}} == 0",
            for_="3m",
            severity="critical",
            summary="{{ $labels.instance }} does not answer {{ $labels.cluster }}.",
            description="The probe {{ $labels.probe }} fails for three minutes.",
        ),
        Alert(
            name="ProbeSlow",
            expr=(
                f"avg_over_time(probe_duration_seconds{{{PROBES}}}[10m]) > $threshold\n"
                f"and probe_success{{{PROBES}}} == 1"
            ),
            for_="10m",
            severity="warning",
            summary="{{ $labels.instance }} answers {{ $labels.cluster }} slowly.",
            description="The probe {{ $labels.probe }} takes {{ $value | humanizeDuration }}.",
            threshold=Threshold(value=2, least=0.01, most=60, unit="seconds"),
        ),
        Alert(
            name="ProbeCertificateExpires",
            expr=f"probe_ssl_earliest_cert_expiry{{{PROBES}}} - time() < $threshold",
            for_="1h",
            severity="warning",
            summary="The certificate of {{ $labels.instance }} expires, seen from {{ $labels.cluster }}.",
            description="In {{ $value | humanizeDuration }}; who renews it has not.",
            threshold=Threshold(value=1209600, least=3600, most=7776000, unit="seconds"),
        ),
        Alert(
            name="PushStale",
            expr=f"time() - min {_GROUPS} (push_time_seconds{{{PUSHED}}}) > $threshold",
            severity="warning",
            summary="Job {{ $labels.job }} has stopped pushing to {{ $labels.cluster }}.",
            description="Its last push is {{ $value | humanizeDuration }} old. If it is gone, delete its group.",
            threshold=Threshold(value=93600, least=60, most=2678400, unit="seconds"),
        ),
        Alert(
            name="PushRefused",
            expr=f"max {_GROUPS} (push_failure_time_seconds{{{PUSHED}}} > push_time_seconds{{{PUSHED}}})",
            severity="warning",
            summary="What job {{ $labels.job }} pushes to {{ $labels.cluster }} is refused.",
            description="Its last push was inconsistent with what other groups have pushed.",
        ),
    ),
)
