"""Jobs and CronJobs: whether they end well, and in time."""

from .model import Alert, Group, Threshold
from .sources import KSM, STATE

JOBS = Group(
    name="jobs",
    alerts=(
        Alert(
            name="KubeJobFailed",
            expr=f'kube_job_failed{{{STATE}, condition="true"}} > 0',
            for_="5m",
            severity="warning",
            summary="Job {{ $labels.namespace }}/{{ $labels.job_name }} in {{ $labels.cluster }} failed.",
            description="All of its retries failed. The alert stays until the Job is deleted.",
            jobs=KSM,
        ),
        Alert(
            name="KubeJobNotCompleted",
            expr=(
                "time() - max by (cluster, namespace, job_name) (\n"
                f"  kube_job_status_start_time{{{STATE}}}"
                f" and on (cluster, namespace, job_name) kube_job_status_active{{{STATE}}} > 0\n"
                ") > $threshold"
            ),
            severity="warning",
            summary="Job {{ $labels.namespace }}/{{ $labels.job_name }} in {{ $labels.cluster }} has not completed.",
            description="It has been running for {{ $value | humanizeDuration }}.",
            threshold=Threshold(value=43200, least=300, most=2592000, unit="seconds"),
            jobs=KSM,
        ),
        Alert(
            name="KubeCronJobLate",
            expr=(
                "time() - max by (cluster, namespace, cronjob) (\n"
                f"  kube_cronjob_next_schedule_time{{{STATE}}}"
                f" unless on (cluster, namespace, cronjob) kube_cronjob_spec_suspend{{{STATE}}} == 1\n"
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
