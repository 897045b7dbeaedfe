"""API servers: whether they answer, fast enough, and how long the certificates of their clients last."""

from collections.abc import Iterator

from .model import Alert, Group, Record, Severity, Threshold
from .sources import APISERVERS, KUBELETS

JOB = ("apiserver",)
_ALL = "cluster:apiserver_requests:rate5m"
_OF_EACH = f"max by (cluster) ({_ALL})"
_BAD = "cluster:apiserver_requests_failed:rate5m"
_WRITES = f'{APISERVERS}, verb=~"POST|PUT|PATCH|APPLY|DELETE"'
_SLI = "apiserver_request_sli_duration_seconds"
_CLIENT_CERTIFICATES = f"rate(apiserver_client_certificate_expiration_seconds_bucket{{{APISERVERS}}}[10m])"
_KUBELET_REQUESTS = f"rest_client_requests_total{{{KUBELETS}"
_MINOR = '"git_version", "$1", "git_version", "(v[0-9]+[.][0-9]+).*"'


def _error_budget() -> Iterator[Alert]:
    """
    Burn rates: the error budget of 30 days is spent so many times too fast.

    The long window is to be sure, the short one ends the alert soon. Factors as in the SRE workbook, chapter 5.
    """
    rates: tuple[tuple[str, str, float, str, Severity, float], ...] = (
        ("1h", "5m", 14.4, "2m", "critical", 0.05),
        ("6h", "30m", 6, "15m", "critical", 0.05),
        ("1d", "2h", 3, "1h", "warning", 0.3),
        ("3d", "6h", 1, "3h", "warning", 0.3),
    )
    for long, short, factor, for_, severity, most in rates:
        yield Alert(
            name="KubeAPIErrorBudgetBurn",
            expr="\nand on (cluster) ".join(
                f"avg_over_time({_BAD}[{window}]) / avg_over_time({_ALL}[{window}]) > {factor:g} * $threshold"
                for window in (long, short)
            ),
            for_=for_,
            severity=severity,
            labels={"long": long, "short": short},
            summary="The API server of {{ $labels.cluster }} fails too many requests.",
            description=(
                f"{{{{ $value | humanizePercentage }}}} of the requests in the last {long} failed, or were writes that "
                "took over a second."
            ),
            threshold=Threshold(value=0.01, least=0.0001, most=most, unit="ratio"),
            jobs=JOB,
        )


def _client_certificates() -> Iterator[Alert]:
    levels: tuple[tuple[Severity, float], ...] = (("warning", 604800), ("critical", 86400))
    for severity, left in levels:
        yield Alert(
            name="KubeClientCertificateExpiration",
            expr=f"histogram_quantile(0.01, sum by (cluster, le) (\n  {_CLIENT_CERTIFICATES}\n)) < $threshold",
            for_="15m",
            severity=severity,
            summary="A client of the API server of {{ $labels.cluster }} uses a certificate that expires soon.",
            description=(
                "It expires in less than {{ $threshold | humanizeDuration }}. Then the node, controller or person "
                "that uses it is refused."
            ),
            threshold=Threshold(value=left, least=3600, most=7776000, unit="seconds"),
            jobs=JOB,
        )


APISERVER = Group(
    name="apiserver",
    records=(
        Record(
            name=_ALL,
            expr=(
                "sum by (cluster) (\n"
                f'  rate(apiserver_request_total{{{APISERVERS}, verb!~"WATCH|WATCHLIST|CONNECT|PROXY"}}[5m])\n'
                ")"
            ),
        ),
        # Longer windows are averages over these two series of each cluster, instead of rates over thousands.
        Record(
            name=_BAD,
            expr=(
                f'(sum by (cluster) (rate(apiserver_request_total{{{APISERVERS}, code=~"5.."}}[5m]))'
                f" or 0 * {_OF_EACH})\n"
                "+ on (cluster)\n"
                f'(sum by (cluster) (rate({_SLI}_bucket{{{_WRITES}, le="+Inf"}}[5m]))\n'
                f' - on (cluster) sum by (cluster) (rate({_SLI}_bucket{{{_WRITES}, le=~"1|1.0"}}[5m])))'
            ),
        ),
    ),
    alerts=(
        *_error_budget(),
        Alert(
            name="KubeAPIInstanceUnreachable",
            expr=f"up{{{APISERVERS}}} == 0",
            for_="15m",
            severity="warning",
            summary="API server {{ $labels.instance }} of {{ $labels.cluster }} can't be scraped.",
            description="Every scrape failed for fifteen minutes. The instance is down, or refuses Prometheus.",
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
            description="One write in a hundred takes {{ $value | humanizeDuration }} or longer.",
            threshold=Threshold(value=1, least=0.1, most=60, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="KubeAPITerminatedRequests",
            expr=(
                f"sum by (cluster) (rate(apiserver_request_terminations_total{{{APISERVERS}}}[10m]))\n"
                f"/ on (cluster) {_OF_EACH} > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The API server of {{ $labels.cluster }} rejects requests to protect itself.",
            description="It ended {{ $value | humanizePercentage }} of the requests without an answer.",
            threshold=Threshold(value=0.2, least=0.01, most=1, unit="ratio"),
            jobs=JOB,
        ),
        *_client_certificates(),
        Alert(
            name="KubeClientErrors",
            expr=(
                f'sum by (cluster, node) (rate({_KUBELET_REQUESTS}, code=~"5.."}}[5m]))\n'
                "/ on (cluster, node)\n"
                f"(sum by (cluster, node) (rate({_KUBELET_REQUESTS}}}[5m])) > 0) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="Requests of the kubelet of {{ $labels.node }} in {{ $labels.cluster }} to the API server fail.",
            description="The API server answers {{ $value | humanizePercentage }} of them with an error (5xx).",
            threshold=Threshold(value=0.01, least=0, most=0.9, unit="ratio"),
            jobs=("kubelet",),
        ),
        Alert(
            name="KubeAggregatedAPIErrors",
            expr=(
                "sum by (cluster, name, reason) (\n"
                f"  increase(aggregator_unavailable_apiservice_total{{{APISERVERS}}}[5m])\n"
                ") > 0"
            ),
            for_="10m",
            severity="warning",
            summary="The API {{ $labels.name }} of {{ $labels.cluster }} becomes unavailable again and again.",
            description=(
                "The API server found it unavailable {{ $value | printf `%.0f` }} times in five minutes "
                "({{ $labels.reason }})."
            ),
            jobs=JOB,
        ),
        Alert(
            name="KubeAggregatedAPIDown",
            expr=(
                f"max by (cluster, name) (avg_over_time(aggregator_unavailable_apiservice{{{APISERVERS}}}[10m]))"
                " > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The API {{ $labels.name }} of {{ $labels.cluster }} is not available.",
            description=(
                "It was unavailable for {{ $value | humanizePercentage }} of the last ten minutes. The pods that serve "
                "it are down; until they are back, namespaces may not be deleted."
            ),
            threshold=Threshold(value=0.15, least=0.01, most=1, unit="ratio"),
            jobs=JOB,
        ),
        Alert(
            name="KubeVersionMismatch",
            expr=(
                "count by (cluster) (count by (cluster, git_version) (label_replace(\n"
                f'  kubernetes_build_info{{job=~"apiserver|kubelet"}}, {_MINOR}\n'
                "))) > 1"
            ),
            for_="15m",
            severity="warning",
            summary="API servers and kubelets of {{ $labels.cluster }} run {{ $value }} different minor versions.",
            description="An upgrade is still going on, or stopped before all nodes had it.",
            jobs=("apiserver", "kubelet"),
        ),
    ),
)
