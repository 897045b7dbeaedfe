"""Jobs and CronJobs: whether they end well, and in time."""

from .model import Alert, Group, Threshold

KSM = ("kube-state-metrics",)

JOBS = Group(
    name="jobs",
    alerts=(
        Alert(
            name="KubeJobFailed",
            expr='kube_job_failed{condition="true"} > 0',
            wait="5m",
            severity="warning",
            summary="Job {{ $labels.namespace }}/{{ $labels.job_name }} in {{ $labels.cluster }} failed.",
            description="It used up its tries. The alert stays until the Job is deleted.",
            jobs=KSM,
        ),
        Alert(
            name="KubeJobNotCompleted",
            expr=(
                "time() - max by (cluster, namespace, job_name) (\n"
                "  kube_job_status_start_time"
                " and on (cluster, namespace, job_name) kube_job_status_active > 0\n"
                ") > $threshold"
            ),
            severity="warning",
            summary="Job {{ $labels.namespace }}/{{ $labels.job_name }} in {{ $labels.cluster }} does not end.",
            description="It runs for {{ $value | humanizeDuration }}.",
            threshold=Threshold(value=43200, least=300, most=2592000, unit="seconds"),
            jobs=KSM,
        ),
        Alert(
            name="KubeCronJobLate",
            expr=(
                "time() - max by (cluster, namespace, cronjob) (\n"
                "  kube_cronjob_next_schedule_time"
                " unless on (cluster, namespace, cronjob) kube_cronjob_spec_suspend == 1\n"
                ") > $threshold"
            ),
            severity="warning",
            summary="CronJob {{ $labels.namespace }}/{{ $labels.cronjob }} in {{ $labels.cluster }} was not started.",
            description="It is {{ $value | humanizeDuration }} behind its schedule.",
            threshold=Threshold(value=3600, least=60, most=86400, unit="seconds"),
            jobs=KSM,
        ),
    ),
)
