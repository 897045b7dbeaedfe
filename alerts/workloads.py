"""Deployments, StatefulSets, DaemonSets and their pods: whether the desired pods run."""

from .model import Alert, Group, Threshold
from .owners import OWNER
from .sources import KSM, STATE

_DEPLOYMENT, _STATEFULSET, _DAEMONSET, _BUDGET, _QUOTA, _QUOTA_OF = (
    f"(cluster, namespace, {kind})"
    for kind in (
        "deployment",
        "statefulset",
        "daemonset",
        "poddisruptionbudget",
        "resourcequota",
        "resourcequota, resource",
    )
)
_DAEMONS_WANTED = "kube_daemonset_status_desired_number_scheduled"


def _stands_still(metric: str, each: str) -> str:
    return f"and on {each} changes({metric}{{{STATE}}}[10m]) == 0"


def _more(wanted: str, there: str, each: str) -> str:
    """Missing replicas; deduplicated, since two replicas of the exporter may expose the same series."""
    return f"max by {each} ({wanted}{{{STATE}}}) > on {each} max by {each} ({there}{{{STATE}}})"


_QUOTA_USED = (
    f'sum by {_QUOTA_OF} (kube_resourcequota{{{STATE}, type="used"}})\n'
    f"/ on {_QUOTA_OF}\n"
    f'sum by {_QUOTA_OF} (kube_resourcequota{{{STATE}, type="hard"}} > 0)\n'
)


def _promised(resource: str) -> str:
    """What quotas allow in all, for each unit that the nodes have."""
    allowed = f'kube_resourcequota{{{STATE}, type="hard", resource=~"{resource}|requests.{resource}"}}'
    return (
        f"sum by (cluster) (min by {_QUOTA} ({allowed}))\n"
        f'/ on (cluster) sum by (cluster) (kube_node_status_allocatable{{{STATE}, resource="{resource}"}}) > $threshold'
    )


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
            summary=(
                "Deployment {{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} has no available "
                "pod."
            ),
            description="It wants {{ $value }} pods, and none of them is available.",
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
            summary="Deployment {{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} lacks pods.",
            description="It wants {{ $value }} pods, fewer are available, and the rollout makes no progress.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDeploymentRolloutStuck",
            expr=f'kube_deployment_status_condition{{{STATE}, condition="Progressing", status="false"}} == 1',
            for_="15m",
            severity="warning",
            summary=(
                "The rollout of Deployment {{ $labels.namespace }}/{{ $labels.deployment }} in {{ $labels.cluster }} "
                "is stuck."
            ),
            description="It has passed its progress deadline. Pods of the old revision may still serve.",
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
                "The last change of Deployment {{ $labels.namespace }}/{{ $labels.deployment }} in "
                "{{ $labels.cluster }} has no effect."
            ),
            description="No controller has acted on generation {{ $value }}. The controller manager may be down.",
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
            summary=(
                "StatefulSet {{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} lacks pods."
            ),
            description="It wants {{ $value }} ready pods, has fewer, and the rollout makes no progress.",
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
            summary=(
                "The rollout of StatefulSet {{ $labels.namespace }}/{{ $labels.statefulset }} in {{ $labels.cluster }} "
                "is stuck."
            ),
            description="Some pods are of the old revision, and none was replaced in ten minutes.",
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
                "The last change of StatefulSet {{ $labels.namespace }}/{{ $labels.statefulset }} in "
                "{{ $labels.cluster }} has no effect."
            ),
            description="No controller has acted on generation {{ $value }}. The controller manager may be down.",
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
            summary=(
                "The rollout of DaemonSet {{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} is "
                "stuck."
            ),
            description="It is wanted on {{ $value }} nodes, is available on fewer, and makes no progress.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDaemonSetNotScheduled",
            expr=(
                f"max by {_DAEMONSET} ({_DAEMONS_WANTED}{{{STATE}}})\n"
                f"- on {_DAEMONSET} max by {_DAEMONSET} (kube_daemonset_status_current_number_scheduled{{{STATE}}}) > 0"
            ),
            for_="10m",
            severity="warning",
            summary=(
                "DaemonSet {{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} lacks pods on some "
                "nodes."
            ),
            description="{{ $value }} nodes have no pod of it, though they should.",
            jobs=KSM,
        ),
        Alert(
            name="KubeDaemonSetMisScheduled",
            expr=f"kube_daemonset_status_number_misscheduled{{{STATE}}} > 0",
            for_="15m",
            severity="warning",
            summary=(
                "DaemonSet {{ $labels.namespace }}/{{ $labels.daemonset }} in {{ $labels.cluster }} runs on nodes "
                "where it should not."
            ),
            description="{{ $value }} of its pods run on nodes that its selector or its tolerations exclude.",
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
            summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} keeps crashing.",
            description="Container {{ $labels.container }} ends soon after each start (CrashLoopBackOff).",
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
            summary=(
                "A container of pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} does not start."
            ),
            description="Container {{ $labels.container }} has been waiting for half an hour ({{ $labels.reason }}).",
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
            summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} does not become ready.",
            description="It has been in phase {{ $labels.phase }} for twenty minutes.",
            jobs=KSM,
        ),
        Alert(
            name="KubePodUnschedulable",
            expr=f"kube_pod_status_unschedulable{{{STATE}}} == 1",
            for_="10m",
            severity="warning",
            summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} in {{ $labels.cluster }} can't be scheduled.",
            description=(
                "No node has the resources and labels that it needs and taints that it tolerates, or its volume is "
                "elsewhere."
            ),
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
            summary=(
                "PodDisruptionBudget {{ $labels.namespace }}/{{ $labels.poddisruptionbudget }} in "
                "{{ $labels.cluster }} is not met."
            ),
            description="Only {{ $value }} of its pods are healthy, fewer than it wants. Their nodes can't be drained.",
            jobs=KSM,
        ),
        Alert(
            name="KubeQuotaAlmostFull",
            expr=f"{_QUOTA_USED}> $threshold < 1",
            for_="15m",
            severity="info",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} has nearly used its quota.",
            description=(
                "{{ $value | humanizePercentage }} of {{ $labels.resource }} in {{ $labels.resourcequota }} is used."
            ),
            threshold=Threshold(value=0.9, least=0.5, most=0.99, unit="ratio"),
            jobs=KSM,
        ),
        Alert(
            name="KubeQuotaFullyUsed",
            expr=f"{_QUOTA_USED}== 1",
            for_="15m",
            severity="info",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} has used its quota completely.",
            description="No {{ $labels.resource }} is left in {{ $labels.resourcequota }}. New pods are refused.",
            jobs=KSM,
        ),
        Alert(
            name="KubeQuotaExceeded",
            expr=f"{_QUOTA_USED}> 1",
            for_="15m",
            severity="warning",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} uses more than its quota.",
            description=(
                "{{ $value | humanizePercentage }} of {{ $labels.resource }} in {{ $labels.resourcequota }} is used. "
                "Pods that end are not replaced."
            ),
            jobs=KSM,
        ),
        Alert(
            name="KubeCPUQuotaOvercommit",
            expr=_promised("cpu"),
            for_="5m",
            severity="warning",
            summary="The quotas of {{ $labels.cluster }} allow more CPU than its nodes have.",
            description="They allow {{ $value | humanizePercentage }} of what is allocatable.",
            threshold=Threshold(value=1.5, least=0.5, most=100, unit="ratio"),
            jobs=KSM,
        ),
        Alert(
            name="KubeMemoryQuotaOvercommit",
            expr=_promised("memory"),
            for_="5m",
            severity="warning",
            summary="The quotas of {{ $labels.cluster }} allow more memory than its nodes have.",
            description="They allow {{ $value | humanizePercentage }} of what is allocatable.",
            threshold=Threshold(value=1.5, least=0.5, most=100, unit="ratio"),
            jobs=KSM,
        ),
        Alert(
            name="KubeNamespaceStuckTerminating",
            expr=f'kube_namespace_status_phase{{{STATE}, phase="Terminating"}} == 1',
            for_="1h",
            severity="warning",
            summary="Namespace {{ $labels.namespace }} in {{ $labels.cluster }} can't be deleted.",
            description="It has been terminating for an hour. A finalizer waits for a controller that does not act.",
            jobs=KSM,
        ),
    ),
)
