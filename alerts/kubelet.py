"""Kubelets: whether they can be scraped, start pods in time, keep their certificates, and evict pods."""

from collections.abc import Iterator

from .model import Alert, Group, Severity, Threshold
from .sources import KUBELETS

JOB = ("kubelet",)
_EVICTIONS = f"kubelet_evictions{{{KUBELETS}}}"


def _certificates() -> Iterator[Alert]:
    levels: tuple[tuple[Severity, float], ...] = (("warning", 604800), ("critical", 86400))
    for kind, errors, consequence in (
        ("Client", "certificate_manager_client_expiration_renew_errors", "the API server refuses the node"),
        ("Server", "server_expiration_renew_errors", "logs, exec and scrapes of the node fail"),
    ):
        certificate = (
            f"The {kind.lower()} certificate of the kubelet of {{{{ $labels.node }}}} in {{{{ $labels.cluster }}}}"
        )
        yield Alert(
            name=f"Kubelet{kind}CertificateRenewalErrors",
            expr=f"increase(kubelet_{errors}{{{KUBELETS}}}[15m]) > 0",
            for_="15m",
            severity="warning",
            summary=f"{certificate} can't be renewed.",
            description=(
                "{{ $value | printf `%.0f` }} tries failed in fifteen minutes. When the present certificate expires, "
                f"{consequence}."
            ),
            jobs=JOB,
        )
        for severity, left in levels:
            yield Alert(
                name=f"Kubelet{kind}CertificateExpiration",
                expr=f"kubelet_certificate_manager_{kind.lower()}_ttl_seconds{{{KUBELETS}}} < $threshold",
                severity=severity,
                summary=f"{certificate} expires soon.",
                description=f"It expires in {{{{ $value | humanizeDuration }}}}. After that, {consequence}.",
                threshold=Threshold(value=left, least=3600, most=7776000, unit="seconds"),
                jobs=JOB,
            )


KUBELET = Group(
    name="kubelet",
    alerts=(
        Alert(
            name="KubeletInstanceUnreachable",
            expr=f"up{{{KUBELETS}}} == 0",
            for_="15m",
            severity="warning",
            summary="The kubelet of {{ $labels.node }} in {{ $labels.cluster }} can't be scraped.",
            description="Every scrape failed for fifteen minutes. The node is down, or its kubelet refuses Prometheus.",
            jobs=JOB,
        ),
        Alert(
            name="KubeletPlegDurationHigh",
            expr=(
                "histogram_quantile(0.99, sum by (cluster, node, le) (\n"
                f"  rate(kubelet_pleg_relist_duration_seconds_bucket{{{KUBELETS}}}[5m])\n"
                ")) >= $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The kubelet of {{ $labels.node }} in {{ $labels.cluster }} takes long to list its containers.",
            description=(
                "One listing in a hundred takes {{ $value | humanizeDuration }} or longer. The container runtime or "
                "the disk is slow."
            ),
            threshold=Threshold(value=10, least=0.1, most=10, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="KubeletPodStartUpLatencyHigh",
            expr=(
                "histogram_quantile(0.99, sum by (cluster, node, le) (\n"
                f"  rate(kubelet_pod_worker_duration_seconds_bucket{{{KUBELETS}}}[5m])\n"
                ")) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="The kubelet of {{ $labels.node }} in {{ $labels.cluster }} takes long to start and change pods.",
            description="One change of a pod in a hundred takes {{ $value | humanizeDuration }} or longer.",
            # Its largest bucket ends at ten seconds: a quantile is never above.
            threshold=Threshold(value=9, least=0.1, most=9.99, unit="seconds"),
            jobs=JOB,
        ),
        *_certificates(),
        Alert(
            name="KubeletRuntimeErrors",
            expr=(
                f"sum by (cluster, node) (rate(kubelet_runtime_operations_errors_total{{{KUBELETS}}}[10m]))\n"
                "/ on (cluster, node)\n"
                f"sum by (cluster, node) (rate(kubelet_runtime_operations_total{{{KUBELETS}}}[10m]) > 0) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="The container runtime of {{ $labels.node }} in {{ $labels.cluster }} fails.",
            description="{{ $value | humanizePercentage }} of the kubelet's calls to it end in an error.",
            threshold=Threshold(value=0.1, least=0.001, most=1, unit="ratio"),
            jobs=JOB,
        ),
        Alert(
            name="KubeNodeEviction",
            # The counter appears with the first eviction, at one.
            expr=(
                "sum by (cluster, node, eviction_signal) (\n"
                f"  increase({_EVICTIONS}[15m]) > 0\n"
                f"  or {_EVICTIONS} unless {_EVICTIONS} offset 15m"
                f" and on (cluster, node) up{{{KUBELETS}}} offset 15m\n"
                ") > 0"
            ),
            severity="info",
            summary="Node {{ $labels.node }} in {{ $labels.cluster }} evicts pods.",
            description=(
                "{{ $value | printf `%.0f` }} pods were evicted in fifteen minutes ({{ $labels.eviction_signal }})."
            ),
            jobs=JOB,
        ),
    ),
)
