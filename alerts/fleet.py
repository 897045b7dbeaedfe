"""What a hub knows of its agents; they evaluate no rules, so what happens to them is noticed here or nowhere."""

from .model import Alert, Group, Threshold
from .sources import KSM, KUBELETS, NODE, SCRAPERS, SENDERS, STATE

_VOLUMES = (
    f'{KUBELETS}, persistentvolumeclaim=~"prometheus-agent(-shard-[0-9]+)?|data-prometheus-(hub|standalone)-[0-9]+"'
)

_SHARDS = "promfleet_agent_shard_expected"
_SEEN = f"timestamp(up{{{SCRAPERS}}})"


def _newest(timestamps: str) -> str:
    """The newest of the times of a cluster's samples, or of each shard's where its agent has several."""
    return (
        f"  max by (cluster) ({timestamps})\n"
        f"    unless on (cluster) {_SHARDS}\n"
        f"  or max by (cluster, instance) ({timestamps})\n"
        f"    and on (cluster, instance) {_SHARDS}\n"
    )


FLEET = Group(
    name="fleet",
    alerts=(
        Alert(
            name="PromfleetClusterNeverReported",
            expr='promfleet_cluster_expected unless on (cluster) last_over_time(up{job="prometheus"}[7d])',
            for_="10m",
            severity="critical",
            summary="Cluster {{ $labels.cluster }} is expected but has not reported for a week, or ever.",
            description="No sample arrived in 7 days. The agent may not be deployed, or its token may not be valid.",
        ),
        Alert(
            name="PromfleetClusterSilent",
            expr=(
                'promfleet_cluster_expected unless on (cluster) up{job="prometheus"}\n'
                'and on (cluster) last_over_time(up{job="prometheus"}[7d])'
            ),
            for_="1m",  # a sample counts as present for five minutes
            severity="critical",
            summary="Cluster {{ $labels.cluster }} has stopped reporting.",
            description=(
                "The last sample arrived more than five minutes ago. The agent, its network or its token failed."
            ),
        ),
        Alert(
            name="PromfleetShardSilent",
            # Of a cluster that is silent as a whole PromfleetClusterSilent tells.
            expr=(
                f'{_SHARDS} unless on (cluster, instance) up{{job="prometheus"}}\n'
                'and on (cluster) up{job="prometheus"}'
            ),
            for_="5m",  # a sample counts as present for five minutes; a new shard starts within them
            severity="critical",
            summary="Shard {{ $labels.instance }} of the agent of {{ $labels.cluster }} does not report.",
            description=(
                "A part of the targets of the cluster is not scraped, or their samples do not arrive. Other shards do "
                "not take them over."
            ),
        ),
        Alert(
            name="PromfleetClusterUnreachable",
            expr='promfleet_cluster_watched unless on (cluster) up{job="apiserver"} == 1',
            for_="5m",
            severity="critical",
            summary="The watcher can't reach the API server of {{ $labels.cluster }}.",
            description=(
                "No scrape of the API server succeeds. Its network or its certificate changed, or the token of the "
                "watcher was revoked."
            ),
            jobs=("apiserver",),
        ),
        Alert(
            name="PromfleetApplicationMissing",
            # Those of a cluster that is silent as a whole are not missing by themselves.
            expr=('promfleet_application_expected unless on (cluster, job) up\nand on (cluster) up{job="prometheus"}'),
            for_="15m",
            severity="warning",
            summary="Application {{ $labels.job }} in {{ $labels.cluster }} has no target.",
            description=(
                "No Service in namespace {{ $labels.namespace }} has the labels and the port that it should have, or "
                "there is no pod behind it."
            ),
        ),
        Alert(
            name="PromfleetWalAtRisk",
            # Once in five minutes over two days: the longest outage that an agent can be planned for.
            expr=(
                f"time() - (\n{_newest(f'max_over_time({_SEEN}[2d:5m])')}"
                ") > on (cluster) group_left () $threshold * max by (cluster) (promfleet_agent_outage_seconds)"
            ),
            severity="critical",
            summary="The agent of {{ $labels.cluster }} will soon lose samples that it could not send.",
            description=(
                "No sample arrived for {{ $value | humanizeDuration }}. The agent's WAL is sized for the configured "
                "`outage`; older samples will be lost."
            ),
            threshold=Threshold(value=0.5, least=0.1, most=0.95, unit="ratio"),
        ),
        Alert(
            name="PromfleetSamplesLate",
            expr=f"time() - (\n{_newest(_SEEN)}) > $threshold",
            severity="warning",
            summary="The newest sample from {{ $labels.cluster }} is {{ $value | humanizeDuration }} old.",
            description=(
                "Samples arrive late: the agent sends slowly, the network is slow, or the agent's clock is behind."
            ),
            threshold=Threshold(value=180, least=130, most=290, unit="seconds"),
        ),
        Alert(
            name="PromfleetSamplesDropped",
            expr=(
                "increase(prometheus_remote_storage_samples_dropped_total"
                f'{{{SENDERS}, reason=~"too_old|unintentionally_dropped_series"}}[10m]) > 0'
            ),
            severity="critical",
            summary="{{ $labels.instance }} in {{ $labels.cluster }} drops samples instead of sending them.",
            description="{{ $value | printf `%.0f` }} samples were never sent in ten minutes ({{ $labels.reason }}).",
        ),
        Alert(
            name="PromfleetRestartsOften",
            expr='changes(process_start_time_seconds{job="prometheus"}[30m]) > 3',
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} keeps restarting, or runs twice.",
            description=(
                "Its start time changed {{ $value }} times in half an hour. An agent that restarts while it is behind "
                "loses samples."
            ),
        ),
        Alert(
            name="PromfleetNameTaken",
            # The creation time of kube-system identifies a cluster; a cluster that is created again changes it once.
            expr=f'changes(kube_namespace_created{{{STATE}, namespace="kube-system"}}[30m]) > 2',
            severity="critical",
            summary="Two clusters report under the name {{ $labels.cluster }}.",
            description="Their samples are mixed and can't be distinguished. Rename one of the two clusters.",
            jobs=KSM,
        ),
        Alert(
            name="PromfleetClockOff",
            expr=f"abs(node_time_seconds{{{NODE}}} - timestamp(node_time_seconds{{{NODE}}})) > $threshold",
            for_="10m",
            severity="warning",
            summary=(
                "The clock of node {{ $labels.node }} in {{ $labels.cluster }} differs from that of its Prometheus."
            ),
            description=(
                "The clocks differ by {{ $value | humanizeDuration }}. Samples get the time of Prometheus, so that "
                "logs and traces of the node don't match them."
            ),
            threshold=Threshold(value=30, least=15, most=3600, unit="seconds"),
            jobs=("node-exporter",),
        ),
        Alert(
            name="PromfleetScrapeLimitNear",
            expr="scrape_samples_post_metric_relabeling / (scrape_sample_limit > 0) > $threshold",
            for_="15m",
            severity="warning",
            summary="{{ $labels.job }} {{ $labels.instance }} in {{ $labels.cluster }} is close to its sample limit.",
            description=(
                "The target exposes {{ $value | humanizePercentage }} of the samples that it may. Above the limit all "
                "of them are dropped."
            ),
            threshold=Threshold(value=0.8, least=0.5, most=0.99, unit="ratio"),
        ),
        Alert(
            name="PromfleetJobEmpty",
            expr=(
                # One target is scraped by one shard of an agent.
                f"sum by (cluster, scrape_job) (prometheus_target_scrape_pool_targets{{{SCRAPERS}, "
                'scrape_job=~"apiserver|cadvisor|coredns|kube-.+|kubelet|node-exporter"}) == 0'
            ),
            for_="15m",
            severity="warning",
            summary="Job {{ $labels.scrape_job }} in {{ $labels.cluster }} finds no target.",
            description=(
                "No alert on the metrics of this job can fire. The component may have another name or label in this "
                "cluster."
            ),
        ),
        Alert(
            name="PromfleetHubStorageFull",
            expr=(
                f"prometheus_tsdb_storage_blocks_bytes{{{SCRAPERS}}}\n"
                f"/ (prometheus_tsdb_retention_limit_bytes{{{SCRAPERS}}} > 0) > $threshold"
            ),
            for_="15m",
            severity="warning",
            summary="Prometheus {{ $labels.instance }} in {{ $labels.cluster }} will soon delete samples early.",
            description=(
                "Blocks use {{ $value | humanizePercentage }} of the retention size; above it the oldest are deleted "
                "before their time. Raise the storage or lower the retention."
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
            summary="Volume {{ $labels.persistentvolumeclaim }} of Prometheus in {{ $labels.cluster }} is nearly full.",
            description=(
                "Only {{ $value | humanizePercentage }} is free. Prometheus stops storing samples when it can't write."
            ),
            threshold=Threshold(value=0.1, least=0.02, most=0.5, unit="ratio"),
            jobs=("kubelet",),
        ),
    ),
)
