"""Envoy in front of remote write: whether it knows the keys of those who write, and has its newest configuration."""

from .model import Alert, Group

JOB = "write-proxy"
_ITSELF = f'job="{JOB}"'
_BY = "sum by (cluster, instance)"
_FILES = ("envoy_listener_manager_lds_update", "envoy_cluster_manager_cds_update")
_REFUSED = "\n+ ".join(f"increase({file}_{how}{{{_ITSELF}}}[1h])" for file in _FILES for how in ("rejected", "failure"))

WRITERS = Group(
    name="writers",
    alerts=(
        Alert(
            name="PromfleetWritersNotVerified",
            expr=f"{_BY} (rate(envoy_http_jwt_authn_denied{{{_ITSELF}}}[5m])) > 0",
            for_="10m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} refuses somebody who writes.",
            description=(
                "{{ $value | humanize }} requests per second have tokens that it can't verify. If a cluster has "
                "another key than its issuer in the stack file, its agent keeps its samples until the key is written."
            ),
            jobs=(JOB,),
        ),
        Alert(
            name="PromfleetIssuerKeysNotFetched",
            expr=f"{_BY} (increase(envoy_http_jwt_authn_jwks_fetch_failed{{{_ITSELF}}}[15m])) > 0",
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't fetch the public keys of an issuer.",
            description=(
                "The keys that it fetched before stay in use until it restarts or is changed. Without any, the agents "
                "of that cluster keep their samples and send them later."
            ),
            jobs=(JOB,),
        ),
        Alert(
            name="PromfleetWriteProxyConfigRejected",
            expr=f"{_BY} (\n{_REFUSED}\n) > 0",
            severity="warning",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} can't use its newest Envoy configuration.",
            description="The former one stays in force: a changed or removed issuer has no effect.",
            jobs=(JOB,),
        ),
    ),
)
