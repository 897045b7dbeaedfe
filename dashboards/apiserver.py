"""API servers: availability, latency, and requests by client."""

from alerts.sources import APISERVERS

from .expressions import CLUSTERS, DOWN_IS_BAD, MANY, RED, quantile, rate_by
from .model import Column, Dashboard, Query, Row, Step, Table, TimeSeries

_HERE = f"{MANY}, {APISERVERS}"
_NONE = "Nothing came from an API server: it can't be scraped here, or the cluster's agent is down."
_FAILED = ', code=~"5.."'
_READS, _WRITES = 'verb=~"GET|LIST"', 'verb=~"POST|PUT|PATCH|DELETE|APPLY"'


def _requests(by: str, more: str = "") -> str:
    return rate_by("apiserver_request_total", f"{_HERE}{more}", f"cluster{by}")


def _etcd(part: str) -> str:
    return rate_by(f"etcd_request_duration_seconds_{part}", _HERE, "cluster, operation")


def _slow(verbs: str) -> tuple[Query, ...]:
    histogram = "apiserver_request_sli_duration_seconds"
    return (Query(quantile(0.99, histogram, f"{_HERE}, {verbs}", "cluster"), "{{cluster}}"),)


_SERVERS = Table(
    title="API servers",
    description="Each server that was found, and what it holds and does.",
    empty=_NONE,
    columns=(
        Column("up", f"max by (cluster, instance) (up{{{_HERE}}})", "bool_on_off", DOWN_IS_BAD),
        Column("requests/s", f"sum by (cluster, instance) (rate(apiserver_request_total{{{_HERE}}}[5m]))", "reqps"),
        Column("memory", f"sum by (cluster, instance) (process_resident_memory_bytes{{{_HERE}}})", "bytes"),
        Column("cpu", f"sum by (cluster, instance) (rate(process_cpu_seconds_total{{{_HERE}}}[5m]))", "none"),
        Column("goroutines", f"sum by (cluster, instance) (go_goroutines{{{_HERE}}})"),
    ),
    sort="requests/s",
    height=6,
)

_ANSWERS = Row(
    "Answers",
    (
        TimeSeries(
            title="Errors",
            description="Share of the requests that ended with 5xx. Above 0.1 % for long, deployments begin to fail.",
            empty=_NONE,
            queries=(
                Query(
                    f"({_requests('', _FAILED)} or on (cluster) 0 * {_requests('')}) / {_requests('')}", "{{cluster}}"
                ),
            ),
            unit="percentunit",
            steps=(Step(0.001, RED),),
        ),
        TimeSeries(
            title="Requests by code",
            description="Many 429 are a server that protects itself, many 409 controllers in each other's way.",
            empty=_NONE,
            queries=(Query(_requests(", code"), "{{cluster}} {{code}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="Requests by verb",
            description="Many LISTs are clients that do not watch, and cost most.",
            empty=_NONE,
            queries=(Query(_requests(", verb"), "{{cluster}} {{verb}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="Slowest reads",
            description=(
                "99 of 100 GETs and LISTs took less, without the time in webhooks and queues of one's own. "
                "Estimated between 0.1, 0.4, 1, 5 and 60 s."
            ),
            empty=_NONE,
            queries=_slow(_READS),
            unit="s",
        ),
        TimeSeries(
            title="Slowest writes",
            description=(
                "99 of 100 writes took less. Above a second, etcd's disk or size is to blame most often. "
                "Estimated between 0.1, 0.4, 1, 5 and 60 s."
            ),
            empty=_NONE,
            queries=_slow(_WRITES),
            unit="s",
        ),
        TimeSeries(
            title="Requests in flight",
            description="By kind. What exceeds the server's limits waits, then is refused with 429.",
            empty=_NONE,
            queries=(
                Query(
                    f"sum by (cluster, request_kind) (apiserver_current_inflight_requests{{{_HERE}}})",
                    "{{cluster}} {{request_kind}}",
                ),
            ),
            unit="none",
        ),
    ),
)

_STORAGE = Row(
    "Storage",
    (
        TimeSeries(
            title="etcd by operation",
            description="Mean time of a request to etcd. Above 100 ms everything is slow.",
            empty=_NONE,
            queries=(Query(f"{_etcd('sum')} / {_etcd('count')}", "{{cluster}} {{operation}}"),),
            unit="s",
        ),
        TimeSeries(
            title="Size of the storage",
            description="etcd refuses writes at its quota, 2 GiB unless it was raised.",
            empty="This API server does not tell the size of its storage.",
            queries=(Query(f"max by (cluster) (apiserver_storage_size_bytes{{{_HERE}}})", "{{cluster}}"),),
            unit="bytes",
        ),
        TimeSeries(
            title="Objects",
            description="The ten kinds of which there are most. One that only climbs is a controller that leaks.",
            empty=_NONE,
            queries=(
                Query(
                    f"topk(10, max by (cluster, resource) (apiserver_storage_objects{{{_HERE}}}))",
                    "{{cluster}} {{resource}}",
                ),
            ),
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-apiserver",
    title="API servers",
    description="Do the API servers answer, how fast, and what do they hold.",
    variables=(CLUSTERS,),
    rows=(Row("Now", (_SERVERS,)), _ANSWERS, _STORAGE),
)
