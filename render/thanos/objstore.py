"""Object store configuration of Thanos."""

from typing import Any

from settings import Storage
from settings.storage import S3, Azure

from ..yaml import to_json

CREDENTIALS = "/etc/thanos/credentials/key.json"
"""Key file of a Google service account, for pods without Workload Identity."""
AZURE_CREDENTIAL = "AZURE_STORAGE_CREDENTIAL"
"""Environment variable with the key of a storage account, or a connection string."""
AUTHORITY = "/etc/thanos/store/ca.crt"
"""Authorities that sign the certificate of an S3 endpoint."""
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

    JSON, which is YAML, on one line. It contains no secret: credentials are those of the pod's identity, or from the
    environment. Kubernetes leaves `$$(NAME)` in an argument as `$(NAME)`, which Thanos replaces by that variable.
    """
    return to_json(_described(storage, bucket))


def _described(storage: Storage, bucket: str | None) -> dict[str, Any]:
    if storage.gcs:
        return {"type": "GCS", "config": {"bucket": bucket or storage.gcs.bucket, "max_retries": ATTEMPTS}}
    if storage.s3:
        return {"type": "S3", "config": _s3(storage.s3)}
    if storage.azure:
        return {"type": "AZURE", "config": _azure(storage.azure)}
    return {"type": "FILESYSTEM", "config": {"directory": SHARED}}


def _s3(s3: S3) -> dict[str, Any]:
    """Keys are variables that Thanos knows; the SDK of AWS finds the identity of a pod."""
    region = {"region": s3.region} if s3.region else {}
    identity = {} if s3.access_key else {"aws_sdk_auth": True}
    plain = {"insecure": True} if s3.insecure else {}
    verified = {"http_config": {"tls_config": {"ca_file": AUTHORITY}}} if s3.ca_config_map else {}
    return {"bucket": s3.bucket, "endpoint": s3.endpoint, **region, **plain, **verified, **identity}


def _azure(azure: Azure) -> dict[str, Any]:
    """Without a credential the SDK of Azure finds the identity of a pod. The container is never created."""
    found: dict[str, Any] = {
        "storage_account": azure.account,
        "container": azure.container,
        "storage_create_container": False,
    }
    if azure.endpoint:
        found["endpoint"] = azure.endpoint
    if azure.key:
        found["storage_account_key"] = f"$$({AZURE_CREDENTIAL})"
    if azure.connection_string:
        found["storage_connection_string"] = f"$$({AZURE_CREDENTIAL})"
    return found
