"""The hub's Prometheus: what comes in, what it costs, whether it keeps up."""

from alerts.sources import SCRAPERS

from .expressions import DOWN_IS_BAD, FULL, ONE, RED, rate_by
from .model import Dashboard, Query, Row, Stat, Step, TimeSeries, Variable

_HUB = Variable("cluster", f"label_values(prometheus_tsdb_head_series{{{SCRAPERS}}}, cluster)")
"""Only what stores samples of its own has this metric: hubs, never agents."""
_HERE = f"{ONE}, {SCRAPERS}"
_NONE = "The hub did not scrape itself."
_LAST_RELOAD = "prometheus_config_last_reload_successful"


def _rate(metric: str, by: str = "cluster", more: str = "") -> str:
    return rate_by(metric, f"{_HERE}{more}", by)


def _asked(part: str) -> str:
    return _rate(f"prometheus_http_request_duration_seconds_{part}", "handler", ', handler=~"/api/v1/query.*"')


_NOW = Row(
    "Now",
    (
        Stat(
            title="Configuration",
            description="1 when the newest file is in use; 0 when it was not valid and the old one stays.",
            empty=_NONE,
            expr=f"min({_LAST_RELOAD}{{{_HERE}}})",
            unit="bool_yes_no",
            steps=DOWN_IS_BAD,
        ),
        Stat(
            title="Series in memory",
            description="Series of the last two to three hours, of all clusters. Memory grows with it.",
            empty=_NONE,
            expr=f"sum(prometheus_tsdb_head_series{{{_HERE}}})",
        ),
        Stat(
            title="Samples stored per second",
            description="Of its own scrapes, its rules, and all agents.",
            empty=_NONE,
            expr=_rate("prometheus_tsdb_head_samples_appended_total"),
            unit="cps",
        ),
        Stat(
            title="Storage used",
            description="Blocks, of what they may fill. At 100 % the oldest samples go before their time.",
            empty="There is no bound on the size, or the hub did not scrape itself.",
            expr=(
                f"max(prometheus_tsdb_storage_blocks_bytes{{{_HERE}}}"
                f" / (prometheus_tsdb_retention_limit_bytes{{{_HERE}}} > 0))"
            ),
            unit="percentunit",
            steps=FULL,
        ),
        Stat(
            title="Oldest sample",
            description="How far back one can ask.",
            empty=_NONE,
            expr=f"time() - min(prometheus_tsdb_lowest_timestamp_seconds{{{_HERE}}})",
            unit="s",
        ),
        Stat(
            title="Up for",
            description="Since its last start.",
            empty=_NONE,
            expr=f"time() - max(process_start_time_seconds{{{_HERE}}})",
            unit="s",
        ),
    ),
)

_IN = Row(
    "What comes in",
    (
        TimeSeries(
            title="Samples stored per second",
            description="A gap is an outage of the hub, a step back one of an agent.",
            empty=_NONE,
            queries=(Query(_rate("prometheus_tsdb_head_samples_appended_total", "type"), "{{type}}"),),
            unit="cps",
        ),
        TimeSeries(
            title="Remote write by answer",
            description="204 is taken. 4xx is lost at the agent, 5xx comes again.",
            empty="No agent has written since the hub started.",
            queries=(Query(_rate("prometheus_http_requests_total", "code", ', handler="/api/v1/write"'), "{{code}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="Samples that can't be stored",
            description="Any that stays is a clock that is wrong, or two senders with one name.",
            empty=_NONE,
            queries=tuple(
                Query(_rate(f"prometheus_tsdb_{why}_samples_total"), why.replace("_", " "))
                for why in ("too_old", "out_of_bound", "out_of_order")
            ),
            unit="cps",
        ),
    ),
)

_COST = Row(
    "What it costs",
    (
        TimeSeries(
            title="Memory",
            description="At the container's limit the hub is killed, and reads its log again for minutes.",
            empty=_NONE,
            queries=(Query(f"max(process_resident_memory_bytes{{{_HERE}}})", "resident"),),
            unit="bytes",
        ),
        TimeSeries(
            title="CPU",
            description="Cores.",
            empty=_NONE,
            queries=(Query(_rate("process_cpu_seconds_total"), "used"),),
            unit="none",
        ),
        TimeSeries(
            title="Series in memory",
            description="Made and gone per second: much of both is churn, most often pods that come and go.",
            empty=_NONE,
            queries=(
                Query(_rate("prometheus_tsdb_head_series_created_total"), "made"),
                Query(_rate("prometheus_tsdb_head_series_removed_total"), "gone"),
            ),
            unit="cps",
        ),
        TimeSeries(
            title="On the volume",
            description="Blocks, and the log of what is not in blocks yet.",
            empty=_NONE,
            queries=(
                Query(f"max(prometheus_tsdb_storage_blocks_bytes{{{_HERE}}})", "blocks"),
                Query(f"max(prometheus_tsdb_wal_storage_size_bytes{{{_HERE}}})", "log"),
                Query(f"max(prometheus_tsdb_retention_limit_bytes{{{_HERE}}})", "limit"),
            ),
            unit="bytes",
        ),
        TimeSeries(
            title="Compaction",
            description="Failures of compaction and of the log. Any is a volume that is full or broken.",
            empty=_NONE,
            queries=(
                Query(_rate("prometheus_tsdb_compactions_failed_total"), "compactions"),
                Query(_rate("prometheus_tsdb_head_truncations_failed_total"), "truncations of the head"),
                Query(_rate("prometheus_tsdb_wal_writes_failed_total"), "writes to the log"),
            ),
            unit="cps",
        ),
        TimeSeries(
            title="Files open",
            description="Share of the files that the process may have open.",
            empty=_NONE,
            queries=(Query(f"max(process_open_fds{{{_HERE}}} / process_max_fds{{{_HERE}}})", "of the limit"),),
            unit="percentunit",
            steps=FULL,
        ),
    ),
)

_OUT = Row(
    "Rules, queries, alerts",
    (
        TimeSeries(
            title="Slowest groups of rules",
            description="Share of its interval that a group's evaluation takes. At 100 % evaluations are left out.",
            empty="No rule was evaluated.",
            queries=(
                Query(
                    f"topk(5, max by (rule_group) (prometheus_rule_group_last_duration_seconds{{{_HERE}}}"
                    f" / prometheus_rule_group_interval_seconds{{{_HERE}}}))",
                    "{{rule_group}}",
                ),
            ),
            unit="percentunit",
            steps=(Step(0.5, RED),),
        ),
        TimeSeries(
            title="Time of queries",
            description="Mean time by path. Slow ones take memory from what comes in.",
            empty="There were no requests.",
            queries=(Query(f"{_asked('sum')} / {_asked('count')}", "{{handler}}"),),
            unit="s",
        ),
        TimeSeries(
            title="Alerts to Alertmanager",
            description="Dropped alerts were not sent to any Alertmanager.",
            empty="The hub has no Alertmanager.",
            queries=(
                Query(_rate("prometheus_notifications_sent_total"), "sent"),
                Query(_rate("prometheus_notifications_dropped_total"), "dropped"),
                Query(_rate("prometheus_notifications_errors_total"), "failed"),
            ),
            unit="cps",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-hub",
    title="Hub Prometheus",
    description="What comes in at the hub, what it costs, whether it keeps up.",
    variables=(_HUB,),
    rows=(_NOW, _IN, _COST, _OUT),
)
