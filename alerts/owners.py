"""Which workload each pod belongs to, so that dashboards can sum by it."""

from .model import Record

_OF_DEPLOYMENTS = """
label_replace(
  label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.+)")
  * on (cluster, namespace, replicaset) group_left (workload)
  max by (cluster, namespace, replicaset, workload) (
    label_replace(kube_replicaset_owner{owner_kind="Deployment"}, "workload", "$1", "owner_name", "(.+)")
  ),
  "workload_type", "Deployment", "", ""
)"""
"""A ReplicaSet owns the pod, and the Deployment the ReplicaSet."""
_OF_OTHERS = """
label_replace(
  label_replace(kube_pod_owner{owner_kind=~"StatefulSet|DaemonSet|Job"}, "workload", "$1", "owner_name", "(.+)"),
  "workload_type", "$1", "owner_kind", "(.+)"
)"""
_PODS = "max by (cluster, namespace, workload, workload_type, pod)"

OWNER = Record(
    name="namespace_workload_pod:kube_pod_owner:relabel",
    expr=f"{_PODS} ({_OF_DEPLOYMENTS}\n)\nor\n{_PODS} ({_OF_OTHERS}\n)",
)
