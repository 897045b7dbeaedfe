"""Labels that this program or Thanos sets on series, and nobody else may use."""

import re

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
NOT_FREE = re.compile("|".join((*RESERVED, "job", "instance", "exported_.*")))
"""Labels that no stack file gives a cluster or its series: Prometheus or this program would overwrite the value."""
OF_SERIES = (
    *("access_mode", "alertmanager", "alertname", "alertstate", "area", "bucket", "check", "code", "condition"),
    *("container", "controller", "cpu", "cronjob", "daemonset", "deployment", "device", "effect", "endpoint"),
    *("eviction_signal", "fstype", "git_version", "grpc_code", "grpc_method", "handler", "horizontalpodautoscaler"),
    *("host_ip", "image", "instance", "integration", "item_type", "job", "job_name", "key", "le", "level", "marker"),
    *("method", "mode", "mountpoint", "name", "namespace", "node", "operation", "os_image", "owner_is_controller"),
    *("owner_kind", "owner_name", "persistentvolume", "persistentvolumeclaim", "phase", "pod", "poddisruptionbudget"),
    *("pool", "probe", "quantile", "rcode", "reason", "remote_name", "replicaset", "request_kind", "resolution"),
    *("resource", "resourcequota", "result", "revision", "rule_group", "scrape_job", "service", "severity", "state"),
    *("statefulset", "status", "store_type", "team", "tenant", "To", "type", "uri", "url", "verb", "volume"),
    *("workload", "workload_type"),
)
"""Labels of series and alerts that rules and dashboards of this program read."""

OUR_JOBS = "|".join(
    (
        *(
            "alertmanager",
            "apiserver",
            "blackbox(-exporter|:.+)?",
            "cadvisor",
            "config-reloader",
            "coredns",
            "kube-(controller-manager|etcd|proxy|scheduler|state-metrics)",
        ),
        *(
            "kubelet",
            "node-exporter",
            "pods",
            "prometheus(-operator)?",
            "pushgateway",
            "services",
            "thanos-.+",
            "windows-exporter",
            "write-proxy",
        ),
    )
)
"""Regular expression of every job of this program, whether a stack has it or not."""
