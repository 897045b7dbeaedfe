"""The alerts about the fleet itself; every expression keeps `cluster`."""

from typing import Any

_LIMITS = {
    "sample": "prometheus_target_scrapes_exceeded_sample_limit_total",
    "body size": "prometheus_target_scrapes_exceeded_body_size_limit_total",
    "target": "prometheus_target_scrape_pool_exceeded_target_limit_total",
    "label": "prometheus_target_scrape_pool_exceeded_label_limits_total",
}


def _alert(name: str, severity: str, wait: str, expr: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def _over_limit() -> str:
    return " or ".join(
        f'label_replace(increase({metric}[10m]) > 0, "limit", "{limit}", "", "")' for limit, metric in _LIMITS.items()
    )


ALERTS = [
    _alert(
        "PromfleetClusterNeverReported",
        "critical",
        "10m",
        'promfleet_cluster_expected unless on (cluster) last_over_time(up{job="prometheus"}[7d])',
        "Cluster {{ $labels.cluster }} is expected but has not reported for a week, or ever.",
        "No sample of {{ $labels.cluster }} came in 7 days. Its agent may not be deployed, or its token not be valid.",
    ),
    _alert(
        "PromfleetClusterSilent",
        "critical",
        "1m",  # a sample counts as present for five minutes
        'promfleet_cluster_expected unless on (cluster) up{job="prometheus"}'
        ' and on (cluster) last_over_time(up{job="prometheus"}[7d])',
        "Cluster {{ $labels.cluster }} is silent.",
        "The last sample of {{ $labels.cluster }} is five minutes old: its agent, its network or its token failed.",
    ),
    _alert(
        "PromfleetTargetDown",
        "warning",
        "10m",
        "up == 0",
        "{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} can't be scraped.",
        "Every scrape of {{ $labels.instance }} failed for ten minutes.",
    ),
    _alert(
        "PromfleetAgentLagging",
        "warning",
        "5m",
        # The queue's own highest timestamp stands still while the queue is full; the storage's does not.
        "max_over_time(prometheus_remote_storage_highest_timestamp_in_seconds[5m])"
        " - on (cluster, instance) group_right ()"
        " max_over_time(prometheus_remote_storage_queue_highest_sent_timestamp_seconds[5m]) > 120",
        "The agent of {{ $labels.cluster }} is {{ $value | humanizeDuration }} behind.",
        "What it scrapes reaches {{ $labels.remote_name }} late; a restart now loses what it has not sent.",
    ),
    _alert(
        "PromfleetSamplesRejected",
        "critical",
        "0s",
        "increase(prometheus_remote_storage_samples_failed_total[10m]) > 0",
        "The receiver refuses samples of {{ $labels.cluster }}.",
        "{{ $labels.remote_name }} answered 4xx to {{ $value }} samples in ten minutes; they are lost.",
    ),
    _alert(
        "PromfleetConfigReloadFailed",
        "critical",
        "5m",
        'prometheus_config_last_reload_successful{job="prometheus"} == 0',
        "{{ $labels.instance }} in {{ $labels.cluster }} runs on an old configuration.",
        "The file it was given is not valid; the last good one stays in use.",
    ),
    _alert(
        "PromfleetScrapeLimitExceeded",
        "critical",
        "0s",
        _over_limit(),
        "Targets in {{ $labels.cluster }} exceed the {{ $labels.limit }} limit.",
        "Scrapes over a limit are refused whole. Raise scrape.limits, or shrink what is exposed.",
    ),
    _alert(
        "PromfleetScrapeLimitNear",
        "warning",
        "15m",
        "scrape_samples_post_metric_relabeling / (scrape_sample_limit > 0) > 0.8",
        "{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} nears its sample limit.",
        "It brings {{ $value | humanizePercentage }} of the samples that a scrape may bring.",
    ),
    _alert(
        "PromfleetTargetInvalid",
        "warning",
        "0s",
        "increase(prometheus_target_sync_failed_total[10m]) > 0",
        "{{ $labels.scrape_job }} in {{ $labels.cluster }} has targets that can't be scraped as they are described.",
        "Most often a prometheus.io/timeout is above its prometheus.io/interval.",
    ),
    _alert(
        "PromfleetHubStorageFull",
        "warning",
        "15m",
        "prometheus_tsdb_storage_blocks_bytes / (prometheus_tsdb_retention_limit_bytes > 0) > 0.9",
        "The hub in {{ $labels.cluster }} is about to delete samples before their time.",
        "Its blocks fill {{ $value | humanizePercentage }} of what they may. Raise hub.storage or lower hub.retention.",
    ),
    _alert(
        "PromfleetVolumeFull",
        "critical",
        "5m",
        'kubelet_volume_stats_available_bytes{persistentvolumeclaim=~"prometheus-(hub|agent).*"}'
        " / kubelet_volume_stats_capacity_bytes < 0.1",
        "Volume {{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }} is full but for a tenth.",
        "Prometheus stops taking samples when it can't write. Raise the hub's storage, or the cluster's series.",
    ),
]
