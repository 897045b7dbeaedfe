"""Kubelets: whether they start pods in time, and keep their certificates."""

from .model import Alert, Group, Threshold
from .sources import KUBELETS

JOB = ("kubelet",)

KUBELET = Group(
    name="kubelet",
    alerts=(
        Alert(
            name="KubeletPlegSlow",
            expr=(
                "histogram_quantile(0.99, sum by (cluster, node, le) (\n"
                f"  rate(kubelet_pleg_relist_duration_seconds_bucket{{{KUBELETS}}}[5m])\n"
                ")) > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The kubelet of {{ $labels.node }} in {{ $labels.cluster }} is slow to see its containers.",
            description="A look at all of them takes {{ $value | humanizeDuration }}; the runtime or the disk is slow.",
            threshold=Threshold(value=9, least=0.1, most=60, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="KubeletPodStartSlow",
            expr=(
                "histogram_quantile(0.99, sum by (cluster, node, le) (\n"
                f"  rate(kubelet_pod_worker_duration_seconds_bucket{{{KUBELETS}}}[5m])\n"
                ")) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="The kubelet of {{ $labels.node }} in {{ $labels.cluster }} is slow to change pods.",
            description="One change in a hundred takes {{ $value | humanizeDuration }} or more.",
            threshold=Threshold(value=9, least=0.1, most=600, unit="seconds"),
            jobs=JOB,
        ),
        Alert(
            name="KubeletCertificateRenewalFails",
            expr=(
                f"increase(kubelet_certificate_manager_client_expiration_renew_errors{{{KUBELETS}}}[15m]) > 0\n"
                f"or increase(kubelet_server_expiration_renew_errors{{{KUBELETS}}}[15m]) > 0"
            ),
            for_="15m",
            severity="warning",
            summary="The kubelet of {{ $labels.node }} in {{ $labels.cluster }} can't renew its certificate.",
            description="When the present one ends, the node is lost to the cluster.",
            jobs=JOB,
        ),
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
            description="{{ $value | humanizePercentage }} of what the kubelet asks of it is refused.",
            threshold=Threshold(value=0.1, least=0.001, most=1, unit="ratio"),
            jobs=JOB,
        ),
    ),
)
