"""Remote write: what agents send, what waits, and what is lost."""

from alerts.sources import SCRAPERS, SENDERS

from .expressions import ANY_IS_BAD, CLUSTERS, MANY, NO_AGENT, RED, behind, rate_by
from .model import Column, Dashboard, Query, Row, Step, Table, TimeSeries

_BY = "cluster, instance, remote_name"
"""Each shard of an agent by itself: the others say nothing of one that is behind."""
_OF = "{{cluster}} {{instance}} {{remote_name}}"
_QUEUE = "prometheus_remote_storage"
_HERE = f"{MANY}, {SENDERS}"
_AGENT = f"{MANY}, {SCRAPERS}"


def _rate(metric: str, by: str = _BY) -> str:
    return rate_by(metric, _HERE, by)


def _most(metric: str) -> str:
    return f"max by ({_BY}) ({metric}{{{_HERE}}})"


_AGENTS = Table(
    title="Agents",
    description="Each place that an agent or a shard writes to. Behind and failing is data on its way to be lost.",
    empty=NO_AGENT,
    columns=(
        Column("behind", behind(MANY, _BY), "s", (Step(120, RED),)),
        Column("samples/s", f"sum by ({_BY}) (rate({_QUEUE}_samples_total{{{_HERE}}}[5m]))", "cps"),
        Column("bytes/s", f"sum by ({_BY}) (rate({_QUEUE}_bytes_total{{{_HERE}}}[5m]))", "Bps"),
        Column("shards", _most(f"{_QUEUE}_shards"), "none"),
        Column("of at most", _most(f"{_QUEUE}_shards_max"), "none"),
        Column(
            "refused, 1 h",
            f"sum by ({_BY}) (increase({_QUEUE}_samples_failed_total{{{_HERE}}}[1h]))",
            "none",
            ANY_IS_BAD,
        ),
    ),
    sort="behind",
)

_SENT = Row(
    "Sent",
    (
        TimeSeries(
            title="Behind",
            description="From what was scraped to what was sent. A line that climbs: hub or network take too little.",
            empty=NO_AGENT,
            queries=(Query(behind(MANY, _BY), _OF),),
            unit="s",
            steps=(Step(120, RED),),
        ),
        TimeSeries(
            title="Samples per second",
            description="What was sent. Above its usual level after an outage an agent catches up.",
            empty=NO_AGENT,
            queries=(Query(_rate(f"{_QUEUE}_samples_total"), _OF),),
            unit="cps",
        ),
        TimeSeries(
            title="Bytes per second",
            description="What the network carries, compressed: what traffic between regions costs.",
            empty=NO_AGENT,
            queries=(Query(_rate(f"{_QUEUE}_bytes_total"), _OF),),
            unit="Bps",
        ),
        TimeSeries(
            title="Shards wanted",
            description="Senders that the agent would like, of those that it may have. At 1 it can't keep up.",
            empty=NO_AGENT,
            queries=(Query(f"{_most(f'{_QUEUE}_shards_desired')} / {_most(f'{_QUEUE}_shards_max')}", _OF),),
            unit="percentunit",
            steps=(Step(1, RED),),
        ),
        TimeSeries(
            title="Samples that wait",
            description="Read from the log and not yet taken by the receiver.",
            empty=NO_AGENT,
            queries=(Query(_most(f"{_QUEUE}_samples_pending"), _OF),),
        ),
        TimeSeries(
            title="Time of a request",
            description="Mean time until the receiver has taken a batch. It decides how much a shard can send.",
            empty=NO_AGENT,
            queries=(
                Query(
                    f"{_rate(f'{_QUEUE}_sent_batch_duration_seconds_sum')}"
                    f" / {_rate(f'{_QUEUE}_sent_batch_duration_seconds_count')}",
                    _OF,
                ),
            ),
            unit="s",
        ),
    ),
)

_LOST = Row(
    "Refused and lost",
    (
        TimeSeries(
            title="Refused",
            description="Samples that the receiver answered 4xx to: they are lost. Any is a token, a name or a limit.",
            empty=NO_AGENT,
            queries=(Query(_rate(f"{_QUEUE}_samples_failed_total"), _OF),),
            unit="cps",
        ),
        TimeSeries(
            title="Dropped before sending",
            description="By reason; `too_old` is what an outage outlived, the others are rules of one's own.",
            empty="Nothing was dropped.",
            queries=(Query(_rate(f"{_QUEUE}_samples_dropped_total", f"{_BY}, reason"), f"{_OF} {{{{reason}}}}"),),
            unit="cps",
        ),
        TimeSeries(
            title="Sent again",
            description="After 5xx, 429 or no answer. Nothing is lost by it, but agents fall behind.",
            empty=NO_AGENT,
            queries=(Query(_rate(f"{_QUEUE}_samples_retried_total"), _OF),),
            unit="cps",
        ),
    ),
)

_ITSELF = Row(
    "The agents themselves",
    (
        TimeSeries(
            title="Memory",
            description="Follows the series. At its limit an agent is killed, and loses what it had not sent.",
            empty=NO_AGENT,
            queries=(
                Query(
                    f"max by (cluster, instance) (process_resident_memory_bytes{{{_AGENT}}})",
                    "{{cluster}} {{instance}}",
                ),
            ),
            unit="bytes",
        ),
        TimeSeries(
            title="Log on disk",
            description="Grows with the samples that an agent keeps for an outage. Its volume must hold it.",
            empty=NO_AGENT,
            unit="bytes",
            queries=(
                Query(
                    f"max by (cluster, instance) (prometheus_tsdb_wal_storage_size_bytes{{{_AGENT}}})",
                    "{{cluster}} {{instance}}",
                ),
            ),
        ),
        TimeSeries(
            title="CPU",
            description="Cores.",
            empty=NO_AGENT,
            queries=(
                Query(
                    f"max by (cluster, instance) (rate(process_cpu_seconds_total{{{_AGENT}}}[$__rate_interval]))",
                    "{{cluster}} {{instance}}",
                ),
            ),
            unit="none",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-agents",
    title="Remote write and agents",
    description="What agents send, what waits, and what is lost.",
    variables=(CLUSTERS,),
    rows=(Row("Now", (_AGENTS,)), _SENT, _LOST, _ITSELF),
)
