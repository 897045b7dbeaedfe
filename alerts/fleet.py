"""The hub's watch over its fleet: agents and the clusters that they speak for, and the hub itself."""

from .model import Alert, Group

FLEET = Group(
    name="fleet",
    alerts=(
        Alert(
            name="PromfleetClusterNeverReported",
            expr='promfleet_cluster_expected unless on (cluster) last_over_time(up{job="prometheus"}[7d])',
            wait="10m",
            severity="critical",
            summary="Cluster {{ $labels.cluster }} is expected but has not reported for a week, or ever.",
            description="No sample of {{ $labels.cluster }} came in 7 days. Its agent may not be deployed, or its token not be valid.",
        ),
        Alert(
            name="PromfleetClusterSilent",
            expr='promfleet_cluster_expected unless on (cluster) up{job="prometheus"} and on (cluster) last_over_time(up{job="prometheus"}[7d])',
            wait="1m",
            severity="critical",
            summary="Cluster {{ $labels.cluster }} is silent.",
            description="The last sample of {{ $labels.cluster }} is five minutes old: its agent, its network or its token failed.",
        ),
        Alert(
            name="PromfleetTargetDown",
            expr="up == 0",
            wait="10m",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} can't be scraped.",
            description="Every scrape of {{ $labels.instance }} failed for ten minutes.",
        ),
        Alert(
            name="PromfleetAgentLagging",
            expr="max_over_time(prometheus_remote_storage_highest_timestamp_in_seconds[5m]) - on (cluster, instance) group_right () max_over_time(prometheus_remote_storage_queue_highest_sent_timestamp_seconds[5m]) > 120",
            wait="5m",
            severity="warning",
            summary="The agent of {{ $labels.cluster }} is {{ $value | humanizeDuration }} behind.",
            description="What it scrapes reaches {{ $labels.remote_name }} late; a restart now loses what it has not sent.",
        ),
        Alert(
            name="PromfleetSamplesRejected",
            expr="increase(prometheus_remote_storage_samples_failed_total[10m]) > 0",
            severity="critical",
            summary="The receiver refuses samples of {{ $labels.cluster }}.",
            description="{{ $labels.remote_name }} answered 4xx to {{ $value }} samples in ten minutes; they are lost.",
        ),
        Alert(
            name="PromfleetConfigReloadFailed",
            expr='prometheus_config_last_reload_successful{job="prometheus"} == 0',
            wait="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs on an old configuration.",
            description="The file it was given is not valid; the last good one stays in use.",
        ),
        Alert(
            name="PromfleetScrapeLimitExceeded",
            expr='label_replace(increase(prometheus_target_scrapes_exceeded_sample_limit_total[10m]) > 0, "limit", "sample", "", "") or label_replace(increase(prometheus_target_scrapes_exceeded_body_size_limit_total[10m]) > 0, "limit", "body size", "", "") or label_replace(increase(prometheus_target_scrape_pool_exceeded_target_limit_total[10m]) > 0, "limit", "target", "", "") or label_replace(increase(prometheus_target_scrape_pool_exceeded_label_limits_total[10m]) > 0, "limit", "label", "", "")',
            severity="critical",
            summary="Targets in {{ $labels.cluster }} exceed the {{ $labels.limit }} limit.",
            description="Scrapes over a limit are refused whole. Raise scrape.limits, or shrink what is exposed.",
        ),
        Alert(
            name="PromfleetScrapeLimitNear",
            expr="scrape_samples_post_metric_relabeling / (scrape_sample_limit > 0) > 0.8",
            wait="15m",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} nears its sample limit.",
            description="It brings {{ $value | humanizePercentage }} of the samples that a scrape may bring.",
        ),
        Alert(
            name="PromfleetTargetInvalid",
            expr="increase(prometheus_target_sync_failed_total[10m]) > 0",
            severity="warning",
            summary="{{ $labels.scrape_job }} in {{ $labels.cluster }} has targets that can't be scraped as they are described.",
            description="Most often a prometheus.io/timeout is above its prometheus.io/interval.",
        ),
        Alert(
            name="PromfleetHubStorageFull",
            expr="prometheus_tsdb_storage_blocks_bytes / (prometheus_tsdb_retention_limit_bytes > 0) > 0.9",
            wait="15m",
            severity="warning",
            summary="The hub in {{ $labels.cluster }} is about to delete samples before their time.",
            description="Its blocks fill {{ $value | humanizePercentage }} of what they may. Raise hub.storage or lower hub.retention.",
        ),
        Alert(
            name="PromfleetVolumeFull",
            expr='kubelet_volume_stats_available_bytes{persistentvolumeclaim=~"prometheus-(hub|agent).*"} / kubelet_volume_stats_capacity_bytes < 0.1',
            wait="5m",
            severity="critical",
            summary="Volume {{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }} is full but for a tenth.",
            description="Prometheus stops taking samples when it can't write. Raise the hub's storage, or the cluster's series.",
        ),
    ),
)
