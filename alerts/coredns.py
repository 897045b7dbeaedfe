"""CoreDNS: whether names are found, and fast."""

from .model import Alert, Group, Threshold
from .sources import NAME_SERVERS

JOB = ("coredns",)

COREDNS = Group(
    name="coredns",
    alerts=(
        Alert(
            name="CoreDNSErrors",
            expr=(
                f'sum by (cluster) (rate(coredns_dns_responses_total{{{NAME_SERVERS}, rcode="SERVFAIL"}}[5m]))\n'
                f"/ on (cluster) sum by (cluster) (rate(coredns_dns_responses_total{{{NAME_SERVERS}}}[5m]) > 0)"
                " > $threshold"
            ),
            for_="10m",
            severity="critical",
            summary="CoreDNS of {{ $labels.cluster }} fails to resolve names.",
            description="{{ $value | humanizePercentage }} of its answers are SERVFAIL.",
            threshold=Threshold(value=0.03, least=0.001, most=1, unit="ratio"),
            jobs=JOB,
        ),
        Alert(
            name="CoreDNSSlow",
            expr=(
                "histogram_quantile(0.99, sum by (cluster, le) (\n"
                f"  rate(coredns_dns_request_duration_seconds_bucket{{{NAME_SERVERS}}}[5m])\n"
                ")) > $threshold"
            ),
            for_="10m",
            severity="warning",
            summary="CoreDNS of {{ $labels.cluster }} is slow.",
            description="One answer in a hundred takes {{ $value | humanizeDuration }} or longer.",
            threshold=Threshold(value=4, least=0.01, most=8, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="CoreDNSUpstreamDown",
            expr=f"increase(coredns_forward_healthcheck_broken_total{{{NAME_SERVERS}}}[10m]) > 0",
            for_="5m",
            severity="critical",
            summary="CoreDNS of {{ $labels.cluster }} reaches no upstream server.",
            description=(
                "Every health check of the upstream servers failed. Names outside the cluster are not resolved."
            ),
            jobs=JOB,
        ),
        Alert(
            name="CoreDNSPanics",
            expr=f"increase(coredns_panics_total{{{NAME_SERVERS}}}[10m]) > 0",
            severity="warning",
            summary="CoreDNS of {{ $labels.cluster }} panicked.",
            description="It panicked {{ $value | printf `%.0f` }} times in ten minutes, because of a bug in a plugin.",
            jobs=JOB,
        ),
        Alert(
            name="CoreDNSReloadFailed",
            expr=f"increase(coredns_reload_failed_total{{{NAME_SERVERS}}}[1h]) > 0",
            severity="warning",
            summary="CoreDNS of {{ $labels.cluster }} can't load its new configuration.",
            description=(
                "The Corefile is not valid. CoreDNS runs with the last valid one, and won't start again with this one."
            ),
            jobs=JOB,
        ),
    ),
)
