"""Names inside the clusters."""

from alerts.sources import NAME_SERVERS

from .expressions import CLUSTERS, MANY, RED, quantile, rate_by
from .model import Dashboard, Query, Row, Step, TimeSeries

_HERE = f"{MANY}, {NAME_SERVERS}"
_NONE = "Nothing came from CoreDNS: this platform runs another name server, or the cluster's agent is down."


def _rate(metric: str, by: str = "", more: str = "") -> str:
    return rate_by(metric, f"{_HERE}{more}", f"cluster{by}")


_FAILED = _rate("coredns_dns_responses_total", more=', rcode="SERVFAIL"')
_ALL = _rate("coredns_dns_responses_total")

DASHBOARD = Dashboard(
    uid="promfleet-coredns",
    title="CoreDNS",
    description="Are names found inside the clusters, and how fast.",
    variables=(CLUSTERS,),
    rows=(
        Row(
            "Answers",
            (
                TimeSeries(
                    title="Failures",
                    description="Share of the answers that are SERVFAIL. Above 1 %, programs can't reach each other.",
                    empty=_NONE,
                    queries=(Query(f"({_FAILED} or on (cluster) 0 * {_ALL}) / {_ALL}", "{{cluster}}"),),
                    unit="percentunit",
                    steps=(Step(0.01, RED),),
                ),
                TimeSeries(
                    title="Slowest answers",
                    description="The 99th percentile. If it is high, the upstream server is the most frequent cause.",
                    empty=_NONE,
                    queries=(
                        Query(quantile(0.99, "coredns_dns_request_duration_seconds", _HERE, "cluster"), "{{cluster}}"),
                    ),
                    unit="s",
                ),
                TimeSeries(
                    title="Answers by code",
                    description="Many NXDOMAIN are search domains that are tried in turn (ndots).",
                    empty=_NONE,
                    queries=(Query(_rate("coredns_dns_responses_total", ", rcode"), "{{cluster}} {{rcode}}"),),
                    unit="reqps",
                ),
                TimeSeries(
                    title="Questions by server",
                    description="One far above the others is a client that holds on to it.",
                    empty=_NONE,
                    queries=(Query(_rate("coredns_dns_requests_total", ", instance"), "{{cluster}} {{instance}}"),),
                    unit="reqps",
                ),
                TimeSeries(
                    title="Answered from memory",
                    description="Share of the questions that the cache answered.",
                    empty="CoreDNS has no cache here, or nothing came from it.",
                    queries=(
                        Query(
                            f"{_rate('coredns_cache_hits_total')} / {_rate('coredns_cache_requests_total')}",
                            "{{cluster}}",
                        ),
                    ),
                    unit="percentunit",
                ),
                TimeSeries(
                    title="Panics",
                    description="Any is a bug of CoreDNS or of a plugin.",
                    empty=_NONE,
                    queries=(Query(_rate("coredns_panics_total"), "{{cluster}}"),),
                    unit="cps",
                ),
            ),
        ),
    ),
)
