"""Deployments, StatefulSets, DaemonSets and their pods: whether what was asked for runs."""

from .model import Alert, Group, Threshold
from .owners import OWNER
from .sources import STATE

KSM = ("kube-state-metrics",)
_DEPLOYMENT, _STATEFULSET, _DAEMONSET, _BUDGET, _QUOTA = (
    f"(cluster, namespace, {kind})"
    for kind in ("deployment", "statefulset", "daemonset", "poddisruptionbudget", "resourcequota, resource")
)
_DAEMONS_WANTED = "kube_daemonset_status_desired_number_scheduled"


def _stands_still(metric: str, each: str) -> str:
    return f"and on {each} changes({metric}{{{STATE}}}[10m]) == 0"


def _more(wanted: str, there: str, each: str) -> str:
    """More than there is; each is told by one series, even while two replicas of the exporter tell it."""
    return f"max by {each} ({wanted}{{{STATE}}}) > on {each} max by {each} ({there}{{{STATE}}})"


WORKLOADS = Group(
    name="workloads",
    records=(OWNER,),
    alerts=(
        Alert(
            name="KubeDeploymentUnavailable",
            expr=(
                f"kube_deployment_spec_replicas{{{STATE}}} > 0\n"
                f"and on {_DEPLOYMENT} kube_deployment_status_replicas_available{{{STATE}}} == 0"
            ),
            for_="5m",
            severity="critical",
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} has no pod left.",
            description="The Deployment wants {{ $value }} pods and none of them is available.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentReplicasMismatch",
            expr=(
                f"{_more('kube_deployment_spec_replicas', 'kube_deployment_status_replicas_available', _DEPLOYMENT)}\n"
                f"{_stands_still('kube_deployment_status_replicas_updated', _DEPLOYMENT)}"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} lacks pods.",
            description="The Deployment wants {{ $value }} pods, has fewer, and gets no further.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentRolloutStuck",
            expr=f'kube_deployment_status_condition{{{STATE}, condition="Progressing", status="false"}} == 1',
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} stays half rolled out.",
            description="The rollout passed its deadline; the pods of the revision before it may still serve.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentGenerationMismatch",
            expr=(
                f"kube_deployment_metadata_generation{{{STATE}}}"
                f" != kube_deployment_status_observed_generation{{{STATE}}}"
            ),
            for_="15m",
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
                f"{_more('kube_statefulset_replicas', 'kube_statefulset_status_replicas_ready', _STATEFULSET)}\n"
                f"{_stands_still('kube_statefulset_status_replicas_updated', _STATEFULSET)}"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} lacks pods.",
            description="The StatefulSet wants {{ $value }} ready pods, has fewer, and gets no further.",
            jobs=KSM,
        ),
        Alert(
            name="KubeStatefulSetUpdateNotRolledOut",
            expr=(
                f"max by {_STATEFULSET} (\n"
                f"  kube_statefulset_status_current_revision{{{STATE}}}"
                " unless on (cluster, namespace, statefulset, revision)"
                f" kube_statefulset_status_update_revision{{{STATE}}}\n"
                ")\n"
                f"and on {_STATEFULSET} kube_statefulset_replicas{{{STATE}}}"
                f" != kube_statefulset_status_replicas_updated{{{STATE}}}\n"
                f"{_stands_still('kube_statefulset_status_replicas_updated', _STATEFULSET)}"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} stays half rolled out.",
            description="Some of its pods are still of the revision before, and no pod was replaced in ten minutes.",
            jobs=KSM,
        ),
        Alert(
            name="KubeStatefulSetGenerationMismatch",
            expr=(
                f"kube_statefulset_metadata_generation{{{STATE}}}"
                f" != kube_statefulset_status_observed_generation{{{STATE}}}"
            ),
            for_="15m",
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
                f"{_more(_DAEMONS_WANTED, 'kube_daemonset_status_number_available', _DAEMONSET)}\n"
                f"{_stands_still('kube_daemonset_status_updated_number_scheduled', _DAEMONSET)}"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} lacks pods.",
            description="It is wanted on {{ $value }} nodes, is available on fewer, and gets no further.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDaemonSetMisScheduled",
            expr=f"kube_daemonset_status_number_misscheduled{{{STATE}}} > 0",
            for_="15m",
            severity="info",
            summary="{{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} is misplaced.",
            description="{{ $value }} of its pods are on nodes that it is not meant for.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodCrashLooping",
            expr=(
                "max_over_time(\n"
                f'  kube_pod_container_status_waiting_reason{{{STATE}, reason="CrashLoopBackOff"}}[5m]\n'
                ") >= 1"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} crashes again and again.",
            description="Container {{ $labels.container }} ends soon after each start.",
            jobs=KSM,
        ),
        Alert(
            name="KubeContainerWaiting",
            # The kubelet tries an image again and again: ErrImagePull comes between two ImagePullBackOff.
            expr=(
                "max by (cluster, namespace, pod, container, reason) (max_over_time(\n"
                f'  kube_pod_container_status_waiting_reason{{{STATE}, reason!~"CrashLoopBackOff|ErrImagePull"}}[10m]\n'
                ")) > 0"
            ),
            for_="30m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} does not start.",
            description="Container {{ $labels.container }} waits: {{ $labels.reason }}.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodNotReady",
            # Jobs, pods without a node and containers that wait have alerts of their own.
            expr=(
                f'kube_pod_status_phase{{{STATE}, phase=~"Pending|Unknown|Failed"}} > 0\n'
                f'unless on (cluster, namespace, pod) kube_pod_owner{{{STATE}, owner_kind="Job"}}\n'
                f"unless on (cluster, namespace, pod) kube_pod_status_unschedulable{{{STATE}}} == 1\n"
                f"unless on (cluster, namespace, pod) kube_pod_container_status_waiting_reason{{{STATE}}} == 1"
            ),
            for_="20m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} does not get ready.",
            description="Its phase is {{ $labels.phase }} for twenty minutes.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodUnschedulable",
            expr=f"kube_pod_status_unschedulable{{{STATE}}} == 1",
            for_="10m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} finds no node.",
            description="No node has what it asks for: resources, labels, tolerations or a volume in its zone.",
            jobs=KSM,
        ),
        Alert(
            name="KubePdbNotEnoughHealthyPods",
            expr=(
                f"max by {_BUDGET} (kube_poddisruptionbudget_status_current_healthy{{{STATE}}})\n"
                f"< on {_BUDGET} max by {_BUDGET} (kube_poddisruptionbudget_status_desired_healthy{{{STATE}}})"
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.namespace }}/{{ $labels.poddisruptionbudget }} in {{ $labels.cluster }} is broken.",
            description="Only {{ $value }} of the pods that it protects are healthy; a node can't be drained.",
            jobs=KSM,
        ),
        Alert(
            name="KubeQuotaAlmostFull",
            expr=(
                f'sum by {_QUOTA} (kube_resourcequota{{{STATE}, type="used"}})\n'
                f"/ on {_QUOTA}\n"
                f'sum by {_QUOTA} (kube_resourcequota{{{STATE}, type="hard"}} > 0)\n'
                "> $threshold"
            ),
            for_="15m",
            severity="info",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} has nearly used its quota.",
            description="{{ $value | humanizePercentage }} of {{ $labels.resource }} is taken.",
            threshold=Threshold(value=0.9, least=0.5, most=1, unit="ratio"),
            jobs=KSM,
        ),
        Alert(
            name="KubeNamespaceStuckTerminating",
            expr=f'kube_namespace_status_phase{{{STATE}, phase="Terminating"}} == 1',
            for_="1h",
            severity="warning",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} does not go away.",
            description="It is being deleted for an hour; a finalizer waits for something that does not come.",
            jobs=KSM,
        ),
    ),
)
