"""Which metrics of which job are kept: what rules and common dashboards use, and what the user adds."""

from settings import Scrape

from .relabel import Rule, drop, keep

_PROCESS = ("go_goroutines", "go_info", "process_cpu_seconds_total", "process_resident_memory_bytes")
_CLIENT = ("rest_client_requests_total",)
_THANOS = (*_PROCESS, "process_start_time_seconds", "thanos_build_info", "thanos_status")
_SENDING = (
    "prometheus_remote_storage_(highest_timestamp_in_seconds|queue_highest_sent_timestamp_seconds)",
    "prometheus_remote_storage_(samples_dropped_total|samples_failed_total|shards_desired|shards_max)",
)
_BUCKET = ("thanos_objstore_bucket_(last_successful_upload_time|operation_failures_total|operations_total)",)
_HTTP = ("http_request_duration_seconds_(bucket|count|sum)", "http_requests_total")
_BLOCKS = ("thanos_blocks_meta_sync_failures_total", "thanos_blocks_meta_synced")
_SHIPPER = ("thanos_shipper_(corrupted_blocks|upload_failures|uploads)_total",)
_TSDB = (
    "prometheus_tsdb_((too_old|out_of_bound|out_of_order)_samples|compactions_failed|reloads_failures)_total",
    "prometheus_tsdb_head_(series|samples_appended_total|truncations_failed_total)",
    "prometheus_tsdb_(storage_blocks|wal_storage_size)_bytes",
    "prometheus_tsdb_wal_(corruptions|truncations_failed|writes_failed)_total",
)

ESSENTIAL: dict[str, tuple[str, ...]] = {
    "kubelet": (
        *_PROCESS,
        *_CLIENT,
        "kubelet_cgroup_manager_duration_seconds_(bucket|count)",
        "kubelet_evictions",
        "kubelet_node_name",
        "kubelet_pleg_relist_duration_seconds_(bucket|count)",
        "kubelet_pleg_relist_interval_seconds_bucket",
        "kubelet_pod_start_duration_seconds_(bucket|count)",
        "kubelet_pod_worker_duration_seconds_(bucket|count)",
        "kubelet_running_containers",
        "kubelet_running_pods",
        "kubelet_runtime_operations_errors_total",
        "kubelet_runtime_operations_total",
        "kubelet_certificate_manager_client_expiration_renew_errors",
        "kubelet_certificate_manager_client_ttl_seconds",
        "kubelet_certificate_manager_server_ttl_seconds",
        "kubelet_server_expiration_renew_errors",
        "kubelet_volume_stats_(available|capacity|used)_bytes",
        "kubelet_volume_stats_inodes(_free|_used)?",
        "kubernetes_build_info",
        "storage_operation_duration_seconds_count",
        "volume_manager_total_volumes",
    ),
    "cadvisor": (
        "container_cpu_cfs_(periods|throttled_periods)_total",
        "container_cpu_usage_seconds_total",
        "container_fs_(reads|writes)(_bytes)?_total",
        "container_fs_usage_bytes",
        "container_memory_(cache|rss|swap|usage_bytes|working_set_bytes)",
        "container_network_(receive|transmit)_(bytes|packets|packets_dropped|errors)_total",
        "container_oom_events_total",
        "container_start_time_seconds",
        "machine_(cpu_cores|memory_bytes)",
    ),
    "apiserver": (
        *_PROCESS,
        "aggregator_unavailable_apiservice(_total)?",
        "apiserver_admission_webhook_rejection_count",
        "apiserver_client_certificate_expiration_seconds_(bucket|count)",
        "apiserver_current_inflight_requests",
        "apiserver_flowcontrol_rejected_requests_total",
        "apiserver_request_duration_seconds_(bucket|count|sum)",
        "apiserver_request_sli_duration_seconds_(bucket|count|sum)",
        "apiserver_request_terminations_total",
        "apiserver_request_total",
        "apiserver_storage_objects",
        "apiserver_storage_size_bytes",
        "etcd_request_duration_seconds_(count|sum)",
        "kubernetes_build_info",
        "workqueue_(adds_total|depth)",
    ),
    "config-reloader": ("reloader_last_reload_successful",),
    "coredns": (
        *_PROCESS,
        "coredns_build_info",
        "coredns_cache_(entries|hits_total|misses_total|requests_total)",
        "coredns_dns_request_duration_seconds_(bucket|count|sum)",
        "coredns_dns_requests_total",
        "coredns_dns_responses_total",
        "coredns_forward_healthcheck_broken_total",
        "coredns_panics_total",
        "coredns_plugin_enabled",
        "coredns_proxy_request_duration_seconds_(bucket|count|sum)",
        "coredns_reload_failed_total",
    ),
    "kube-state-metrics": (
        "kube_cronjob_(next_schedule_time|spec_suspend|status_active|status_last_successful_time)",
        "kube_daemonset_status_(current|desired)_number_scheduled",
        "kube_daemonset_status_number_(available|misscheduled|unavailable)",
        "kube_daemonset_status_updated_number_scheduled",
        "kube_deployment_(metadata_generation|spec_replicas|spec_paused|status_condition|status_observed_generation)",
        "kube_deployment_status_replicas(_available|_ready|_unavailable|_updated)?",
        "kube_horizontalpodautoscaler_spec_(max|min)_replicas",
        "kube_horizontalpodautoscaler_status_(condition|current_replicas|desired_replicas)",
        "kube_ingress_info",
        "kube_job_(failed|owner|spec_completions|status_active|status_failed|status_start_time|status_succeeded)",
        "kube_namespace_(created|status_phase)",
        "kube_node_(created|info|labels|role|spec_taint|spec_unschedulable)",
        "kube_node_status_(allocatable|capacity|condition)",
        "kube_persistentvolume_status_phase",
        "kube_persistentvolumeclaim_(access_mode|info|labels|resource_requests_storage_bytes|status_phase)",
        "kube_pod_container_info",
        "kube_pod_container_resource_(limits|requests)",
        "kube_pod_container_status_(last_terminated_reason|ready|restarts_total|running|terminated_reason)",
        "kube_pod_container_status_waiting(_reason)?",
        "kube_pod_(created|info|labels|owner|start_time|status_phase|status_ready|status_reason|status_unschedulable)",
        "kube_pod_init_container_status_restarts_total",
        "kube_poddisruptionbudget_status_(current_healthy|desired_healthy|expected_pods|pod_disruptions_allowed)",
        "kube_replicaset_(owner|spec_replicas|status_ready_replicas)",
        "kube_resourcequota",
        "kube_service_(info|spec_type)",
        "kube_state_metrics_(list|watch)_total",
        "kube_statefulset_(metadata_generation|replicas|status_observed_generation|status_replicas)",
        "kube_statefulset_status_(current_revision|replicas_available|replicas_ready|replicas_updated|update_revision)",
    ),
    "node-exporter": (
        *_PROCESS,
        "node_bonding_(active|slaves)",
        "node_boot_time_seconds",
        "node_context_switches_total",
        "node_cpu_seconds_total",
        "node_disk_(io_time|io_time_weighted|read_time|write_time)_seconds_total",
        "node_disk_(read_bytes|reads_completed|written_bytes|writes_completed)_total",
        "node_exporter_build_info",
        "node_filefd_(allocated|maximum)",
        "node_filesystem_(avail_bytes|device_error|files|files_free|free_bytes|readonly|size_bytes)",
        "node_intr_total",
        "node_load(1|5|15)",
        "node_md_(disks|disks_required|state)",
        "node_memory_(Active|Buffers|Cached|MemAvailable|MemFree|MemTotal|SReclaimable|Slab|SwapFree|SwapTotal)_bytes",
        "node_network_(receive|transmit)_(bytes|drop|errs|packets)_total",
        "node_network_(info|mtu_bytes|speed_bytes|up)",
        "node_nf_conntrack_entries(_limit)?",
        "node_os_info",
        "node_pressure_(cpu_waiting|io_waiting|io_stalled|memory_waiting|memory_stalled)_seconds_total",
        "node_procs_(blocked|running)",
        "node_scrape_collector_success",
        "node_sockstat_(TCP_(alloc|inuse|mem|tw)|sockets_used)",
        "node_systemd_(service_restart_total|unit_state)",
        "node_time_seconds",
        "node_timex_(maxerror_seconds|offset_seconds|sync_status)",
        "node_uname_info",
        "node_vmstat_(oom_kill|pgmajfault|pswpin|pswpout)",
        "node_textfile_scrape_error",
    ),
    "thanos-sidecar": (*_THANOS, *_BUCKET, "grpc_server_handled_total", *_SHIPPER, "thanos_sidecar_prometheus_up"),
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
        *_HTTP,
        "cortex_cache_(fetched_keys|hits)_total",
        "thanos_frontend_split_queries_total",
        "thanos_query_frontend_queries_total",
    ),
    "thanos-store": (
        *_THANOS,
        *_BLOCKS,
        *_BUCKET,
        "grpc_server_handled_total",
        "thanos_bucket_store_block_load_failures_total",
        "thanos_bucket_store_blocks_loaded",
        "thanos_bucket_store_series_gate_queries_(duration_seconds_bucket|in_flight|max)",
        "thanos_objstore_bucket_operation_duration_seconds_bucket",
        "thanos_memcached_operations_total",
        "thanos_memcached_operation_(failures|skipped)_total",
        "thanos_store_bucket_cache_operation_(hits|requests)_total",
        "thanos_store_index_cache_(hits|requests)_total",
    ),
    "thanos-compactor": (
        *_THANOS,
        *_BLOCKS,
        *_BUCKET,
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
        "prometheus_rule_(evaluation_failures|evaluations|group_iterations_missed)_total",
        "prometheus_rule_group_(interval_seconds|last_duration_seconds|last_evaluation_timestamp_seconds)",
        "thanos_alert_queue_(alerts_dropped_total|capacity|length)",
        "thanos_alert_sender_(alerts_dropped|alerts_sent|errors)_total",
        "thanos_rule_(alertmanagers|endpoints|query_apis)_dns_(failures_total|lookups_total|provider_results)",
        "thanos_rule_(config_last_reload_successful|evaluation_with_warnings_total|loaded_rules)",
    ),
    "thanos-receive": (
        *_THANOS,
        *_BUCKET,
        "grpc_server_handled_total",
        *_HTTP,
        *_SHIPPER,
        *_TSDB,
        "thanos_receive_(config_hash|hashring_nodes|replication_factor)",
        "thanos_receive_(forward_requests|hashrings_file_errors|replications)_total",
        "thanos_receive_head_series_limit(ed_requests_total)?",
        "thanos_receive_(limits_config_reload_err|metamonitoring_failed_queries)_total",
        "thanos_receive_write_samples_sum",
    ),
}
"""Job -> regular expressions of what is kept. A job that is not here keeps everything."""


def _bound(le: str) -> str:
    """A bucket's bound as any exposition format writes it."""
    return le.replace(".0", r"(\.0)?") if le.endswith(".0") else le.replace(".", r"\.")


_DURATIONS = "apiserver_request_(sli_)?duration_seconds"
_FINE = (
    "0.005",
    "0.025",
    "0.05",
    "0.2",
    "0.6",
    "0.8",
    "1.25",
    "1.5",
    "2.0",
    "3.0",
    "4.0",
    "6.0",
    "8.0",
    "15.0",
    "20.0",
    "45.0",
)
"""Bounds between those that service levels are stated in: 0.1, 0.4, 1, 5, 10, 30 and 60 seconds."""

_THINNED = {
    "apiserver": [
        drop(["__name__", "verb"], f"{_DURATIONS}_(bucket|count|sum);(WATCH|WATCHLIST|CONNECT|PROXY)"),
        drop(["__name__", "le"], f"{_DURATIONS}_bucket;({'|'.join(_bound(le) for le in _FINE)})"),
    ],
    # Groups between the node and its pods, which repeat the sum of what is in them.
    "cadvisor": [drop(["id", "pod"], "/.+;")],
    # Those that succeed come with every kind of object, and are not asked for.
    "kube-state-metrics": [drop(["__name__", "result"], "kube_state_metrics_(list|watch)_total;success")],
    # Of five states of each unit one is asked for.
    "node-exporter": [drop(["__name__", "state"], "node_systemd_unit_state;(activating|active|deactivating|inactive)")],
}


def metric_rules(job: str, scrape: Scrape) -> list[Rule]:
    """The rules that thin out one job's samples before they count and are stored."""
    if scrape.metrics == "full" or job not in ESSENTIAL:
        return []
    return [keep(["__name__"], "|".join((*ESSENTIAL[job], *scrape.keep))), *_THINNED.get(job, [])]
