"""Where blocks are kept for years: an object store, of one of three kinds."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from .alertmanager import SecretKey
from .errors import Problem
from .section import Section
from .types import ADDRESS, COUNTABLE, IN_BRACKETS, PORT, PROJECT, DnsName, Text, kept, refused, seconds

_NO_BUCKET = (
    "is not the name of a bucket",
    "Write 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at either end.",
)
_ANOTHER = "Write another name."
_NO_ADDRESS = (ADDRESS, "has the form of an address", _ANOTHER)
_DOTTED = (
    r"(?=.*\.)(?!(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$).*",
    "has a dot that is no dot of a DNS name",
    "Write parts of letters, digits and hyphens around each dot, or no dot.",
)
_GOOGLES = (
    (r"goog(?!le).*", 'begins with "goog", which Google keeps for itself', _ANOTHER),
    (r".*g[o0]+g[l1][e3].*", 'contains "google", or nearly so, which Google keeps for itself', _ANOTHER),
)
_AMAZONS = (
    (r"(?:xn--|sthree-|amzn-s3-demo-).*", "begins as names that S3 keeps for itself", _ANOTHER),
    (r".*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)", "ends as names that S3 keeps for itself", _ANOTHER),
)


def _none_of(forms: Iterable[tuple[str, str, str]]) -> AfterValidator:
    """Refuse a name that has one of the forms, each with its rule and what to write instead."""

    def check(name: str) -> str:
        for form, rule, instead in forms:
            if re.fullmatch(form, name):
                raise refused(rule, instead)
        return name

    return AfterValidator(check)


GoogleBucket = Annotated[
    str, Text(r"[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]", *_NO_BUCKET), _none_of((_NO_ADDRESS, *_GOOGLES, _DOTTED))
]
"""A name that Google Cloud Storage takes; one with dots must be a domain of one's own besides."""
S3Bucket = Annotated[
    str, Text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", *_NO_BUCKET), _none_of((_NO_ADDRESS, *_AMAZONS, _DOTTED))
]
_CONTINENT = "(?:africa|asia|australia|europe|me|northamerica|southamerica|us)"
_SIDE = "(?:central|north|south|northeast|southeast|northwest|southwest|east|west)"
_REGION = rf"{_CONTINENT}-{_SIDE}[1-9][0-9]?"
_TOGETHER = "ASIA|EU|US|ASIA1|EUR4|EUR5|EUR7|EUR8|NAM4"
Location = Annotated[
    str,
    Text(
        "|".join((_REGION, _REGION.upper(), _TOGETHER, _TOGETHER.lower())),
        "is no location of Google Cloud Storage",
        "Write a multi-region (EU, US, ASIA), a dual-region (EUR4, NAM4, …) or a region (europe-west1).",
        near=(rf"({_CONTINENT})[ _-]({_SIDE})[ _-]?([1-9][0-9]?)(?:-[a-z])?", r"\1-\2\3"),
    ),
]
"""Where a bucket is, which Google Cloud Storage spells in small letters or capitals."""
Endpoint = Annotated[
    str,
    Text(
        rf"[A-Za-z0-9.-]+(?::{PORT})?|{IN_BRACKETS}:{PORT}",
        "is not host or host:port",
        "Write it without scheme and path: s3.eu-central-1.amazonaws.com.",
        near=(rf"https?://([A-Za-z0-9.-]+(?::{PORT})?)/?", r"\1"),
    ),
]
Region = Annotated[
    str, Text(r"[A-Za-z0-9_-]+", "is not a region", "Write the region as its owner spells it: eu-central-1.")
]
ProjectId = Annotated[
    str,
    Text(
        rf"(?=.{{6,30}}$){PROJECT}",
        "is not the id of a Google Cloud project",
        "Write the id, 6 to 30 lower-case letters, digits and hyphens, not the number or the display name.",
    ),
]
KmsKey = Annotated[
    str,
    Text(
        r"projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+",
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


Locked = Annotated[str, kept("nothing here: without it objects can be deleted at any time"), COUNTABLE]


class Gcs(Section):
    """A bucket of Google Cloud Storage, made by this program unless `adopt` says that it exists."""

    project: ProjectId
    """Project of the bucket and of the service accounts that reach it."""
    bucket: GoogleBucket
    """Name of the bucket, unique in the world."""
    location: Location = "EU"
    """Region, dual-region or multi-region; it can't be changed later."""
    storage_class: Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] = "STANDARD"
    """Class of new objects; the compactor reads and rewrites blocks for weeks, which the colder classes charge for."""
    versioning: bool = False
    """Whether deleted objects stay as old versions; those are deleted after `softDelete`, or 7 days."""
    soft_delete: SoftDelete = "7d"
    """How long a deleted object can be brought back; it is paid for that long."""
    retention: Locked | None = None
    """How long no object can be deleted by anyone; shorter than the compactor's `deleteDelay`."""
    kms_key: KmsKey | None = None
    """Customer-managed key that encrypts new objects."""
    adopt: bool = False
    """Whether the bucket exists and is neither changed nor deleted; only the rights on it are managed."""
    protect: bool = True
    """Whether `pulumi destroy` refuses to delete the bucket."""
    key: SecretKey | None = None
    """Key file of a service account, outside Google Cloud; without it pods come with Workload Identity."""

    @property
    def asks_for_identity(self) -> bool:
        """Whether pods reach it as members of their cluster's workload identity pool."""
        return self.key is None

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

    bucket: S3Bucket
    """Name of the bucket."""
    endpoint: Endpoint
    """`host` or `host:port`, without scheme: s3.eu-central-1.amazonaws.com."""
    region: Region | None = None
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
