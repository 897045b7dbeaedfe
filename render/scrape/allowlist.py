"""Which series of which job are kept: what rules, dashboards and runbooks read, and what the user adds."""

from settings import Scrape
from settings.exporters import LABELS_OF, WINDOWS_EXPORTER

from .relabel import Rule, constant, drop, keep

_THANOS = (
    "process_(cpu_seconds_total|resident_memory_bytes|start_time_seconds)",
    "thanos_build_info",
    "thanos_status",
)
_SENDING = (
    "prometheus_remote_storage_(highest_timestamp_in_seconds|queue_highest_sent_timestamp_seconds)",
    "prometheus_remote_storage_((samples|histograms)_(dropped|failed)_total|shards_desired|shards_max)",
)
_BUCKET = ("thanos_objstore_bucket_(last_successful_upload_time|operation_failures_total|operations_total)",)
_HTTP = ("http_request_duration_seconds_bucket", "http_requests_total")
_SHIPPER = ("thanos_shipper_(corrupted_blocks|upload_failures|uploads)_total",)
_TSDB = (
    "prometheus_tsdb_(compactions_failed|head_truncations_failed|reloads_failures)_total",
    "prometheus_tsdb_wal_(corruptions|truncations_failed|writes_failed)_total",
)

ESSENTIAL: dict[str, tuple[str, ...]] = {
    "kubelet": (
        "kubelet_certificate_manager_client_expiration_renew_errors",
        "kubelet_certificate_manager_(client|server)_ttl_seconds",
        "kubelet_evictions",
        "kubelet_pleg_relist_duration_seconds_bucket",
        "kubelet_pod_worker_duration_seconds_bucket",
        "kubelet_running_pods",
        "kubelet_runtime_operations(_errors)?_total",
        "kubelet_server_expiration_renew_errors",
        "kubelet_volume_stats_(available|capacity|used)_bytes",
        "kubelet_volume_stats_inodes(_free)?",
        "kubernetes_build_info",
        "rest_client_requests_total",
    ),
    "cadvisor": (
        "container_cpu_cfs_(periods|throttled_periods)_total",
        "container_cpu_usage_seconds_total",
        "container_fs_writes_bytes_total",
        "container_memory_working_set_bytes",
        "container_network_(receive|transmit)_bytes_total",
    ),
    "apiserver": (
        "aggregator_unavailable_apiservice(_total)?",
        "apiserver_admission_webhook_rejection_count",
        "apiserver_client_certificate_expiration_seconds_bucket",
        "apiserver_current_inflight_requests",
        "apiserver_request_sli_duration_seconds_bucket",
        "apiserver_request_terminations_total",
        "apiserver_request_total",
        "apiserver_storage_objects",
        "apiserver_storage_size_bytes",
        "etcd_request_duration_seconds_(count|sum)",
        "go_goroutines",
        "kubernetes_build_info",
        "process_(cpu_seconds_total|resident_memory_bytes)",
    ),
    "config-reloader": ("reloader_last_reload_successful",),
    "coredns": (
        "coredns_cache_(hits|requests)_total",
        "coredns_dns_request_duration_seconds_bucket",
        "coredns_dns_requests_total",
        "coredns_dns_responses_total",
        "coredns_forward_healthcheck_broken_total",
        "coredns_panics_total",
        "coredns_reload_failed_total",
    ),
    "write-proxy": (
        "envoy_(cluster_manager_cds|listener_manager_lds)_update_(failure|rejected)",
        "envoy_http_jwt_authn_(denied|jwks_fetch_failed)",
    ),
    "kube-state-metrics": (
        "kube_cronjob_(next_schedule_time|spec_suspend)",
        "kube_daemonset_status_(current|desired)_number_scheduled",
        "kube_daemonset_status_number_(available|misscheduled)",
        "kube_daemonset_status_updated_number_scheduled",
        "kube_deployment_(metadata_generation|spec_replicas|status_condition|status_observed_generation)",
        "kube_deployment_status_replicas_(available|ready|updated)",
        "kube_horizontalpodautoscaler_spec_(max|min)_replicas",
        "kube_horizontalpodautoscaler_status_(condition|current_replicas|desired_replicas)",
        "kube_job_(failed|status_active|status_start_time)",
        "kube_namespace_(created|status_phase)",
        "kube_node_(info|spec_taint|spec_unschedulable)",
        "kube_node_status_(allocatable|condition)",
        "kube_persistentvolume_status_phase",
        "kube_persistentvolumeclaim_(access_mode|status_phase)",
        "kube_pod_container_info",
        "kube_pod_container_resource_(limits|requests)",
        "kube_pod_container_status_(last_terminated_reason|ready|restarts_total|waiting_reason)",
        "kube_pod_(created|info|owner|status_phase|status_ready|status_unschedulable)",
        "kube_poddisruptionbudget_status_(current_healthy|desired_healthy)",
        "kube_replicaset_owner",
        "kube_resourcequota",
        "kube_state_metrics_(list|watch)_total",
        "kube_statefulset_(metadata_generation|replicas|status_observed_generation)",
        "kube_statefulset_status_(current_revision|replicas_available|replicas_ready|replicas_updated|update_revision)",
        *LABELS_OF,
    ),
    "node-exporter": (
        "node_bonding_(active|slaves)",
        "node_boot_time_seconds",
        "node_cpu_seconds_total",
        "node_disk_(io_time|io_time_weighted)_seconds_total",
        "node_disk_(read|written)_bytes_total",
        "node_filefd_(allocated|maximum)",
        "node_filesystem_(avail_bytes|files|files_free|readonly|size_bytes)",
        "node_load(1|5|15)",
        "node_md_disks(_required)?",
        "node_memory_(Buffers|Cached|MemAvailable|MemFree|MemTotal)_bytes",
        "node_network_(receive|transmit)_(bytes|drop|errs|packets)_total",
        "node_network_up",
        "node_nf_conntrack_entries(_limit)?",
        "node_pressure_(cpu|io|memory)_waiting_seconds_total",
        "node_systemd_(service_restart_total|unit_state)",
        "node_textfile_scrape_error",
        "node_time_seconds",
        "node_timex_(maxerror_seconds|offset_seconds|sync_status)",
        "node_vmstat_(oom_kill|pgmajfault)",
    ),
    WINDOWS_EXPORTER: (
        "windows_container_(available|cpu_usage_seconds_total)",
        "windows_container_memory_usage_(commit|private_working_set)_bytes",
        "windows_container_network_(receive|transmit)_bytes_total",
        "windows_cpu_time_total",
        "windows_logical_disk_(free|size)_bytes",
        "windows_logical_disk_(read|write)_(bytes|seconds)_total",
        "windows_memory_(available|cache|modified_page_list|physical_free|physical_total)_bytes",
        "windows_memory_standby_cache_(core|normal_priority|reserve)_bytes",
        "windows_memory_swap_page_operations_total",
        "windows_net_(bytes|packets_outbound_discarded|packets_received_discarded)_total",
        "windows_system_boot_time_timestamp",
    ),
    "kube-controller-manager": ("workqueue_depth",),
    "kube-etcd": (
        "etcd_disk_wal_fsync_duration_seconds_bucket",
        "etcd_mvcc_db_total_size_in_bytes",
        "etcd_network_peer_sent_failures_total",
        "etcd_server_(has_leader|leader_changes_seen_total|quota_backend_bytes)",
    ),
    "kube-proxy": ("kubeproxy_sync_proxy_rules_last_timestamp_seconds",),
    "kube-scheduler": ("scheduler_(pending_pods|schedule_attempts_total)",),
    "prometheus-operator": (
        "prometheus_operator_(list|watch)_operations(_failed)?_total",
        "prometheus_operator_(managed_resources|ready|syncs)",
        "prometheus_operator_(reconcile|status_update)_(errors|operations)_total",
    ),
    "thanos-sidecar": (*_THANOS, *_BUCKET, *_SHIPPER, "thanos_sidecar_prometheus_up"),
    "thanos-query": (
        *_THANOS,
        "grpc_server_handled_total",
        *_HTTP,
        "grpc_client_handled_total",
        "thanos_query_concurrent_gate_queries_(in_flight|max)",
        "thanos_query_endpoints_dns_(failures_total|lookups_total|provider_results)",
        "thanos_store_nodes_grpc_connections",
    ),
    "thanos-query-frontend": (
        *_THANOS,
        "http_requests_total",
        "cortex_cache_(fetched_keys|hits)_total",
    ),
    "thanos-store": (
        *_THANOS,
        *_BUCKET,
        "grpc_server_handled_total",
        "thanos_blocks_meta_sync_failures_total",
        "thanos_bucket_store_block_load_failures_total",
        "thanos_bucket_store_series_gate_queries_duration_seconds_bucket",
        "thanos_objstore_bucket_operation_duration_seconds_bucket",
        "thanos_memcached_operations_total",
        "thanos_memcached_operation_(failures|skipped)_total",
        "thanos_store_bucket_cache_operation_(hits|requests)_total",
        "thanos_store_index_cache_(hits|requests)_total",
    ),
    "thanos-compactor": (
        *_THANOS,
        *_BUCKET,
        "thanos_blocks_meta_synced",
        "thanos_compact_(block_cleanup_failures|blocks_cleaned|blocks_marked|downsample|downsample_failures)_total",
        "thanos_compact_group_compactions(_failures)?_total",
        "thanos_compact_(halted|iterations_total|todo_(compactions|deletion_blocks|downsample_blocks))",
    ),
    "thanos-ruler": (
        *_THANOS,
        *_SENDING,
        *_BUCKET,
        "grpc_server_handled_total",
        *_SHIPPER,
        *_TSDB,
        "prometheus_rule_(evaluation_failures|evaluations)_total",
        "prometheus_rule_group_(interval_seconds|last_duration_seconds|last_evaluation_timestamp_seconds)",
        "thanos_alert_queue_alerts_dropped_total",
        "thanos_alert_sender_(alerts_dropped|alerts_sent)_total",
        "thanos_rule_(alertmanagers|endpoints|query_apis)_dns_(failures|lookups)_total",
        "thanos_rule_alertmanagers_dns_provider_results",
        "thanos_rule_(config_last_reload_successful|evaluation_with_warnings_total|loaded_rules)",
    ),
    "thanos-receive": (
        *_THANOS,
        *_BUCKET,
        *_HTTP,
        *_SHIPPER,
        *_TSDB,
        "prometheus_tsdb_((too_old|out_of_bound|out_of_order)_samples|head_samples_appended)_total",
        "prometheus_tsdb_head_series",
        "prometheus_tsdb_(storage_blocks|wal_storage_size)_bytes",
        "thanos_receive_(config_hash|hashring_nodes|replication_factor)",
        "thanos_receive_(forward_requests|hashrings_file_errors|replications)_total",
        "thanos_receive_head_series_limited_requests_total",
        "thanos_receive_(limits_config_reload_err|metamonitoring_failed_queries)_total",
        "thanos_receive_write_samples_sum",
    ),
}
"""Job -> regular expressions of what is kept. A job that is not here keeps everything."""


def _bound(le: str) -> str:
    """A bucket's bound as any exposition format writes it."""
    return le.replace(".0", r"(\.0)?") if le.endswith(".0") else le.replace(".", r"\.")


_FINE = (
    *("0.05", "0.2", "0.6", "0.8", "1.25", "1.5", "2.0", "3.0", "4.0", "6.0", "8.0"),
    *("10.0", "15.0", "20.0", "30.0", "45.0"),
)
"""
Bounds of API requests that are not kept; 0.1, 0.4, 1, 5 and 60 seconds and +Inf are.

Buckets are cumulative, so that what is left is a histogram too, and a quantile is as far from the true one as the two
bounds around it are apart. Exact are: whether it is above one of the bounds, so above the alerts' second; above the
least threshold, 0.1; and that nothing takes longer than 60 s, when the API server gives up.
"""

_SLI = "apiserver_request_sli_duration_seconds_bucket"
UNREAD: dict[str, tuple[tuple[str, str, str], ...]] = {
    "apiserver": (
        (_SLI, "verb", "WATCH|WATCHLIST|CONNECT|PROXY"),
        (_SLI, "le", "|".join(map(_bound, _FINE))),
    ),
    "kube-state-metrics": (
        ("kube_deployment_status_condition", "condition", "Available|ReplicaFailure"),
        ("kube_persistentvolume_status_phase", "phase", "Available|Bound|Pending|Released"),
        ("kube_persistentvolumeclaim_status_phase", "phase", "Bound|Lost"),
        ("kube_pod_status_ready", "condition", "false|unknown"),
        ("kube_state_metrics_list_total", "result", "success"),
        ("kube_state_metrics_watch_total", "result", "success"),
    ),
    "node-exporter": (("node_systemd_unit_state", "state", "activating|active|deactivating|inactive"),),
}
"""Job -> series of the above that are not read: a metric, its label, and a regular expression of the values."""

_REPEATED = {
    "cadvisor": [
        # Groups between the node and its pods, which repeat the sum of what is in them.
        drop(["id", "pod"], "/.+;"),
        # The sandbox of each pod, which only holds its network.
        drop(["__name__", "container", "image"], "container_(cpu|memory)_.+;;.+"),
    ],
}


def _dropped(job: str, scrape: Scrape) -> list[Rule]:
    builtin = scrape.builtin.get(job)
    if not builtin or not builtin.drop:
        return []
    names = "|".join(builtin.drop)
    if job not in ESSENTIAL:
        return [drop(["__name__"], names)]
    # RE2 can't say "anything but", so that what is essential is marked first.
    essential = {**constant(_READ, "true"), "source_labels": ["__name__"], "regex": "|".join(ESSENTIAL[job])}
    return [essential, drop([_READ, "__name__"], f";({names})"), {"regex": _READ, "action": "labeldrop"}]


_READ = "__tmp_read"


def metric_rules(job: str, scrape: Scrape) -> list[Rule]:
    """
    The rules that thin out one job's samples before they count and are stored.

    A metric that the stack file names is kept whole. What it drops of a job is dropped unless it is essential.
    """
    if scrape.metrics == "full" or job not in ESSENTIAL:
        return _dropped(job, scrape)
    added = scrape.kept_of(job)
    unread = [
        drop(["__name__", label], f"{metric};({values})")
        for metric, label, values in UNREAD.get(job, ())
        if metric not in added
    ]
    wanted = (*ESSENTIAL[job], *scrape.keep, *sorted(added - {*scrape.keep}))
    return [keep(["__name__"], "|".join(wanted)), *unread, *_REPEATED.get(job, [])]
