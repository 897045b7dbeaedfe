"""Thanos Query and Query Frontend: errors, latency, and lookups of endpoints."""

from .model import Alert, Group, Threshold
from .thanos import ERRORS, failed_calls, failed_requests, is_down, share, slow

_JOB, _FRONTEND = "thanos-query", "thanos-query-frontend"
_ITSELF = f'job="{_JOB}"'
_SENT = f"grpc_client_handled_total{{{_ITSELF}"

THANOS_QUERY = Group(
    name="thanos-query",
    alerts=(
        Alert(
            name="ThanosQueryIsDown",
            expr=is_down(_JOB),
            for_="5m",
            severity="critical",
            summary="No Thanos Query of {{ $labels.cluster }} can be scraped any more.",
            description="Dashboards that ask Query are empty, and Rulers evaluate nothing.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryHttpRequestQueryErrorRateHigh",
            expr=failed_requests(_JOB, "query"),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer queries.",
            description="{{ $value | humanizePercentage }} of the instant queries end in an error.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryHttpRequestQueryRangeErrorRateHigh",
            expr=failed_requests(_JOB, "query_range"),
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer range queries.",
            description="{{ $value | humanizePercentage }} of the range queries end in an error. Graphs stay empty.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryFrontendErrorRateHigh",
            expr=failed_requests(_FRONTEND, "query-frontend"),
            for_="5m",
            severity="critical",
            summary="The Query Frontend of {{ $labels.instance }} in {{ $labels.cluster }} fails to answer queries.",
            description="{{ $value | humanizePercentage }} of the queries sent to it end in an error.",
            threshold=ERRORS,
            jobs=(_FRONTEND,),
        ),
        Alert(
            name="ThanosQueryGrpcServerErrorRate",
            expr=failed_calls(_JOB),
            for_="5m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} fails to answer Rulers and other Queries.",
            description="{{ $value | humanizePercentage }} of their calls end in an error.",
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryGrpcClientErrorRate",
            expr=share(f'{_SENT}, grpc_code!~"OK|Canceled"}}', f"{_SENT}}}"),
            for_="5m",
            severity="warning",
            summary="Calls of {{ $labels.instance }} in {{ $labels.cluster }} to its endpoints fail.",
            description=(
                "{{ $value | humanizePercentage }} of its calls to Stores, sidecars and Rulers fail. Answers may be "
                "partial."
            ),
            threshold=ERRORS,
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryHighDNSFailures",
            expr=share(
                f"thanos_query_endpoints_dns_failures_total{{{_ITSELF}}}",
                f"thanos_query_endpoints_dns_lookups_total{{{_ITSELF}}}",
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't resolve names.",
            description="{{ $value | humanizePercentage }} of its DNS look-ups fail. It keeps the last addresses.",
            threshold=Threshold(value=0.01, least=0, most=0.5, unit="ratio"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryEndpointUnresolved",
            # A name that leads nowhere is no failed look-up.
            expr=f"thanos_query_endpoints_dns_provider_results{{{_ITSELF}}} == 0",
            for_="10m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} finds no address for {{ $labels.addr }}.",
            description="The samples of all pods behind that name are missing from every answer.",
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryInstantLatencyHigh",
            expr=slow("http_request_duration_seconds", f'{_ITSELF}, handler="query"'),
            for_="10m",
            severity="critical",
            summary="Instant queries to {{ $labels.instance }} in {{ $labels.cluster }} are slow.",
            description="One instant query in a hundred takes {{ $value | humanizeDuration }} or longer.",
            threshold=Threshold(value=40, least=0.1, most=600, unit="seconds"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryRangeLatencyHigh",
            expr=slow("http_request_duration_seconds", f'{_ITSELF}, handler="query_range"'),
            for_="10m",
            severity="critical",
            summary="Range queries to {{ $labels.instance }} in {{ $labels.cluster }} are slow.",
            description="One range query in a hundred takes {{ $value | humanizeDuration }} or longer.",
            threshold=Threshold(value=90, least=0.1, most=600, unit="seconds"),
            jobs=(_JOB,),
        ),
        Alert(
            name="ThanosQueryOverload",
            expr=(
                f"avg_over_time(thanos_query_concurrent_gate_queries_in_flight{{{_ITSELF}}}[5m])\n"
                f"> thanos_query_concurrent_gate_queries_max{{{_ITSELF}}} - 1"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs as many queries as it may.",
            description=(
                "It has run {{ $value | printf `%.0f` }} queries at once for fifteen minutes. Further queries wait."
            ),
            jobs=(_JOB,),
        ),
    ),
)
