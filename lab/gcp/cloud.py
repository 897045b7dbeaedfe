"""
What the lab's Google Cloud remembers beside objects: buckets, service accounts, their keys, and who may do what.

VMs with their disks, addresses and firewall rules, and secrets, are remembered too; nothing runs in the lab for them.
"""

import fcntl
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..cluster import state

PROJECT = "promfleet-lab"
"""The project of the lab's nodes."""
POOL = f"{PROJECT}.svc.id.goog"
"""Workload identity pool of all the lab's clusters, as GKE has one for each project."""
OPERATOR = "operator@lab"
"""Who runs `pulumi up`: may do everything."""
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
KEY = "gcp:serviceaccount/key:Key"
INSTANCE = "gcp:compute/instance:Instance"
DISK = "gcp:compute/disk:Disk"
ADDRESS = "gcp:compute/address:Address"
FIREWALL = "gcp:compute/firewall:Firewall"
SECRET = "gcp:secretmanager/secret:Secret"
SECRET_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"
IMPERSONATE = "roles/iam.workloadIdentityUser"
ROLES = {
    "roles/storage.objectViewer": {"get", "list"},
    "roles/storage.objectCreator": {"create"},
    "roles/storage.objectUser": {"get", "list", "create", "delete", "update"},
    "roles/storage.objectAdmin": {"get", "list", "create", "delete", "update"},
    "roles/storage.legacyBucketReader": {"list"},
}
"""Role -> what its holder may do with a bucket's objects; the permissions are storage.objects.…"""
KIND = "$type"
"""Key of a record's type; no property of a resource begins so, and disks have a `type` of their own."""
_TOKEN = "lab-token-of:"

Records = dict[str, dict[str, Any]]
"""Id of a resource -> its type and properties, as the provider's outputs."""


def _file() -> Path:
    return state() / "cloud.json"


def records() -> Records:
    """Read all that is remembered."""
    return json.loads(_file().read_text()) if _file().exists() else {}


@contextmanager
def edited() -> Generator[Records]:
    """Give the records to be changed, to one at a time; nothing changes when the block fails."""
    state().mkdir(parents=True, exist_ok=True)
    with _file().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = records()
        yield found
        unfinished = _file().with_suffix(".new")
        unfinished.write_text(json.dumps(found, indent=1, sort_keys=True))
        unfinished.rename(_file())


def of_type(known: Records, kind: str) -> Iterator[dict[str, Any]]:
    return (record for record in known.values() if record[KIND] == kind)


def may_impersonate(known: Records, email: str, namespace: str, name: str) -> bool:
    """Tell whether a Kubernetes ServiceAccount may act as a Google service account that is enabled."""
    account = next((each for each in of_type(known, ACCOUNT) if each["email"] == email), None)
    return (
        account is not None
        and not account.get("disabled")
        and any(
            binding["role"] == IMPERSONATE
            and binding["serviceAccountId"].rpartition("/")[2] == email
            and binding["member"] == f"serviceAccount:{POOL}[{namespace}/{name}]"
            for binding in of_type(known, ACCOUNT_MEMBER)
        )
    )


def permissions(known: Records, email: str, bucket: str) -> set[str]:
    """List what a service account may do with a bucket's objects; conditions of a binding are not looked at."""
    granted = [
        ROLES.get(binding["role"], set())
        for binding in of_type(known, BUCKET_MEMBER)
        if binding["bucket"] == bucket and binding["member"] == f"serviceAccount:{email}"
    ]
    return set().union(*granted)


def token(email: str) -> str:
    """Give what a service account shows to the object store; it is no secret, in the lab."""
    return _TOKEN + email


def holder(authorization: str | None) -> str:
    """Name the service account whose token a request's header shows; empty for no one's."""
    shown = authorization or ""
    return shown.removeprefix(f"Bearer {_TOKEN}") if shown.startswith(f"Bearer {_TOKEN}") else ""
