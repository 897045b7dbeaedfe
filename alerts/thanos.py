"""What the rules of Thanos' roles have in common; each pod is judged for itself."""

from .model import Threshold

ERRORS = Threshold(value=0.05, least=0, most=0.5, unit="ratio")
_FAILED = "Aborted|DataLoss|DeadlineExceeded|Internal|ResourceExhausted|Unavailable|Unknown"
"""`Aborted` is how Store and Query answer most of what went wrong."""


def share(failed: str, of: str) -> str:
    """True where of what a pod did in five minutes more than the threshold failed."""
    return (
        f"sum by (cluster, instance) (rate({failed}[5m]))\n/ sum by (cluster, instance) (rate({of}[5m])) > $threshold"
    )


def is_down(job: str) -> str:
    """True where no pod of a role is up though one was within a day; the names of pods change."""
    return (
        f'max by (cluster) (max_over_time(up{{job="{job}"}}[1d])) > 0\n'
        f'unless on (cluster) max by (cluster) (up{{job="{job}"}}) > 0'
    )


def failed_bucket_operations(job: str) -> str:
    """Operations that a role expects to fail, like asking whether an object is there, do not count."""
    of = f'{{job="{job}"}}'
    return share(f"thanos_objstore_bucket_operation_failures_total{of}", f"thanos_objstore_bucket_operations_total{of}")


def failed_requests(job: str, handler: str) -> str:
    """HTTP requests answered 5xx."""
    of = f'job="{job}", handler="{handler}"'
    return share(f'http_requests_total{{{of}, code=~"5.."}}', f"http_requests_total{{{of}}}")


def failed_calls(job: str) -> str:
    """GRPC calls that a role answered with an error; those that only ask who it is do not count."""
    of = f'job="{job}", grpc_method!="Info"'
    return share(f'grpc_server_handled_total{{{of}, grpc_code=~"{_FAILED}"}}', f"grpc_server_handled_total{{{of}}}")


def slow(histogram: str, of: str) -> str:
    """True where one in a hundred took longer than the threshold, in seconds."""
    rate = f"rate({histogram}_bucket{{{of}}}[5m])"
    return f"histogram_quantile(0.99, sum by (cluster, instance, le) ({rate})) > $threshold"


def no_upload(job: str, had_samples: str) -> str:
    """
    True where nothing was uploaded in four hours though there were samples before; `had_samples` is of that time.

    A block of two hours is cut an hour after its end at the latest, and uploaded within a minute.
    """
    return (
        f'sum by (cluster, instance) (increase(thanos_shipper_uploads_total{{job="{job}"}}[4h])) == 0\n'
        f"and on (cluster, instance) sum by (cluster, instance) ({had_samples}) > 0"
    )
