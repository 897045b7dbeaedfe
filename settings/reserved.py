"""Labels that this program or Thanos sets on series, and nobody else may use."""

CLUSTER = "cluster"
HUB_LABEL, REPLICA_LABEL = "hub", "replica"
"""External labels that distinguish the blocks of stacks and of replicas; they are dropped from alerts."""
RULER, RECEIVE = "ruler", "receive"
"""External labels of the blocks of these roles, in place of the hub's."""
RULER_REPLICA = "ruler_replica"
"""Distinguishes stateless Rulers: in Receive `replica` is the ingestor's."""
TENANT = "tenant_id"
"""Label of the tenant, which Receive sets on samples that it receives; the name is Receive's default."""

OF_BLOCKS = (HUB_LABEL, REPLICA_LABEL, RULER, RULER_REPLICA, RECEIVE, TENANT)
"""Where a series has one of them too, Thanos overwrites it with its own value, and several series become one."""
RESERVED = (CLUSTER, *OF_BLOCKS)

OUR_JOBS = "|".join(
    (
        *(
            "alertmanager",
            "apiserver",
            "blackbox(-.+)?",
            "cadvisor",
            "config-reloader",
            "coredns",
            "kube-state-metrics",
        ),
        *("kubelet", "node-exporter", "pods", "prometheus(-operator)?", "pushgateway", "services", "thanos-.+"),
    )
)
"""Regular expression of every job of this program, whether a stack has it or not."""
