"""The control plane of clusters that their owners run themselves, and kube-proxy: etcd by the alerts of its mixin."""

from .model import Alert, Group, Threshold

_ETCD = 'job="kube-etcd"'
_UP = f"up{{{_ETCD}}}"


def _down(name: str, job: str, what: str, consequence: str) -> Alert:
    return Alert(
        name=name,
        expr=f'max by (cluster) (up{{job="{job}"}}) == 0',
        for_="15m",
        severity="critical",
        summary=f"{what} of {{{{ $labels.cluster }}}} can't be scraped.",
        description=f"None of its targets answers. {consequence}",
        jobs=(job,),
    )


CONTROL_PLANE = Group(
    name="control-plane",
    alerts=(
        _down("KubeSchedulerDown", "kube-scheduler", "kube-scheduler", "If it is down, new pods get no node."),
        _down(
            "KubeControllerManagerDown",
            "kube-controller-manager",
            "kube-controller-manager",
            "If it is down, nothing replaces pods and nodes that fail.",
        ),
        _down("KubeProxyDown", "kube-proxy", "kube-proxy", "If it is down, Services lead to pods that are gone."),
        Alert(
            name="etcdMembersDown",
            expr=(
                f"sum by (cluster) ({_UP} == bool 0) > 0\n"
                "or count by (cluster) (\n"
                f"  sum by (cluster, To) (rate(etcd_network_peer_sent_failures_total{{{_ETCD}}}[2m])) > 0.01\n"
                ")"
            ),
            for_="20m",
            severity="warning",
            summary="Members of etcd in {{ $labels.cluster }} are down.",
            description="{{ $value | printf `%.0f` }} members can't be scraped, or can't be reached by the others.",
            jobs=("kube-etcd",),
        ),
        Alert(
            name="etcdInsufficientMembers",
            expr=(f"sum by (cluster) ({_UP} == bool 1)\n< (count by (cluster) ({_UP}) + 1) / 2"),
            for_="3m",
            severity="critical",
            summary="etcd in {{ $labels.cluster }} has no quorum.",
            description="Only {{ $value | printf `%.0f` }} members answer. Without a quorum nothing can be changed.",
            jobs=("kube-etcd",),
        ),
        Alert(
            name="etcdNoLeader",
            expr=f"etcd_server_has_leader{{{_ETCD}}} == 0",
            for_="1m",
            severity="critical",
            summary="etcd at {{ $labels.node }} in {{ $labels.cluster }} has no leader.",
            description="This member takes no writes, and the API server that uses it fails.",
            jobs=("kube-etcd",),
        ),
        Alert(
            name="etcdHighNumberOfLeaderChanges",
            expr=(
                "increase(\n"
                f"  max by (cluster) (etcd_server_leader_changes_seen_total{{{_ETCD}}})[15m:1m]\n"
                ") >= $threshold"
            ),
            for_="5m",
            severity="warning",
            summary="The leader of etcd in {{ $labels.cluster }} changes often.",
            description=(
                "It changed {{ $value | printf `%.0f` }} times in 15 minutes: disks or the network are too slow, or a "
                "member lacks CPU."
            ),
            threshold=Threshold(value=4, least=1, most=100, unit="count"),
            jobs=("kube-etcd",),
        ),
        Alert(
            name="etcdHighFsyncDurations",
            expr=(
                "histogram_quantile(0.99, sum by (cluster, node, le) (\n"
                f"  rate(etcd_disk_wal_fsync_duration_seconds_bucket{{{_ETCD}}}[5m])\n"
                ")) > $threshold"
            ),
            for_="10m",
            severity="warning",
            summary="The disk of etcd at {{ $labels.node }} in {{ $labels.cluster }} is slow.",
            description="One sync of its log in a hundred takes {{ $value | humanizeDuration }} or longer.",
            threshold=Threshold(value=0.5, least=0.01, most=8, unit="seconds"),
            jobs=("kube-etcd",),
        ),
        Alert(
            name="etcdDatabaseQuotaLowSpace",
            expr=(
                f"last_over_time(etcd_mvcc_db_total_size_in_bytes{{{_ETCD}}}[5m])\n"
                f"/ (last_over_time(etcd_server_quota_backend_bytes{{{_ETCD}}}[5m]) > 0) > $threshold"
            ),
            for_="10m",
            severity="critical",
            summary="The database of etcd at {{ $labels.node }} in {{ $labels.cluster }} is nearly full.",
            description="It uses {{ $value | humanizePercentage }} of its quota; at the quota etcd refuses writes.",
            threshold=Threshold(value=0.95, least=0.5, most=0.99, unit="ratio"),
            jobs=("kube-etcd",),
        ),
    ),
)
