"""Endpoints as users see them: probed from the hub's cluster by blackbox_exporter."""

from .expressions import CLUSTERS, DOWN_IS_BAD, MANY, RED, YELLOW
from .model import Column, Dashboard, Query, Row, Step, Table, TimeSeries, Variable

_PROBER = 'job="blackbox"'
_CLUSTERS = CLUSTERS._replace(query=f"label_values(probe_success{{{_PROBER}}}, cluster)")
_PROBE = Variable("probe", f"label_values(probe_success{{{MANY}, {_PROBER}}}, probe)", many=True)
_HERE = f'{MANY}, {_PROBER}, probe=~"$probe"'
_LINE = "probe, instance"
_BY = f"cluster, {_LINE}"
_OF = "{{probe}} {{instance}}"
_NONE = "Nothing was probed: the stack file has no probes, or the prober is down."
_EXPIRY = (Step(0, RED), Step(7 * 86400, YELLOW), Step(21 * 86400, "green"))

_ENDPOINTS = Table(
    title="Endpoints",
    description="Does it answer, how often did it, how fast, and when does its certificate end.",
    empty=_NONE,
    columns=(
        Column("answers", f"min by ({_BY}) (probe_success{{{_HERE}}})", "bool_yes_no", DOWN_IS_BAD),
        Column("in a day", f"avg by ({_BY}) (avg_over_time(probe_success{{{_HERE}}}[1d]))", "percentunit"),
        Column("took", f"max by ({_BY}) (probe_duration_seconds{{{_HERE}}})", "s"),
        Column("status", f"max by ({_BY}) (probe_http_status_code{{{_HERE}}})", "none"),
        Column(
            "certificate ends in",
            f"min by ({_BY}) (probe_ssl_last_chain_expiry_timestamp_seconds{{{_HERE}}}) - time()",
            "s",
            _EXPIRY,
        ),
    ),
    sort="took",
)

_TREND = Row(
    "Over time",
    (
        TimeSeries(
            title="Answers",
            description="1 is an answer, 0 is none.",
            empty=_NONE,
            queries=(Query(f"min by ({_LINE}) (probe_success{{{_HERE}}})", _OF),),
            unit="none",
        ),
        TimeSeries(
            title="Time",
            description="From the first question for its name to the last byte.",
            empty=_NONE,
            queries=(Query(f"max by ({_LINE}) (probe_duration_seconds{{{_HERE}}})", _OF),),
            unit="s",
        ),
        TimeSeries(
            title="Time by phase",
            description="Slow resolve is DNS, slow connect the network, slow processing the server itself.",
            empty="No endpoint is probed over HTTP.",
            queries=(Query(f"max by (phase) (probe_http_duration_seconds{{{_HERE}}})", "{{phase}}"),),
            unit="s",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-probes",
    title="Probes",
    description="Endpoints as users see them: probed from the hub's cluster.",
    variables=(_CLUSTERS, _PROBE),
    rows=(Row("Now", (_ENDPOINTS,)), _TREND),
)
