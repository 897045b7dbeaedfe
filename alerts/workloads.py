"""Deployments, StatefulSets, DaemonSets and their pods: whether what was asked for runs."""

from .model import Alert, Group, Threshold
from .owners import OWNER

KSM = ("kube-state-metrics",)

WORKLOADS = Group(
    name="workloads",
    records=(OWNER,),
    alerts=(
        Alert(
            name="KubeDeploymentUnavailable",
            expr=(
                "kube_deployment_spec_replicas > 0\n"
                "and on (cluster, namespace, deployment) kube_deployment_status_replicas_available == 0"
            ),
            wait="5m",
            severity="critical",
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} has no pod left.",
            description="The Deployment wants {{ $value }} pods and none of them is available.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentReplicasMismatch",
            expr=(
                "kube_deployment_spec_replicas > on (cluster, namespace, deployment)"
                " kube_deployment_status_replicas_available\n"
                "and on (cluster, namespace, deployment) changes(kube_deployment_status_replicas_updated[10m]) == 0"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} lacks pods.",
            description="The Deployment wants {{ $value }} pods, has fewer, and gets no further.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentRolloutStuck",
            expr='kube_deployment_status_condition{condition="Progressing", status="false"} == 1',
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} stays half rolled out.",
            description="The rollout passed its deadline; the pods of the revision before it may still serve.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentGenerationMismatch",
            expr="kube_deployment_metadata_generation != kube_deployment_status_observed_generation",
            wait="15m",
            severity="warning",
            summary=(
                "{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} ignores its last change."
            ),
            description="No controller has acted on generation {{ $value }} of the Deployment.",
            jobs=KSM,
        ),
        Alert(
            name="KubeStatefulSetReplicasMismatch",
            expr=(
                "kube_statefulset_replicas > on (cluster, namespace, statefulset)"
                " kube_statefulset_status_replicas_ready\n"
                "and on (cluster, namespace, statefulset) changes(kube_statefulset_status_replicas_updated[10m]) == 0"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} lacks pods.",
            description="The StatefulSet wants {{ $value }} ready pods, has fewer, and gets no further.",
            jobs=KSM,
        ),
        Alert(
            name="KubeStatefulSetUpdateNotRolledOut",
            expr=(
                "max by (cluster, namespace, statefulset) (\n"
                "  kube_statefulset_status_current_revision unless on (cluster, namespace, statefulset, revision)"
                " kube_statefulset_status_update_revision\n"
                ")\n"
                "and on (cluster, namespace, statefulset)"
                " kube_statefulset_replicas != kube_statefulset_status_replicas_updated\n"
                "and on (cluster, namespace, statefulset) changes(kube_statefulset_status_replicas_updated[10m]) == 0"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} stays half rolled out.",
            description="Some of its pods are still of the revision before, and no pod was replaced in ten minutes.",
            jobs=KSM,
        ),
        Alert(
            name="KubeStatefulSetGenerationMismatch",
            expr="kube_statefulset_metadata_generation != kube_statefulset_status_observed_generation",
            wait="15m",
            severity="warning",
            summary=(
                "{{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} ignores its last change."
            ),
            description="No controller has acted on generation {{ $value }} of the StatefulSet.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDaemonSetRolloutStuck",
            expr=(
                "kube_daemonset_status_desired_number_scheduled > on (cluster, namespace, daemonset)"
                " kube_daemonset_status_number_available\n"
                "and on (cluster, namespace, daemonset)"
                " changes(kube_daemonset_status_updated_number_scheduled[10m]) == 0"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} lacks pods.",
            description="It is wanted on {{ $value }} nodes, is available on fewer, and gets no further.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDaemonSetMisScheduled",
            expr="kube_daemonset_status_number_misscheduled > 0",
            wait="15m",
            severity="info",
            summary="{{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} is misplaced.",
            description="{{ $value }} of its pods are on nodes that it is not meant for.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodCrashLooping",
            expr=('max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1'),
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} crashes again and again.",
            description="Container {{ $labels.container }} ends soon after each start.",
            jobs=KSM,
        ),
        Alert(
            name="KubeContainerWaiting",
            # The kubelet tries an image again and again: ErrImagePull comes between two ImagePullBackOff.
            expr=(
                "max by (cluster, namespace, pod, container, reason) (\n"
                "  max_over_time("
                'kube_pod_container_status_waiting_reason{reason!~"CrashLoopBackOff|ErrImagePull"}[10m])\n'
                ") > 0"
            ),
            wait="30m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} does not start.",
            description="Container {{ $labels.container }} waits: {{ $labels.reason }}.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodNotReady",
            # Jobs, pods without a node and containers that wait have alerts of their own.
            expr=(
                'kube_pod_status_phase{phase=~"Pending|Unknown|Failed"} > 0\n'
                'unless on (cluster, namespace, pod) kube_pod_owner{owner_kind="Job"}\n'
                "unless on (cluster, namespace, pod) kube_pod_status_unschedulable == 1\n"
                "unless on (cluster, namespace, pod) kube_pod_container_status_waiting_reason == 1"
            ),
            wait="20m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} does not get ready.",
            description="Its phase is {{ $labels.phase }} for twenty minutes.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodUnschedulable",
            expr="kube_pod_status_unschedulable == 1",
            wait="10m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} finds no node.",
            description="No node has what it asks for: resources, labels, tolerations or a volume in its zone.",
            jobs=KSM,
        ),
        Alert(
            name="KubePdbNotEnoughHealthyPods",
            expr=(
                "kube_poddisruptionbudget_status_current_healthy"
                " < on (cluster, namespace, poddisruptionbudget)"
                " kube_poddisruptionbudget_status_desired_healthy"
            ),
            wait="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.poddisruptionbudget }} in {{ $labels.cluster }} is broken.",
            description="Only {{ $value }} of the pods that it protects are healthy; a node can't be drained.",
            jobs=KSM,
        ),
        Alert(
            name="KubeQuotaAlmostFull",
            expr=(
                'sum by (cluster, namespace, resourcequota, resource) (kube_resourcequota{type="used"})\n'
                "/ on (cluster, namespace, resourcequota, resource)\n"
                'sum by (cluster, namespace, resourcequota, resource) (kube_resourcequota{type="hard"} > 0)\n'
                "> $threshold"
            ),
            wait="15m",
            severity="info",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} has nearly used its quota.",
            description="{{ $value | humanizePercentage }} of {{ $labels.resource }} is taken.",
            threshold=Threshold(value=0.9, least=0.5, most=1, unit="ratio"),
            jobs=KSM,
        ),
        Alert(
            name="KubeNamespaceStuckTerminating",
            expr='kube_namespace_status_phase{phase="Terminating"} == 1',
            wait="1h",
            severity="warning",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} does not go away.",
            description="It is being deleted for an hour; a finalizer waits for something that does not come.",
            jobs=KSM,
        ),
    ),
)
