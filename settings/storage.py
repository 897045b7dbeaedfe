"""Where blocks are kept for years: an object store, of one of three kinds."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from .alertmanager import SecretKey
from .errors import Problem
from .section import Section
from .types import DnsName, Duration, Line, Text, refused, seconds

BucketName = Annotated[
    str,
    Text(
        r"(?!goog)(?!.*\.\.)[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]",
        "is not the name of a bucket",
        "Write 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at either end.",
    ),
]
ProjectId = Annotated[
    str,
    Text(
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "is not the id of a Google Cloud project",
        "Write the id, 6 to 30 lower-case letters, digits and hyphens, not the number or the display name.",
    ),
]
KmsKey = Annotated[
    str,
    Text(
        r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
        "is not the name of a key",
        "Write projects/…/locations/…/keyRings/…/cryptoKeys/….",
    ),
]
_WEEK, _QUARTER = 7 * 86400, 90 * 86400


def _is_offered(length: str) -> str:
    if length != "none" and not _WEEK <= seconds(length) <= _QUARTER:
        raise refused("is not between 7d and 90d", "Write 7d, Google Cloud's default, or none.")
    return length


SoftDelete = Annotated[
    str,
    Text(r"none|[1-9][0-9]{0,8}[dw]", "is neither a number of days nor none", "Write 7d to 90d, or none.", unit="d"),
    AfterValidator(_is_offered),
]
"""How long deleted objects can be brought back."""


class Gcs(Section):
    """A bucket of Google Cloud Storage, made by this program unless `adopt` says that it exists."""

    project: ProjectId
    """Project of the bucket and of the service accounts that reach it."""
    bucket: BucketName
    """Name of the bucket, unique in the world."""
    location: Line = "EU"
    """Region, dual-region or multi-region; it can't be changed later."""
    storage_class: Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] = "STANDARD"
    """Class of new objects; the compactor reads and rewrites blocks for weeks, which the colder classes charge for."""
    versioning: bool = False
    """Whether deleted objects stay as old versions; those are deleted after `softDelete`, or 7 days."""
    soft_delete: SoftDelete = "7d"
    """How long a deleted object can be brought back; it is paid for that long."""
    retention: Duration | None = None
    """How long no object can be deleted by anyone; shorter than the compactor's `deleteDelay`."""
    kms_key: KmsKey | None = None
    """Customer-managed key that encrypts new objects."""
    adopt: bool = False
    """Whether the bucket exists and is neither changed nor deleted; only the rights on it are managed."""
    protect: bool = True
    """Whether `pulumi destroy` refuses to delete the bucket."""
    key: SecretKey | None = None
    """Key file of a service account, outside Google Cloud; without it pods come with Workload Identity."""

    def problems(self) -> Iterator[Problem]:
        """Nothing is said of a bucket that is not this program's."""
        ours = ("location", "storage_class", "versioning", "soft_delete", "retention", "kms_key", "protect")
        if self.adopt:
            for name in ours:
                if name in self.model_fields_set:
                    field = type(self).model_fields[name].alias or name
                    yield Problem((field,), "has no effect with adopt: true", "Remove it, or let this program make it.")


class S3(Section):
    """A bucket that speaks S3; it exists, and so does the Secret of who reaches it."""

    bucket: BucketName
    """Name of the bucket."""
    endpoint: Line
    """`host` or `host:port`, without scheme: s3.eu-central-1.amazonaws.com."""
    region: Line | None = None
    """Region, where the endpoint does not say it."""
    access_key: SecretKey
    """Where the access key's id stands."""
    secret_key: SecretKey
    """Where the secret access key stands."""


class Filesystem(Section):
    """A volume that all roles share, for a cluster without an object store."""

    claim: DnsName
    """PersistentVolumeClaim, ReadWriteMany, in the hub's namespace; it exists."""


class Storage(Section):
    """Exactly one of the three."""

    gcs: Gcs | None = None
    """Google Cloud Storage."""
    s3: S3 | None = None
    """What speaks S3."""
    filesystem: Filesystem | None = None
    """A shared volume."""

    def problems(self) -> Iterator[Problem]:
        """Blocks lie in one place."""
        written = [name for name in ("gcs", "s3", "filesystem") if getattr(self, name)]
        if len(written) != 1:
            found = " and ".join(written) if written else "none of them"
            yield Problem((), f"has {found}", "Write exactly one of gcs, s3 and filesystem.")
