"""Series: which cluster, job and target brings them, and which grows."""

from alerts.sources import SCRAPERS

from .expressions import CLUSTERS, MANY, RED, YELLOW
from .model import Column, Dashboard, Query, Row, Step, Table, TimeSeries, Variable

_JOB = Variable("job", f"label_values(scrape_samples_post_metric_relabeling{{{MANY}}}, job)", many=True)
_HERE = f'{MANY}, job=~"$job"'
_ITSELF = f"{MANY}, {SCRAPERS}"
_BROUGHT = f"scrape_samples_post_metric_relabeling{{{_HERE}}}"
_EXPOSED = f"scrape_samples_scraped{{{_HERE}}}"
_NEW = f"sum_over_time(scrape_series_added{{{_HERE}}}[1h])"
_NONE = "No scrape of what is chosen arrived in this time."
_BY = "cluster, job"
_OF = "{{cluster}} {{job}}"

_JOBS = Table(
    title="Jobs",
    description="What each job brings, what of that is new, and what its keep list saves. New ones cost most.",
    empty=_NONE,
    columns=(
        Column("targets", f"count by ({_BY}) (up{{{_HERE}}})", "none"),
        Column("series", f"sum by ({_BY}) ({_BROUGHT})"),
        Column("a day ago", f"sum by ({_BY}) ({_BROUGHT} offset 1d)"),
        Column("new in an hour", f"sum by ({_BY}) ({_NEW})"),
        Column("exposed", f"sum by ({_BY}) ({_EXPOSED})"),
        Column("kept", f"sum by ({_BY}) ({_BROUGHT}) / sum by ({_BY}) ({_EXPOSED})", "percentunit"),
        Column("samples/s", f"sum by ({_BY}) (sum_over_time({_BROUGHT}[5m])) / 300", "cps"),
    ),
    sort="series",
)
_TARGETS = Table(
    title="Targets that bring most",
    description="The twenty greatest, and how near each is to its limit; over it, the whole scrape is refused.",
    empty=_NONE,
    columns=(
        Column("series", f"topk(20, max by ({_BY}, instance) ({_BROUGHT}))"),
        Column(
            "of the limit",
            f"max by ({_BY}, instance) ({_BROUGHT} / (scrape_sample_limit{{{_HERE}}} > 0))"
            f" and topk(20, max by ({_BY}, instance) ({_BROUGHT}))",
            "percentunit",
            (Step(0.6, YELLOW), Step(0.8, RED)),
        ),
    ),
    sort="series",
)
_NAMES = Table(
    title="Metrics with most series",
    description="Of annotated pods and services, whose metrics no list thins out; of all jobs it would cost too much.",
    empty="No pod or service is annotated, or none of those that are chosen.",
    columns=(
        Column("series", f'topk(20, count by (cluster, job, namespace, __name__) ({{{_HERE}, job=~"pods|services"}}))'),
    ),
    sort="series",
)

_GROWTH = Row(
    "Growth",
    (
        TimeSeries(
            title="Series by job",
            description="A step is a new version or exporter; a slope is a label with ever new values.",
            empty=_NONE,
            queries=(Query(f"topk(10, sum by ({_BY}) ({_BROUGHT}))", _OF),),
            stacked=True,
        ),
        TimeSeries(
            title="New series per hour",
            description="Churn: each new series costs memory for hours, even if it never comes again.",
            empty=_NONE,
            queries=(Query(f"topk(10, sum by ({_BY}) ({_NEW}))", _OF),),
        ),
        TimeSeries(
            title="Active series at the hub",
            description="What the hub holds in memory, of all clusters: series of the last two to three hours.",
            empty="No hub is among the clusters that are chosen.",
            queries=(Query(f"sum by (cluster) (prometheus_tsdb_head_series{{{_ITSELF}}})", "{{cluster}}"),),
        ),
        TimeSeries(
            title="Active series at the agents",
            description="What each agent holds in memory.",
            empty="No agent is among the clusters that are chosen.",
            queries=(Query(f"sum by (cluster) (prometheus_agent_active_series{{{_ITSELF}}})", "{{cluster}}"),),
        ),
        TimeSeries(
            title="Time of scrapes",
            description="The slowest target of each job. At the timeout the scrape is thrown away.",
            empty=_NONE,
            queries=(Query(f"topk(10, max by ({_BY}) (scrape_duration_seconds{{{_HERE}}}))", _OF),),
            unit="s",
        ),
        TimeSeries(
            title="Size of scrapes",
            description="The largest answer of each job, before compression. Over the limit a scrape is refused.",
            empty=_NONE,
            queries=(Query(f"topk(10, max by ({_BY}) (scrape_body_size_bytes{{{_HERE}}}))", _OF),),
            unit="bytes",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-cardinality",
    title="Cardinality",
    description="Which cluster, job and target brings series, and which grows.",
    variables=(CLUSTERS, _JOB),
    rows=(Row("Jobs", (_JOBS,)), _GROWTH, Row("Targets", (_TARGETS, _NAMES))),
    since="now-24h",
)
