"""Thanos' Receive and Ruler: what is written to them, whether it is kept, and whether rules are evaluated."""

from .expressions import ONE, RED, quantile, rate_by
from .model import Dashboard, Query, Row, Step, TimeSeries, Variable

_CLUSTER = Variable("cluster", 'label_values(thanos_status{job=~"thanos-(receive|ruler)"}, cluster)')
_RECEIVE, _RULER = (f'{ONE}, job="thanos-{role}"' for role in ("receive", "ruler"))
_WRITE = f'{_RECEIVE}, handler="receive"'
_NO_RECEIVE = "This stack has no Receive, or it had no writes."
_NO_RULER = "This stack has no Ruler, or it has no rules."


_WRITTEN = Row(
    "Receive: what is written",
    (
        TimeSeries(
            title="Samples by tenant",
            description="What routers took. A line that ends is a cluster whose agent is silent.",
            empty=_NO_RECEIVE,
            queries=(
                Query(rate_by("thanos_receive_write_samples_sum", f'{_RECEIVE}, code="200"', "tenant"), "{{tenant}}"),
            ),
            unit="cps",
        ),
        TimeSeries(
            title="Writes by answer",
            description="429 is a tenant above its limit, 5xx comes again, other 4xx is lost at the agent.",
            empty=_NO_RECEIVE,
            queries=(Query(rate_by("http_requests_total", _WRITE, "code"), "{{code}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="Slow writes",
            description="The time that 99 of 100 did not exceed. It decides how much an agent's shard can send.",
            empty=_NO_RECEIVE,
            queries=(Query(quantile(0.99, "http_request_duration_seconds", _WRITE, "instance"), "{{instance}}"),),
            unit="s",
            steps=(Step(10, RED),),
        ),
        TimeSeries(
            title="Series by tenant",
            description="In memory, each counted in every ingestor that has it.",
            empty=_NO_RECEIVE,
            queries=(Query(f"sum by (tenant) (prometheus_tsdb_head_series{{{_RECEIVE}}})", "{{tenant}}"),),
        ),
        TimeSeries(
            title="Refused for too many series",
            description="Writes of tenants above their limit. Their agents wait; what outlives an agent's log is lost.",
            empty="No tenant was ever above its limit.",
            queries=(
                Query(rate_by("thanos_receive_head_series_limited_requests_total", _RECEIVE, "tenant"), "{{tenant}}"),
            ),
            unit="reqps",
        ),
        TimeSeries(
            title="Samples that can't be stored",
            description="Any that stays is a clock that is wrong, or two senders with one name.",
            empty=_NO_RECEIVE,
            queries=tuple(
                Query(f"sum(rate(prometheus_tsdb_{why}_samples_total{{{_RECEIVE}}}[$__rate_interval]))", title)
                for why, title in (
                    ("too_old", "too old"),
                    ("out_of_bound", "out of bound"),
                    ("out_of_order", "out of order"),
                )
            ),
            unit="cps",
        ),
    ),
)

_KEPT = Row(
    "Receive: what is kept",
    (
        TimeSeries(
            title="Ingestors",
            description="In the hashring, and up. Fewer up than in the ring: samples lack a copy.",
            empty=_NO_RECEIVE,
            queries=(
                Query(f"max(thanos_receive_hashring_nodes{{{_RECEIVE}}})", "in the ring"),
                Query(f"count(thanos_objstore_bucket_last_successful_upload_time{{{_RECEIVE}}})", "up"),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Copies",
            description="What routers forward to ingestors. Errors are copies that are missing.",
            empty=_NO_RECEIVE,
            queries=(Query(rate_by("thanos_receive_forward_requests_total", _RECEIVE, "result"), "{{result}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="On the volumes",
            description="Blocks and log of the fullest ingestor.",
            empty=_NO_RECEIVE,
            queries=(
                Query(
                    f"max(sum by (instance) (prometheus_tsdb_storage_blocks_bytes{{{_RECEIVE}}}))",
                    "blocks",
                ),
                Query(
                    f"max(sum by (instance) (prometheus_tsdb_wal_storage_size_bytes{{{_RECEIVE}}}))",
                    "log",
                ),
            ),
            unit="bytes",
        ),
    ),
)

_RULES = Row(
    "Ruler",
    (
        TimeSeries(
            title="Evaluations",
            description="Failed ones are alerts that can't fire.",
            empty=_NO_RULER,
            queries=(
                Query(rate_by("prometheus_rule_evaluations_total", _RULER, "instance"), "{{instance}}"),
                Query(rate_by("prometheus_rule_evaluation_failures_total", _RULER, "instance"), "{{instance}} failed"),
            ),
            unit="ops",
        ),
        TimeSeries(
            title="Slowest groups of rules",
            description="Share of its interval that a group's evaluation takes. At 100 % evaluations are left out.",
            empty=_NO_RULER,
            queries=(
                Query(
                    f"topk(5, max by (rule_group) (prometheus_rule_group_last_duration_seconds{{{_RULER}}}"
                    f" / prometheus_rule_group_interval_seconds{{{_RULER}}}))",
                    "{{rule_group}}",
                ),
            ),
            unit="percentunit",
            steps=(Step(0.5, RED),),
        ),
        TimeSeries(
            title="Alerts to Alertmanager",
            description="Dropped alerts were not sent to any Alertmanager.",
            empty=_NO_RULER,
            queries=tuple(
                Query(f"sum(rate(thanos_alert_{metric}{{{_RULER}}}[$__rate_interval]))", title)
                for metric, title in (
                    ("sender_alerts_sent_total", "sent"),
                    ("sender_alerts_dropped_total", "dropped, no Alertmanager took them"),
                    ("queue_alerts_dropped_total", "dropped, the queue was full"),
                )
            ),
            unit="cps",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-thanos-writes",
    title="Thanos Receive and Ruler",
    description="What is written to Receive, is it kept often enough, does the Ruler evaluate.",
    variables=(_CLUSTER,),
    rows=(_WRITTEN, _KEPT, _RULES),
)
