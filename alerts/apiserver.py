"""API servers: whether they answer, fast enough, and for how long their clients may ask."""

from .model import Alert, Group, Record, Threshold

JOB = ("apiserver",)
_ITSELF = 'job="apiserver"'
_ALL = "cluster:apiserver_requests:rate5m"
_OF_EACH = f"max by (cluster) ({_ALL})"
_BAD = "cluster:apiserver_requests_failed:rate5m"
_WRITES = f'{_ITSELF}, verb=~"POST|PUT|PATCH|APPLY|DELETE"'
_SLI = "apiserver_request_sli_duration_seconds"


def _burns(long: str, short: str, factor: float) -> str:
    """The error budget is spent this many times too fast: a long window to be sure, a short one to end soon."""
    return " and on (cluster) ".join(
        f"avg_over_time({_BAD}[{window}]) / avg_over_time({_ALL}[{window}]) > {factor:g} * $threshold"
        for window in (long, short)
    )


APISERVER = Group(
    name="apiserver",
    records=(
        Record(
            name=_ALL,
            expr=(
                "sum by (cluster) (\n"
                f'  rate(apiserver_request_total{{{_ITSELF}, verb!~"WATCH|WATCHLIST|CONNECT|PROXY"}}[5m])\n'
                ")"
            ),
        ),
        # Longer windows are averages over these two series of each cluster, instead of rates over thousands.
        Record(
            name=_BAD,
            expr=(
                f'(sum by (cluster) (rate(apiserver_request_total{{{_ITSELF}, code=~"5.."}}[5m])) or 0 * {_OF_EACH})\n'
                "+ on (cluster)\n"
                f"(sum by (cluster) (rate({_SLI}_count{{{_WRITES}}}[5m]))\n"
                f' - on (cluster) sum by (cluster) (rate({_SLI}_bucket{{{_WRITES}, le=~"1|1.0"}}[5m])))'
            ),
        ),
    ),
    alerts=(
        Alert(
            name="KubeAPIErrorBudgetBurnsFast",
            expr=f"{_burns('1h', '5m', 14.4)}\nor {_burns('6h', '30m', 6)}",
            for_="2m",
            severity="critical",
            summary="The API server of {{ $labels.cluster }} fails far too often.",
            description=(
                "{{ $value | humanizePercentage }} of the requests fail, or are writes that take over a second."
            ),
            threshold=Threshold(value=0.01, least=0.0001, most=0.05, unit="ratio"),
            jobs=JOB,
        ),
        Alert(
            name="KubeAPIErrorBudgetBurnsSlowly",
            expr=f"{_burns('1d', '2h', 3)}\nor {_burns('3d', '6h', 1)}",
            for_="1h",
            severity="warning",
            summary="The API server of {{ $labels.cluster }} fails more often than it may.",
            description=(
                "{{ $value | humanizePercentage }} of the requests fail, or are writes that take over a second."
            ),
            threshold=Threshold(value=0.01, least=0.0001, most=0.3, unit="ratio"),
            jobs=JOB,
        ),
        Alert(
            name="KubeAPIWritesSlow",
            expr=(
                f"histogram_quantile(0.99, sum by (cluster, le) (rate({_SLI}_bucket{{{_WRITES}}}[10m]))) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="Writes to the API server of {{ $labels.cluster }} are slow.",
            description="One in a hundred takes {{ $value | humanizeDuration }} or more.",
            threshold=Threshold(value=1, least=0.1, most=60, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="KubeAPITerminatedRequests",
            expr=(
                f"sum by (cluster) (rate(apiserver_request_terminations_total{{{_ITSELF}}}[10m]))\n"
                f"/ on (cluster) {_OF_EACH} > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The API server of {{ $labels.cluster }} turns requests away.",
            description="{{ $value | humanizePercentage }} are ended unanswered to protect itself.",
            threshold=Threshold(value=0.2, least=0.01, most=1, unit="ratio"),
            jobs=JOB,
        ),
        Alert(
            name="KubeClientCertificateExpires",
            expr=(
                "histogram_quantile(0.01, sum by (cluster, le) (\n"
                f"  rate(apiserver_client_certificate_expiration_seconds_bucket{{{_ITSELF}}}[10m])\n"
                ")) < $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="A client of {{ $labels.cluster }}'s API server comes with a certificate that expires soon.",
            description="In less than {{ $value | humanizeDuration }}; a node or a controller will be locked out.",
            threshold=Threshold(value=604800, least=3600, most=7776000, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="KubeAggregatedAPIDown",
            expr=(
                f"max by (cluster, name) (avg_over_time(aggregator_unavailable_apiservice{{{_ITSELF}}}[10m]))"
                " > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The API {{ $labels.name }} of {{ $labels.cluster }} is not available.",
            description="Whoever serves it is down; deleting namespaces may hang until it is back.",
            threshold=Threshold(value=0.15, least=0.01, most=1, unit="ratio"),
            jobs=JOB,
        ),
    ),
)
