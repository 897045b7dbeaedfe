"""What is scraped: targets and exporters that are down, probes, pushes."""

from .model import Alert, Group, Record, Threshold
from .sources import KSM, NODE, PROBES, PUSHED, STATE

_UP = "cluster_job:up:sum"
_GROUPS = "without (alertname, severity, team)"
"""Groups of pushes that differ in what an alert's own labels replace would be one alert, which fails its rule."""
_WATCHED = "apiserver|coredns|kube-state-metrics|kubelet|node-exporter"


_ITSELF = 'instance!="kube-state-metrics-telemetry"'
"""kube-state-metrics' telemetry port, which may be up while its port for metrics of objects is down."""


def _requests_fail(verb: str) -> Alert:
    """Successes are not kept: a counter per kind of object, so that the errors are counted and not their share."""
    return Alert(
        name=f"KubeStateMetrics{verb.title()}Errors",
        expr=(
            "sum by (cluster, resource) (\n"
            f'  increase(kube_state_metrics_{verb}_total{{{STATE}, result="error"}}[10m])\n'
            ") > $threshold"
        ),
        for_="15m",
        severity="critical",
        summary=f"kube-state-metrics of {{{{ $labels.cluster }}}} fails to {verb} {{{{ $labels.resource }}}}.",
        description=(
            "{{ $value | printf `%.0f` }} requests failed in ten minutes. Metrics about these objects are missing or "
            "old, and alerts on them can't fire."
        ),
        threshold=Threshold(value=3, least=0, most=1000, unit="count"),
        jobs=KSM,
    )


def _gone(job: str) -> str:
    """Nothing of a job is up though something was within a day, and the cluster is not silent as a whole."""
    return (
        f'max_over_time({_UP}{{job="{job}"}}[1d]) > 0\n'
        f'unless on (cluster) {_UP}{{job="{job}"}} > 0\n'
        'and on (cluster) up{job="prometheus"} == 1'
    )


EXPORTERS = Group(
    name="exporters",
    records=(Record(name=_UP, expr=f'sum by (cluster, job) (up{{job=~"{_WATCHED}", {_ITSELF}}})'),),
    alerts=(
        Alert(
            name="TargetDown",
            # API servers and kubelets have alerts of their own.
            expr='up{job!~"apiserver|kubelet"} == 0',
            for_="10m",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} can't be scraped.",
            description="Every scrape of the target failed for ten minutes. It is down, or refuses Prometheus.",
        ),
        Alert(
            name="KubeAPIDown",
            expr=_gone("apiserver"),
            for_="5m",
            severity="critical",
            summary="No API server of {{ $labels.cluster }} can be scraped any more.",
            description="The API servers are down, or refuse Prometheus.",
            jobs=("apiserver",),
        ),
        Alert(
            name="KubeletDown",
            expr=_gone("kubelet"),
            for_="15m",
            severity="critical",
            summary="No kubelet of {{ $labels.cluster }} can be scraped any more.",
            description="No alert on the containers and volumes of the cluster can fire.",
            jobs=("kubelet",),
        ),
        Alert(
            name="CoreDNSDown",
            expr=_gone("coredns"),
            for_="15m",
            severity="critical",
            summary="CoreDNS of {{ $labels.cluster }} can't be scraped any more.",
            description="If CoreDNS is down, no name is resolved in the cluster.",
            jobs=("coredns",),
        ),
        Alert(
            name="KubeStateMetricsDown",
            expr=_gone("kube-state-metrics"),
            for_="15m",
            severity="critical",
            summary="kube-state-metrics of {{ $labels.cluster }} can't be scraped any more.",
            description="No alert on workloads, jobs, volume claims or nodes of the cluster can fire.",
            jobs=KSM,
        ),
        _requests_fail("list"),
        _requests_fail("watch"),
        Alert(
            name="NodeExporterDown",
            expr=_gone("node-exporter"),
            for_="15m",
            severity="critical",
            summary="No node-exporter of {{ $labels.cluster }} can be scraped any more.",
            description="No alert on the CPU, memory, disks and network of its nodes can fire.",
            jobs=("node-exporter",),
        ),
        Alert(
            name="NodeTextFileCollectorScrapeError",
            expr=f"node_textfile_scrape_error{{{NODE}}} == 1",
            for_="15m",
            severity="warning",
            summary="node-exporter on {{ $labels.node }} in {{ $labels.cluster }} can't read a text file.",
            description="A script writes a file for the textfile collector that is not in the exposition format.",
            jobs=("node-exporter",),
        ),
        Alert(
            name="ProbeFailed",
            expr=f"probe_success{{{PROBES}}} == 0",
            for_="3m",
            severity="critical",
            summary="{{ $labels.instance }} does not answer, probed from {{ $labels.cluster }}.",
            description="The probe {{ $labels.probe }} has failed for three minutes.",
        ),
        Alert(
            name="ProbeSlow",
            expr=(
                f"avg_over_time(probe_duration_seconds{{{PROBES}}}[10m]) > $threshold\n"
                f"and probe_success{{{PROBES}}} == 1"
            ),
            for_="10m",
            severity="warning",
            summary="{{ $labels.instance }} answers slowly, probed from {{ $labels.cluster }}.",
            description="The probe {{ $labels.probe }} takes {{ $value | humanizeDuration }} on average.",
            threshold=Threshold(value=2, least=0.01, most=60, unit="seconds"),
        ),
        Alert(
            name="ProbeCertificateExpires",
            expr=f"probe_ssl_last_chain_expiry_timestamp_seconds{{{PROBES}}} - time() < $threshold",
            for_="1h",
            severity="warning",
            summary="The certificate of {{ $labels.instance }} expires soon, probed from {{ $labels.cluster }}.",
            description="It expires in {{ $value | humanizeDuration }} and has not been renewed.",
            threshold=Threshold(value=1209600, least=3600, most=7776000, unit="seconds"),
        ),
        Alert(
            name="PushStale",
            expr=f"time() - min {_GROUPS} (push_time_seconds{{{PUSHED}}}) > $threshold",
            severity="warning",
            summary="Job {{ $labels.job }} has stopped pushing to {{ $labels.cluster }}.",
            description=(
                "Its last push is {{ $value | humanizeDuration }} old. If the job no longer exists, delete its group."
            ),
            threshold=Threshold(value=93600, least=60, most=2678400, unit="seconds"),
        ),
        Alert(
            name="PushRefused",
            expr=f"max {_GROUPS} (push_failure_time_seconds{{{PUSHED}}} > push_time_seconds{{{PUSHED}}})",
            severity="warning",
            summary="The Pushgateway in {{ $labels.cluster }} refuses what job {{ $labels.job }} pushes.",
            description="Its last push contradicts what other groups pushed: another type or help text of a metric.",
        ),
    ),
)
