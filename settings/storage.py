"""Settings of the object store of Thanos: Google Cloud Storage, S3, Azure Blob Storage or a shared volume."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from .errors import Problem
from .secret_reference import SecretKey
from .section import Section, renamed
from .types import ADDRESS, COUNTABLE, IN_BRACKETS, PORT, PROJECT, DnsName, Text, kept, refused, seconds

GOOGLE_ACCOUNT = "iam.gke.io/gcp-service-account"
"""Annotation of a ServiceAccount whose pods act as a Google service account."""
AWS_ROLE = "eks.amazonaws.com/role-arn"
"""Annotation of a ServiceAccount whose pods assume an IAM role."""
AZURE_CLIENT = "azure.workload.identity/client-id"
"""Annotation of a ServiceAccount whose pods act as a managed identity of Azure."""
_NO_BUCKET = (
    "is not the name of a bucket",
    "Write 3 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at either end.",
)
_ANOTHER = "Write another name."
_NO_ADDRESS = (ADDRESS, "has the form of an address", _ANOTHER)
_DOTTED = (
    r"(?=.*\.)(?!(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$).*",
    "is not a DNS name",
    "Write parts of letters, digits and hyphens around each dot, or no dot.",
)
_GOOGLES = (
    (r"goog(?!le).*", 'begins with "goog", which Google reserves', _ANOTHER),
    (r".*g[o0]+g[l1][e3].*", 'contains "google" or a similar spelling, which Google reserves', _ANOTHER),
)
_AMAZONS = (
    (r"(?:xn--|sthree-|amzn-s3-demo-).*", "begins with a prefix that S3 reserves", _ANOTHER),
    (r".*(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)", "ends with a suffix that S3 reserves", _ANOTHER),
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
"""A bucket name that Google Cloud Storage accepts; one with dots must also be a domain that you own."""
S3Bucket = Annotated[
    str, Text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", *_NO_BUCKET), _none_of((_NO_ADDRESS, *_AMAZONS, _DOTTED))
]
_CONTINENT = "(?:africa|asia|australia|europe|me|northamerica|southamerica|us)"
_SIDE = "(?:central|north|south|northeast|southeast|northwest|southwest|east|west)"
REGION = rf"{_CONTINENT}-{_SIDE}[1-9][0-9]?"
"""The form of a region of Google Cloud."""
_TOGETHER = "ASIA|EU|US|ASIA1|EUR4|EUR5|EUR7|EUR8|NAM4"
Location = Annotated[
    str,
    Text(
        "|".join((REGION, REGION.upper(), _TOGETHER, _TOGETHER.lower())),
        "is no location of Google Cloud Storage",
        "Write a multi-region (EU, US, ASIA), a dual-region (EUR4, NAM4, …) or a region (europe-west1).",
        near=(rf"({_CONTINENT})[ _-]({_SIDE})[ _-]?([1-9][0-9]?)(?:-[a-z])?", r"\1-\2\3"),
    ),
]
"""Location of a bucket, in lower or upper case as Google Cloud Storage has it."""


def _of_plain_http(endpoint: str) -> str | None:
    found = re.fullmatch(rf"http://([A-Za-z0-9.-]+(?::{PORT})?)/?", endpoint)
    return f"{found[1]}, and insecure: true beside it" if found else None


S3Endpoint = Annotated[
    str,
    Text(
        rf"[A-Za-z0-9.-]+(?::{PORT})?|{IN_BRACKETS}:{PORT}",
        "is not host or host:port",
        "Write it without scheme and path: s3.eu-central-1.amazonaws.com.",
        near=(rf"https://([A-Za-z0-9.-]+(?::{PORT})?)/?", r"\1"),
        meant=_of_plain_http,
    ),
]
Region = Annotated[
    str, Text(r"[A-Za-z0-9_-]+", "is not a region", "Write the region as the provider spells it: eu-central-1.")
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
RoleArn = Annotated[
    str,
    Text(
        r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:role/[\w+=,.@/-]+",
        "is not the ARN of an IAM role",
        "Write arn:aws:iam::<account>:role/<name>.",
    ),
]
StorageAccount = Annotated[
    str,
    Text(r"[a-z0-9]{3,24}", "is not the name of a storage account", "Write 3 to 24 lower-case letters and digits."),
]
Container = Annotated[
    str,
    Text(
        r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*",
        "is not the name of a container",
        "Write 3 to 63 lower-case letters, digits and single hyphens.",
    ),
]
ClientId = Annotated[
    str,
    Text(
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "is not a client ID",
        "Write the client ID of the managed identity, a UUID in lower case.",
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


Locked = Annotated[str, kept("a duration, or remove it: without it objects can be deleted at any time"), COUNTABLE]


class Gcs(Section):
    """A bucket of Google Cloud Storage, which this program creates unless `adopt` is true."""

    project: ProjectId
    """Project of the bucket and of the service accounts with access to it."""
    bucket: GoogleBucket
    """Name of the bucket, globally unique."""
    location: Location = "EU"
    """Region, dual-region or multi-region; it can't be changed later."""
    storage_class: Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] = "STANDARD"
    """Storage class of new objects; colder classes charge for retrieval, and the compactor reads blocks for weeks."""
    versioning: bool = False
    """Whether deleted objects remain as noncurrent versions, which are deleted after `softDelete`, or 7 days."""
    soft_delete: SoftDelete = "7d"
    """How long a deleted object can be restored; it is charged for that long."""
    retention: Locked | None = None
    """Retention policy: how long nobody can delete an object; must be shorter than the compactor's `deleteDelay`."""
    kms_key: KmsKey | None = None
    """Customer-managed key that encrypts new objects."""
    adopt: bool = False
    """Whether to use an existing bucket, which is neither changed nor deleted; only its IAM bindings are managed."""
    protect: bool = True
    """Whether `pulumi destroy` refuses to delete the bucket."""
    key: SecretKey | None = None
    """Key file of a service account, for clusters outside Google Cloud; Workload Identity if left out."""

    @property
    def uses_workload_identity(self) -> bool:
        """Whether pods get access as members of their cluster's workload identity pool."""
        return self.key is None

    def problems(self) -> Iterator[Problem]:
        """Settings of a created bucket have no effect on an adopted one."""
        ours = ("location", "storage_class", "versioning", "soft_delete", "retention", "kms_key", "protect")
        if self.adopt:
            for name in ours:
                if name in self.model_fields_set:
                    field = type(self).model_fields[name].alias or name
                    yield Problem((field,), "has no effect with adopt: true", "Remove it, or write adopt: false.")


class S3(Section):
    """An existing bucket of an S3-compatible object store, and how pods get access to it."""

    bucket: S3Bucket
    """Name of the bucket, which must exist."""
    endpoint: S3Endpoint
    """`host` or `host:port`, without scheme: s3.eu-central-1.amazonaws.com."""
    region: Region | None = None
    """Region, if it is not part of the endpoint."""
    insecure: bool = False
    """Whether the endpoint speaks plain HTTP: who intercepts reads all samples, though not the keys."""
    ca_config_map: DnsName | None = None
    """ConfigMap whose `ca.crt` has the authorities that sign the endpoint's certificate; public ones if left out."""
    role: RoleArn | None = None
    """IAM role of the ServiceAccounts on EKS (IRSA), instead of keys."""
    pod_identity: bool = False
    """Whether EKS Pod Identity associates a role with the ServiceAccounts, instead of keys."""
    access_key: SecretKey | None = None
    """Kubernetes Secret that holds the access key ID."""
    secret_key: SecretKey | None = None
    """Kubernetes Secret that holds the secret access key."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **dict.fromkeys(
            ("ca", "http_config", "insecure_skip_verify", "tls_config"),
            ("unknown key", "Write caConfigMap: a ConfigMap whose ca.crt has the authorities of the store."),
        ),
        "sts_endpoint": ("is not offered", "Remove it: that of the region is used."),
    }

    @property
    def account_annotations(self) -> Mapping[str, str]:
        """Annotations by which ServiceAccounts get access to it; none with keys or Pod Identity."""
        return {AWS_ROLE: self.role} if self.role else {}

    def problems(self) -> Iterator[Problem]:
        """There is one way to get access."""
        keys = {"accessKey": self.access_key, "secretKey": self.secret_key}
        found = [name for name, one in {"role": self.role, "podIdentity": self.pod_identity, **keys}.items() if one]
        if not found:
            instead = "Write accessKey and secretKey; on EKS role (IRSA), or podIdentity: true."
            yield Problem((), "has no credentials", instead)
        elif found[0] not in keys and len(found) > 1:
            yield Problem((), f"has {' and '.join(found)}", "Keep one: role, podIdentity, or the two keys.")
        elif len(found) == 1 and found[0] in keys:
            [missing] = keys.keys() - set(found)
            yield Problem((missing,), "is missing", "Add it: {name: <Secret>, key: <key in it>}.")
        if self.insecure and (self.role or self.pod_identity):
            rule = "would send the token of the role in plain text"
            yield Problem(("insecure",), rule, "Remove it, or write the two keys, which are not sent.", value=True)
        if self.insecure and self.ca_config_map:
            yield Problem(("caConfigMap",), "has no effect with insecure: true", "Keep one of them.")


class Azure(Section):
    """An existing container of a storage account of Azure, and how pods get access to it."""

    account: StorageAccount
    """Name of the storage account."""
    container: Container
    """Name of the container, which must exist."""
    endpoint: DnsName | None = None
    """Domain of the blob service in another cloud than Azure's public one: blob.core.chinacloudapi.cn."""
    client_id: ClientId | None = None
    """Client ID of the managed identity that pods act as, by Workload Identity on AKS."""
    key: SecretKey | None = None
    """Kubernetes Secret that holds a key of the storage account instead."""
    connection_string: SecretKey | None = None
    """Kubernetes Secret that holds a connection string instead."""

    @property
    def account_annotations(self) -> Mapping[str, str]:
        """Annotations by which ServiceAccounts get access to it; none with a key or connection string."""
        return {AZURE_CLIENT: self.client_id} if self.client_id else {}

    def problems(self) -> Iterator[Problem]:
        """There is one way to get access."""
        ways = {"clientId": self.client_id, "key": self.key, "connectionString": self.connection_string}
        found = [name for name, one in ways.items() if one]
        if len(found) != 1:
            rule = f"has {' and '.join(found)}" if found else "has no credentials"
            yield Problem((), rule, "Write exactly one of clientId (Workload Identity), key and connectionString.")
        if self.connection_string and self.endpoint:
            instead = "Remove it, or connectionString."
            yield Problem(("endpoint",), "has no effect: the connection string has one", instead, self.endpoint)


class Filesystem(Section):
    """A volume that all components of Thanos share, for a cluster without an object store."""

    claim: DnsName
    """Existing PersistentVolumeClaim, ReadWriteMany, in the server's namespace."""


class Storage(Section):
    """Object store for blocks: exactly one of the four."""

    gcs: Gcs | None = None
    """Google Cloud Storage."""
    s3: S3 | None = None
    """An S3-compatible object store."""
    azure: Azure | None = None
    """Azure Blob Storage."""
    filesystem: Filesystem | None = None
    """A shared volume."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **dict.fromkeys(
            ("bos", "cos", "obs", "oci", "oss", "swift"),
            ("is not offered", "Write s3: {…}, if the object store has an S3 API."),
        ),
        **renamed(
            {
                "objstoreConfig": "gcs, s3, azure or filesystem",
                "objectStorageConfig": "gcs, s3, azure or filesystem",
                "type": "gcs, s3, azure or filesystem",
                "config": "gcs: {…}, s3: {…}, azure: {…} or filesystem: {…}",
                "blob": "azure",
                "azureBlob": "azure",
                "aws": "s3",
            }
        ),
    }

    @property
    def identity(self) -> str | None:
        """The annotation by which ServiceAccounts get access to it; None with keys, a volume, or Pod Identity."""
        if self.gcs:
            return GOOGLE_ACCOUNT if self.gcs.uses_workload_identity else None
        written = self.s3 or self.azure
        return next(iter(written.account_annotations), None) if written else None

    def problems(self) -> Iterator[Problem]:
        """There is one object store."""
        written = [name for name in ("gcs", "s3", "azure", "filesystem") if getattr(self, name)]
        if len(written) != 1:
            found = " and ".join(written) if written else "none of them"
            yield Problem((), f"has {found}", "Write exactly one of gcs, s3, azure and filesystem.")
