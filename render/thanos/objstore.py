"""Object store configuration of Thanos."""

from typing import Any

from settings import Storage

from ..yaml import to_json

CREDENTIALS = "/etc/thanos/credentials/key.json"
"""Key file of a Google service account, for pods without Workload Identity."""
SHARED = "/var/thanos/blocks"
"""Mount path of the volume of `filesystem`."""
ATTEMPTS = 5
"""
How often an operation is tried, within half a minute.

Google's client tries for as long as it may: while the bucket is away nothing would fail, nothing be counted and no
alert come, a question to a Store would take Query's whole time-out, and an ingestor that starts would not get ready.
"""


def objstore(storage: Storage, bucket: str | None = None) -> str:
    """
    The value of `--objstore.config` for a bucket, that of `storage` if left out.

    JSON, which is YAML, on one line. It contains no secret: credentials are from Workload Identity or the environment.
    """
    return to_json(_described(storage, bucket))


def _described(storage: Storage, bucket: str | None) -> dict[str, Any]:
    if storage.gcs:
        return {"type": "GCS", "config": {"bucket": bucket or storage.gcs.bucket, "max_retries": ATTEMPTS}}
    if storage.s3:
        region = {"region": storage.s3.region} if storage.s3.region else {}
        return {"type": "S3", "config": {"bucket": storage.s3.bucket, "endpoint": storage.s3.endpoint, **region}}
    return {"type": "FILESYSTEM", "config": {"directory": SHARED}}
