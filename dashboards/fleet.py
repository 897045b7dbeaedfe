"""Every cluster on one page."""

from alerts.sources import SCRAPERS, STATE

from .expressions import (
    ANY_IS_BAD,
    ANY_IS_ODD,
    CLUSTERS,
    DOWN_IS_BAD,
    FULL,
    MANY,
    NO_AGENT,
    RED,
    YELLOW,
    allocatable,
    behind,
    cpu_used,
    memory_used,
    requested,
)
from .model import Column, Dashboard, Link, Query, Row, Stat, Step, Table, TimeSeries

_EXPECTED = f"max by (cluster) (promfleet_cluster_expected{{{MANY}}})"
_SEEN = f"max by (cluster) (timestamp(up{{{MANY}, {SCRAPERS}}}))"
_SEEN_BEFORE = f"max by (cluster) (max_over_time(timestamp(up{{{MANY}, {SCRAPERS}}})[1d:5m]))"
_SAMPLES = f"sum_over_time(scrape_samples_post_metric_relabeling{{{MANY}}}[5m])"
_READY = f'{MANY}, {STATE}, condition="Ready", status="true"'
_AGE = (Step(120, YELLOW), Step(300, RED))
_SILENT = "No cluster that is chosen has reported in this time."


def _alerts(severity: str) -> str:
    return f'count by (cluster) (ALERTS{{{MANY}, alertstate="firing", severity="{severity}"}})'


def _or_zero(expr: str) -> str:
    """A figure of every cluster that is expected, 0 where there is nothing to count."""
    return f"{expr} or on (cluster) 0 * {_EXPECTED}"


_UP = f"up{{{MANY}, {SCRAPERS}}} or on (cluster, instance) 0 * promfleet_agent_shard_expected{{{MANY}}}"
"""Each Prometheus; a shard of an agent that does not report is down."""

CLUSTER_TABLE = Table(
    title="Clusters",
    description="One line per cluster that is expected. Red needs you; a silent cluster has an age only, or nothing.",
    empty="This hub expects no cluster: its rules are not loaded, or the choice above is empty.",
    columns=(
        Column("agent", _or_zero(f"min by (cluster) ({_UP})"), "bool_on_off", DOWN_IS_BAD),
        Column("newest sample", f"time() - ({_SEEN} or {_SEEN_BEFORE})", "s", _AGE),
        Column("nodes", f"count by (cluster) (kube_node_info{{{MANY}, {STATE}}})"),
        Column("pods", f'sum by (cluster) (kube_pod_status_phase{{{MANY}, {STATE}, phase="Running"}})'),
        Column(
            "targets down",
            f"sum by (cluster) (up{{{MANY}}} == bool 0)",
            steps=ANY_IS_ODD,
        ),
        Column("critical", _or_zero(_alerts("critical")), steps=ANY_IS_BAD),
        Column("warning", _or_zero(_alerts("warning")), steps=ANY_IS_ODD),
        Column("cpu", cpu_used(MANY, "cluster"), "percentunit", FULL),
        Column("memory", memory_used(MANY, "cluster"), "percentunit", FULL),
        Column("series", f"sum by (cluster) (scrape_samples_post_metric_relabeling{{{MANY}}})"),
        Column("samples/s", f"sum by (cluster) ({_SAMPLES}) / 300", "cps"),
    ),
    link=Link("Open the cluster", "promfleet-cluster", ("cluster",)),
    sort="critical",
)

CPU = TimeSeries(
    title="CPU used",
    description="Share of all nodes' CPU time that was not idle. Above 80 % for long, pods wait for each other.",
    empty=f"{_SILENT} Its node exporters are missing, or the agent is silent.",
    queries=(Query(cpu_used(MANY, "cluster"), "{{cluster}}"),),
    unit="percentunit",
    steps=FULL,
)
MEMORY = TimeSeries(
    title="Memory used",
    description="Share of all nodes' memory that programs could not have. Near 100 %, pods are evicted or killed.",
    empty=f"{_SILENT} Its node exporters are missing, or the agent is silent.",
    queries=(Query(memory_used(MANY, "cluster"), "{{cluster}}"),),
    unit="percentunit",
    steps=FULL,
)
SAMPLES = TimeSeries(
    title="Samples stored per second",
    description="What scrapes bring. A step upwards is a new exporter, or labels that explode; a gap is an outage.",
    empty=_SILENT,
    queries=(Query(f"sum by (cluster) ({_SAMPLES}) / 300", "{{cluster}}"),),
    unit="cps",
)
LAG = TimeSeries(
    title="Agents behind",
    description="From what was scraped to what was sent. A line that climbs: hub or network take too little.",
    empty=NO_AGENT,
    queries=(Query(behind(MANY, "cluster"), "{{cluster}}"),),
    unit="s",
    steps=(Step(120, RED),),
)

TRENDS = (CPU, MEMORY, SAMPLES, LAG)
"""Panels of lines in a picture of the fleet."""

NOW = Row(
    "Now",
    (
        Stat(
            title="Clusters expected",
            description="Clusters that are to report to this hub.",
            empty="The hub's rules are not loaded.",
            expr=f"count({_EXPECTED})",
        ),
        Stat(
            title="Clusters silent",
            description="Clusters not heard of for five minutes: agent, network or token failed.",
            empty="The hub's rules are not loaded.",
            expr=f"count({_EXPECTED} unless on (cluster) up{{{MANY}, {SCRAPERS}}}) or vector(0)",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Critical alerts",
            description="Alerts that fire and that someone is woken for.",
            empty="The hub answers nothing.",
            expr=f'count(ALERTS{{{MANY}, alertstate="firing", severity="critical"}}) or vector(0)',
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Warnings",
            description="Alerts that fire and that can wait for the day.",
            empty="The hub answers nothing.",
            expr=f'count(ALERTS{{{MANY}, alertstate="firing", severity="warning"}}) or vector(0)',
            steps=ANY_IS_ODD,
        ),
        Stat(
            title="Nodes",
            description="Nodes of all clusters that are chosen.",
            empty=_SILENT,
            expr=f"count(kube_node_info{{{MANY}, {STATE}}})",
        ),
        Stat(
            title="Series",
            description="Series that the last scrapes brought: what the hub's memory and volume grow with.",
            empty=_SILENT,
            expr=f"sum(scrape_samples_post_metric_relabeling{{{MANY}}})",
        ),
    ),
)

_CAPACITY = Row(
    "Capacity",
    (
        CPU,
        MEMORY,
        TimeSeries(
            title="Nodes that are ready",
            description="A drop is a node that was lost, or one that was taken away.",
            empty=f"{_SILENT} Its kube-state-metrics is missing, or the agent is silent.",
            queries=(
                Query(
                    f"sum by (cluster) (kube_node_status_condition{{{_READY}}})",
                    "{{cluster}}",
                ),
            ),
            unit="none",
        ),
        TimeSeries(
            title="CPU requested",
            description="What pods ask for, of what nodes can give to pods. At 100 % no further pod is placed.",
            empty=f"{_SILENT} Or no pod has a resource request.",
            queries=(Query(f"{requested('cpu', MANY)} / {allocatable('cpu', MANY)}", "{{cluster}}"),),
            unit="percentunit",
            steps=FULL,
        ),
        TimeSeries(
            title="Memory requested",
            description="What pods ask for, of what nodes can give to pods. At 100 % no further pod is placed.",
            empty=f"{_SILENT} Or no pod has a resource request.",
            queries=(Query(f"{requested('memory', MANY)} / {allocatable('memory', MANY)}", "{{cluster}}"),),
            unit="percentunit",
            steps=FULL,
        ),
        TimeSeries(
            title="Pods that run",
            description="A drop is a deployment that was taken away, or a cluster in trouble.",
            empty=f"{_SILENT} Its kube-state-metrics is missing, or the agent is silent.",
            queries=(
                Query(f'sum by (cluster) (kube_pod_status_phase{{{MANY}, {STATE}, phase="Running"}})', "{{cluster}}"),
            ),
            unit="none",
        ),
    ),
)

_FRESHNESS = Row(
    "Freshness",
    (
        TimeSeries(
            title="Age of the newest sample",
            description="Above two scrape intervals a cluster is late; after five minutes of silence its line ends.",
            empty=_SILENT,
            queries=(Query(f"time() - {_SEEN}", "{{cluster}}"),),
            unit="s",
            steps=_AGE,
        ),
        LAG,
        TimeSeries(
            title="Alerts firing",
            description="By severity. What fires in every cluster at once has one cause.",
            empty="Nothing fires.",
            queries=(
                Query(
                    f'count by (cluster, severity) (ALERTS{{{MANY}, alertstate="firing", severity!="none"}})',
                    "{{cluster}} {{severity}}",
                ),
            ),
            unit="none",
        ),
    ),
)

_COST = Row(
    "Cost",
    (
        SAMPLES,
        TimeSeries(
            title="Series by cluster",
            description="Series that the last scrapes brought. Each takes memory of its agent and of the hub.",
            empty=_SILENT,
            queries=(Query(f"sum by (cluster) (scrape_samples_post_metric_relabeling{{{MANY}}})", "{{cluster}}"),),
        ),
        TimeSeries(
            title="Series by job",
            description="The ten jobs that bring most, over all clusters that are chosen.",
            empty=_SILENT,
            queries=(Query(f"topk(10, sum by (job) (scrape_samples_post_metric_relabeling{{{MANY}}}))", "{{job}}"),),
            stacked=True,
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-fleet",
    title="Fleet overview",
    description="Every cluster that reports to this hub: is it well, is it fresh, is it full, what does it cost.",
    variables=(CLUSTERS,),
    rows=(NOW, Row("Clusters", (CLUSTER_TABLE,)), _CAPACITY, _FRESHNESS, _COST),
)
