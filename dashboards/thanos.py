"""Thanos by role: are its pods ready, do they answer, and how fast."""

from .expressions import ANY_IS_BAD, FULL, ONE, RED, quantile, rate_by
from .model import Column, Dashboard, Query, Row, Stat, Step, Table, TimeSeries, Variable

_CLUSTER = Variable("cluster", 'label_values(thanos_build_info{job=~"thanos-.+"}, cluster)')
_QUERY, _FRONTEND, _STORE, _SIDECAR = (
    f'{ONE}, job="thanos-{role}"' for role in ("query", "query-frontend", "store", "sidecar")
)
_ALL = f'{ONE}, job=~"thanos-.+"'
_PODS = "job, instance"
_NONE = "This stack has no Thanos, or nothing came from it."
_NO_FRONTEND = "This stack has no Query Frontend, or it had no requests."
_NO_REQUESTS = "There were no requests."


def _share(part: str, whole: str, where: str, by: str) -> str:
    return f"{rate_by(part, where, by)} / {rate_by(whole, where, by)}"


_NOW = Row(
    "Now",
    (
        Stat(
            title="Pods not ready",
            description="Of all roles. Any that stays is in the table below.",
            empty=_NONE,
            expr=f'sum(thanos_status{{{_ALL}, check="ready"}} == bool 0)',
            unit="none",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Replicas of Prometheus",
            description="Those that answer their sidecar. One fewer than there should be: the next failure is a gap.",
            empty=_NONE,
            expr=f"sum(thanos_sidecar_prometheus_up{{{_SIDECAR}}})",
            unit="none",
        ),
        Stat(
            title="Endpoints of Query",
            description="By the Query that knows fewest. What is missing here is missing from answers.",
            empty="Query has no endpoints, or there are no samples of it.",
            expr=f"min(sum by (instance) (thanos_store_nodes_grpc_connections{{{_QUERY}}}))",
            unit="none",
        ),
        Stat(
            title="Names that lead nowhere",
            description="Names of endpoints behind which Query finds no pod. Any is a role that is away as a whole.",
            empty=_NONE,
            expr=f"max(sum by (instance) (thanos_query_endpoints_dns_provider_results{{{_QUERY}}} == bool 0))",
            unit="none",
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Queries that fail",
            description="Share of HTTP requests to Query that end in 5xx.",
            empty=_NO_REQUESTS,
            expr=(
                f'(sum(rate(http_requests_total{{{_QUERY}, code=~"5.."}}[$__rate_interval])) or vector(0))'
                f" / sum(rate(http_requests_total{{{_QUERY}}}[$__rate_interval]))"
            ),
            unit="percentunit",
            steps=(Step(0.05, RED),),
        ),
        Stat(
            title="Newest upload",
            description="Age of the newest block that anybody put into the bucket. Every two hours there are some.",
            empty="Nothing was uploaded since the pods started.",
            expr=f"time() - max(thanos_objstore_bucket_last_successful_upload_time{{{_ALL}}} > 0)",
            unit="s",
            steps=(Step(4 * 3600, RED),),
        ),
        Table(
            title="Pods",
            description="Each pod of each role. One that is not ready is sent no requests.",
            empty=_NONE,
            columns=(
                Column("ready", f'min by ({_PODS}) (thanos_status{{{_ALL}, check="ready"}})', "bool_yes_no"),
                Column("up for", f"time() - max by ({_PODS}) (process_start_time_seconds{{{_ALL}}})", "s"),
                Column("memory", f"max by ({_PODS}) (process_resident_memory_bytes{{{_ALL}}})", "bytes"),
                Column("CPU", f"sum by ({_PODS}) (rate(process_cpu_seconds_total{{{_ALL}}}[5m]))", "none"),
            ),
            sort="memory",
        ),
    ),
)

_ANSWERS = Row(
    "Query",
    (
        TimeSeries(
            title="Requests by answer",
            description="4xx are invalid requests, 5xx are errors of Thanos.",
            empty=_NO_REQUESTS,
            queries=(Query(rate_by("http_requests_total", _QUERY, "handler, code"), "{{handler}} {{code}}"),),
            unit="reqps",
        ),
        TimeSeries(
            title="Slow requests",
            description="The time that 99 of 100 did not exceed. Long ranges read the bucket.",
            empty=_NO_REQUESTS,
            queries=(
                Query(
                    quantile(0.99, "http_request_duration_seconds", f'{_QUERY}, handler=~"query.*"', "handler"),
                    "{{handler}}",
                ),
            ),
            unit="s",
        ),
        TimeSeries(
            title="Queries at once",
            description="Share of those that a Query works on at once. At 100 % others wait.",
            empty=_NONE,
            queries=(
                Query(
                    f"max by (instance) (thanos_query_concurrent_gate_queries_in_flight{{{_QUERY}}}"
                    f" / thanos_query_concurrent_gate_queries_max{{{_QUERY}}})",
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
            steps=FULL,
        ),
        TimeSeries(
            title="Endpoints by role",
            description="Endpoints that Query uses. A step down is a pod that is down.",
            empty=_NONE,
            queries=(
                Query(
                    f"min by (store_type) (sum by (instance, store_type)"
                    f" (thanos_store_nodes_grpc_connections{{{_QUERY}}}))",
                    "{{store_type}}",
                ),
            ),
            unit="none",
        ),
        TimeSeries(
            title="Calls that fail",
            description="Errors of endpoints. With them, results of Query are partial.",
            empty="No call has failed.",
            queries=(
                Query(
                    rate_by("grpc_client_handled_total", f'{_QUERY}, grpc_code!="OK"', "grpc_code") + " > 0",
                    "{{grpc_code}}",
                ),
            ),
            unit="reqps",
        ),
        TimeSeries(
            title="Frontend's cache",
            description="Share of what it looks up that it remembers. Near 0: it is too small, or nothing repeats.",
            empty=_NO_FRONTEND,
            queries=(
                Query(
                    _share("cortex_cache_hits_total", "cortex_cache_fetched_keys_total", _FRONTEND, "instance"),
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
)

_BUCKET = Row(
    "Store",
    (
        TimeSeries(
            title="Calls by answer",
            description="Anything but OK and Canceled leaves older samples out of an answer.",
            empty=_NO_REQUESTS,
            queries=(
                Query(
                    rate_by("grpc_server_handled_total", f'{_STORE}, grpc_method!="Info"', "grpc_code") + " > 0",
                    "{{grpc_code}}",
                ),
            ),
            unit="reqps",
        ),
        TimeSeries(
            title="Wait for the gate",
            description="The time that 99 of 100 questions did not exceed before they were looked at.",
            empty=_NO_REQUESTS,
            queries=(
                Query(
                    quantile(0.99, "thanos_bucket_store_series_gate_queries_duration_seconds", _STORE, "instance"),
                    "{{instance}}",
                ),
            ),
            unit="s",
            steps=(Step(2, RED),),
        ),
        TimeSeries(
            title="Index cache",
            description="Share of look-ups that the cache answers; the rest is read from the bucket.",
            empty=_NO_REQUESTS,
            queries=(
                Query(
                    _share(
                        "thanos_store_index_cache_hits_total",
                        "thanos_store_index_cache_requests_total",
                        _STORE,
                        "item_type",
                    ),
                    "{{item_type}}",
                ),
            ),
            unit="percentunit",
        ),
        TimeSeries(
            title="Bucket cache",
            description="Share of reads of the bucket that memcached answers. Near 0: it is away or too small.",
            empty="This stack has no memcached, or it had no requests.",
            queries=(
                Query(
                    _share(
                        "thanos_store_bucket_cache_operation_hits_total",
                        "thanos_store_bucket_cache_operation_requests_total",
                        f'{_STORE}, operation="get_range"',
                        "instance",
                    ),
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
)

DASHBOARD = Dashboard(
    uid="promfleet-thanos",
    title="Thanos",
    description="Are the pods of Thanos ready, which endpoints does Query use, how fast do they answer.",
    variables=(_CLUSTER,),
    rows=(_NOW, _ANSWERS, _BUCKET),
)
