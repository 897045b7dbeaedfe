"""The hub's watch over its fleet: an agent evaluates no rules, so whatever befalls it is noticed here or nowhere."""

from .model import Alert, Group, Threshold
from .sources import KUBELETS, NODE, SCRAPERS, SENDERS, STATE

_POOL = f"prometheus_target_scrape_pool_{{}}{{{{{SCRAPERS}}}}}"
_OVER = {
    "sample": "scrape_samples_post_metric_relabeling > (scrape_sample_limit > 0)",
    "body size": "scrape_body_size_bytes < 0",
    # What was answered in full and not taken. No series says of which target it was, but a counter that there was one.
    "label": (
        "scrape_body_size_bytes > 0 and up == 0\n"
        "  unless scrape_samples_post_metric_relabeling > (scrape_sample_limit > 0)\n"
        f"  and on (cluster) increase({_POOL.format('exceeded_label_limits_total')}[10m]) > 0"
    ),
    "target": (
        "label_replace(label_replace(\n"
        f"  max by (cluster, scrape_job) ({_POOL.format('targets')} > ({_POOL.format('target_limit')} > 0)),\n"
        '  "job", "$1", "scrape_job", "(.+)"), "instance", "all", "", "")'
    ),
}
"""Limit -> the targets that exceed it, as their own scrapes report it."""
_OVER_LIMIT = "\nor ".join(f'label_replace(\n  {expr},\n"limit", "{limit}", "", "")' for limit, expr in _OVER.items())

_QUEUE = "prometheus_remote_storage"
_WAY = "(cluster, instance, remote_name, url)"
_VOLUMES = f'{KUBELETS}, persistentvolumeclaim=~"prometheus-(hub|agent).*"'


def _shards(which: str) -> str:
    return f"max by {_WAY} (max_over_time({_QUEUE}_shards_{which}{{{SENDERS}}}[5m]))"


FLEET = Group(
    name="fleet",
    alerts=(
        Alert(
            name="PromfleetClusterNeverReported",
            expr='promfleet_cluster_expected unless on (cluster) last_over_time(up{job="prometheus"}[7d])',
            for_="10m",
            severity="critical",
            summary="Cluster {{ $labels.cluster }} is expected but has not reported for a week, or ever.",
            description="No sample of it came in 7 days. Its agent may not be deployed, or its token not be valid.",
        ),
        Alert(
            name="PromfleetClusterSilent",
            expr=(
                'promfleet_cluster_expected unless on (cluster) up{job="prometheus"}\n'
                'and on (cluster) last_over_time(up{job="prometheus"}[7d])'
            ),
            for_="1m",  # a sample counts as present for five minutes
            severity="critical",
            summary="Cluster {{ $labels.cluster }} is silent.",
            description="Its last sample is five minutes old: its agent, its network or its token failed.",
        ),
        Alert(
            name="PromfleetWalAtRisk",
            # Once in five minutes over two days: the longest outage that an agent can be planned for.
            expr=(
                "time() - max by (cluster) (\n"
                '  max_over_time(timestamp(up{job="prometheus"})[2d:5m])\n'
                ") > on (cluster) $threshold * max by (cluster) (promfleet_agent_outage_seconds)"
            ),
            severity="critical",
            summary="The agent of {{ $labels.cluster }} will soon overwrite what it could not send.",
            description=(
                "Nothing came of it for {{ $value | humanizeDuration }}; its log is planned for `outage` of that."
            ),
            threshold=Threshold(value=0.5, least=0.1, most=0.95, unit="ratio"),
        ),
        Alert(
            name="PromfleetSamplesLate",
            expr='time() - max by (cluster) (timestamp(up{job="prometheus"})) > $threshold',
            severity="warning",
            summary="What comes of {{ $labels.cluster }} is {{ $value | humanizeDuration }} old.",
            description="Its newest sample lags behind the hub's clock: a slow sender, a slow way, or a slow clock.",
            threshold=Threshold(value=180, least=130, most=290, unit="seconds"),
        ),
        Alert(
            name="PromfleetAgentLagging",
            # The queue's own highest timestamp stands still while the queue is full; the storage's does not.
            expr=(
                "max by (cluster, instance) (\n"
                f"  max_over_time({_QUEUE}_highest_timestamp_in_seconds{{{SENDERS}}}[5m])\n"
                ")\n"
                "- on (cluster, instance) group_right ()\n"
                f"max_over_time({_QUEUE}_queue_highest_sent_timestamp_seconds{{{SENDERS}}}[5m]) > $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The agent of {{ $labels.cluster }} is {{ $value | humanizeDuration }} behind.",
            description=(
                "What it scrapes reaches {{ $labels.remote_name }} late; a restart now loses what it has not sent."
            ),
            threshold=Threshold(value=120, least=30, most=7200, unit="seconds"),
        ),
        Alert(
            name="PromfleetShardsAtLimit",
            expr=f"{_shards('desired')}\n> on {_WAY}\n{_shards('max')}",
            for_="15m",
            severity="warning",
            summary="The agent of {{ $labels.cluster }} sends as fast as it may, and that is too slow.",
            description=(
                "It wants {{ $value | printf `%.0f` }} connections to {{ $labels.remote_name }}, more than it may open."
            ),
        ),
        Alert(
            name="PromfleetSamplesRejected",
            expr=f"increase({_QUEUE}_samples_failed_total{{{SENDERS}}}[10m]) > 0",
            severity="critical",
            summary="The receiver refuses samples of {{ $labels.cluster }}.",
            description=(
                "{{ $labels.remote_name }} answered 4xx to {{ $value | printf `%.0f` }} samples in ten minutes; "
                "they are lost."
            ),
        ),
        Alert(
            name="PromfleetSamplesDropped",
            expr=(
                f"increase({_QUEUE}_samples_dropped_total"
                f'{{{SENDERS}, reason=~"too_old|unintentionally_dropped_series"}}[10m]) > 0'
            ),
            severity="critical",
            summary="The agent of {{ $labels.cluster }} throws samples away.",
            description="{{ $value | printf `%.0f` }} samples were never sent ({{ $labels.reason }}) in ten minutes.",
        ),
        Alert(
            name="PromfleetRestartsOften",
            expr='changes(process_start_time_seconds{job="prometheus"}[30m]) > 3',
            severity="warning",
            summary="{{ $labels.instance }} of {{ $labels.cluster }} restarts again and again, or there are two of it.",
            description=(
                "Its start time changed {{ $value }} times in half an hour. A start while behind loses samples."
            ),
        ),
        Alert(
            name="PromfleetNameTaken",
            # When kube-system was made tells clusters apart; one cluster made anew changes it once.
            expr=f'changes(kube_namespace_created{{{STATE}, namespace="kube-system"}}[30m]) > 2',
            severity="critical",
            summary="Two clusters report as {{ $labels.cluster }}.",
            description="Their samples are mixed and can't be told apart. Give one of them another name.",
            jobs=("kube-state-metrics",),
        ),
        Alert(
            name="PromfleetClockOff",
            expr=f"abs(node_time_seconds{{{NODE}}} - timestamp(node_time_seconds{{{NODE}}})) > $threshold",
            for_="10m",
            severity="warning",
            summary="The clock of {{ $labels.node }} in {{ $labels.cluster }} differs from Prometheus's there.",
            description=(
                "By {{ $value | humanizeDuration }}. Samples get the scraper's time; logs and traces won't match."
            ),
            threshold=Threshold(value=30, least=15, most=3600, unit="seconds"),
            jobs=("node-exporter",),
        ),
        Alert(
            name="PromfleetTargetDown",
            expr="up == 0",
            for_="10m",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} can't be scraped.",
            description="Every scrape of {{ $labels.instance }} failed for ten minutes.",
        ),
        Alert(
            name="PromfleetConfigReloadFailed",
            expr='prometheus_config_last_reload_successful{job="prometheus"} == 0',
            for_="5m",
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} runs on an old configuration.",
            description="The file it was given is not valid; the last good one stays in use.",
        ),
        Alert(
            name="PromfleetScrapeLimitExceeded",
            expr=_OVER_LIMIT,
            severity="critical",
            summary=(
                "{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} exceeds the {{ $labels.limit }} "
                "limit."
            ),
            description="Scrapes over a limit are refused whole. Raise scrape.limits, or shrink what is exposed.",
        ),
        Alert(
            name="PromfleetScrapeLimitNear",
            expr="scrape_samples_post_metric_relabeling / (scrape_sample_limit > 0) > $threshold",
            for_="15m",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} nears its sample limit.",
            description="It brings {{ $value | humanizePercentage }} of the samples that a scrape may bring.",
            threshold=Threshold(value=0.8, least=0.5, most=0.99, unit="ratio"),
        ),
        Alert(
            name="PromfleetJobEmpty",
            expr=(
                f"prometheus_target_scrape_pool_targets{{{SCRAPERS}, "
                'scrape_job=~"apiserver|cadvisor|coredns|kube-state-metrics|kubelet|node-exporter"} == 0'
            ),
            for_="15m",
            severity="warning",
            summary="{{ $labels.scrape_job }} in {{ $labels.cluster }} finds nothing to scrape.",
            description="No alert on what it would bring can fire. The cluster may have it under another name.",
        ),
        Alert(
            name="PromfleetTargetInvalid",
            expr=f"increase(prometheus_target_sync_failed_total{{{SCRAPERS}}}[10m]) > 0",
            severity="warning",
            summary="{{ $labels.scrape_job }} in {{ $labels.cluster }} has targets that are described wrongly.",
            description="Most often a prometheus.io/timeout is above its prometheus.io/interval.",
        ),
        Alert(
            name="PromfleetHubStorageFull",
            expr=(
                f"prometheus_tsdb_storage_blocks_bytes{{{SCRAPERS}}}\n"
                f"/ (prometheus_tsdb_retention_limit_bytes{{{SCRAPERS}}} > 0) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="The hub in {{ $labels.cluster }} is about to delete samples before their time.",
            description=(
                "Blocks fill {{ $value | humanizePercentage }} of their share. Raise hub.storage or lower "
                "hub.retention."
            ),
            threshold=Threshold(value=0.9, least=0.5, most=0.99, unit="ratio"),
        ),
        Alert(
            name="PromfleetVolumeFull",
            expr=(
                f"kubelet_volume_stats_available_bytes{{{_VOLUMES}}}\n"
                f"/ kubelet_volume_stats_capacity_bytes{{{_VOLUMES}}} < $threshold"
            ),
            for_="5m",
            severity="critical",
            summary="Volume {{ $labels.persistentvolumeclaim }} in {{ $labels.cluster }} is nearly full.",
            description=(
                "{{ $value | humanizePercentage }} is free. Prometheus stops taking samples when it can't write."
            ),
            threshold=Threshold(value=0.1, least=0.02, most=0.5, unit="ratio"),
            jobs=("kubelet",),
        ),
    ),
)
