"""Which workload each pod belongs to, so that dashboards can sum by it."""

from .model import Record
from .sources import STATE

_OWNED = f'{STATE}, owner_is_controller="true", owner_kind'
"""By what controls it: of those there is one, of other owners any number."""
_OF_DEPLOYMENTS = f"""
label_replace(
  label_replace(kube_pod_owner{{{_OWNED}="ReplicaSet"}}, "replicaset", "$1", "owner_name", "(.+)")
  * on (cluster, namespace, replicaset) group_left (workload)
  topk by (cluster, namespace, replicaset) (1,
    max by (cluster, namespace, replicaset, workload) (
      label_replace(kube_replicaset_owner{{{_OWNED}="Deployment"}}, "workload", "$1", "owner_name", "(.+)")
    )
  ),
  "workload_type", "Deployment", "", ""
)"""
"""A ReplicaSet owns the pod, and the Deployment the ReplicaSet."""
_OF_OTHERS = f"""
label_replace(
  label_replace(kube_pod_owner{{{_OWNED}=~"StatefulSet|DaemonSet|Job"}}, "workload", "$1", "owner_name", "(.+)"),
  "workload_type", "$1", "owner_kind", "(.+)"
)"""
_PODS = "max by (cluster, namespace, workload, workload_type, pod)"

OWNER = Record(
    name="namespace_workload_pod:kube_pod_owner:relabel",
    # Dashboards join it by pod, so that a pod must have one series, even with duplicate series of its owner.
    expr=(f"topk by (cluster, namespace, pod) (1,\n{_PODS} ({_OF_DEPLOYMENTS}\n)\nor\n{_PODS} ({_OF_OTHERS}\n)\n)"),
)
