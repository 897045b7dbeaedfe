"""Buckets of Google Cloud Storage, with a Google service account of least privilege per component of Thanos."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
from pulumi import ResourceOptions

Right = Literal["write", "read", "administer"]

RIGHTS: Mapping[Right, tuple[str, ...]] = {
    "write": ("roles/storage.objectCreator", "roles/storage.objectViewer"),
    "read": ("roles/storage.objectViewer",),
    "administer": ("roles/storage.objectAdmin",),
}
"""Access of a component to blocks -> IAM roles on the bucket; `write` does not include deleting."""
_WEEK = 7
WORKLOAD_IDENTITY = "roles/iam.workloadIdentityUser"


class Member(NamedTuple):
    """A component of Thanos that has access to a bucket."""

    accounts: tuple[str, ...]
    """Its Kubernetes ServiceAccounts."""
    right: Right
    """Its access to blocks."""


class BucketArgs(TypedDict):
    project: str
    """Project of the bucket and of the service accounts."""
    bucket: str
    """Name of the bucket, globally unique."""
    pool: NotRequired[str]
    """Workload identity pool of the members' cluster; required if there are members."""
    namespace: str
    """Namespace of the members' ServiceAccounts; Google treats it as one in all clusters of the pool."""
    members: Mapping[str, Member]
    """Short name -> member with access to the bucket; the name is the suffix of the service account's id."""
    prefix: str
    """Prefix of the ids of service accounts; with a member's name at most 30 characters."""
    adopt: NotRequired[bool]
    """Whether the bucket exists already, and is left unchanged."""
    location: NotRequired[str]
    """Region, dual-region or multi-region; it can't be changed later."""
    storage_class: NotRequired[str]
    """Storage class of new objects."""
    versioning: NotRequired[bool]
    """Whether deleted objects remain as noncurrent versions."""
    soft_delete: NotRequired[int]
    """Seconds for which deleted objects can be restored; 0 for none."""
    retention: NotRequired[int]
    """Seconds for which no object can be deleted."""
    kms_key: NotRequired[str]
    """Full name of the Cloud KMS key that encrypts new objects."""
    protect: NotRequired[bool]
    """Whether `pulumi destroy` refuses to delete the bucket."""


class Bucket(pulumi.ComponentResource):
    """A bucket without public access, and the IAM bindings on it."""

    accounts: Mapping[str, pulumi.Output[str]]
    """Member -> e-mail address of the Google service account that it acts as."""

    def __init__(self, name: str, args: BucketArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Bucket", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        bucket = pulumi.Output.from_input(args["bucket"])
        if not args.get("adopt"):
            resource = gcp.storage.Bucket(
                f"{name}-bucket",
                bucket_args(args),
                opts=ResourceOptions(parent=self, protect=args.get("protect", True)),
            )
            bucket = resource.name
        self.accounts = {member: self._account(name, member, args, child_opts) for member in args["members"]}
        for member, entry in args["members"].items():
            for role in RIGHTS[entry.right]:
                gcp.storage.BucketIAMMember(
                    f"{name}-{member}-{role.rpartition('.')[2]}",
                    bucket=bucket,
                    role=role,
                    member=self.accounts[member].apply(lambda email: f"serviceAccount:{email}"),
                    opts=child_opts,
                )
        self.register_outputs({"accounts": self.accounts})

    def _account(self, name: str, member: str, args: BucketArgs, child_opts: ResourceOptions) -> pulumi.Output[str]:
        """Make a Google service account that only the member's pods can act as."""
        account = gcp.serviceaccount.Account(
            f"{name}-{member}",
            account_id=f"{args['prefix']}-{member}",
            display_name=f"Thanos {member}, {args['bucket']}",
            project=args["project"],
            opts=child_opts,
        )
        for pods in args["members"][member].accounts:
            gcp.serviceaccount.IAMMember(
                f"{name}-{member}-identity-{pods}",
                service_account_id=account.name,
                role=WORKLOAD_IDENTITY,
                member=f"serviceAccount:{args['pool']}[{args['namespace']}/{pods}]",
                opts=child_opts,
            )
        return account.email


def bucket_args(args: BucketArgs) -> gcp.storage.BucketArgs:
    """
    Return the arguments of the bucket, without a lifecycle rule on the age of objects: that is up to the compactor.

    Lifecycle rules delete noncurrent versions and incomplete uploads only.
    """
    soft_delete = args.get("soft_delete", _WEEK * 86400)
    return gcp.storage.BucketArgs(
        name=args["bucket"],
        project=args["project"],
        location=args.get("location", "EU"),
        storage_class=args.get("storage_class", "STANDARD"),
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=args.get("versioning", False)),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=soft_delete),
        retention_policy=gcp.storage.BucketRetentionPolicyArgs(retention_period=str(args["retention"]))
        if "retention" in args
        else None,
        encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=args["kms_key"])
        if "kms_key" in args
        else None,
        lifecycle_rules=[
            lifecycle_rule("AbortIncompleteMultipartUpload", gcp.storage.BucketLifecycleRuleConditionArgs(age=_WEEK)),
            *([old_versions(max(_WEEK, soft_delete // 86400))] if args.get("versioning") else []),
        ],
        labels={"part-of": "promfleet"},
    )


def old_versions(days: int) -> gcp.storage.BucketLifecycleRuleArgs:
    """The lifecycle rule that deletes noncurrent versions after this many days."""
    old = gcp.storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=days, with_state="ARCHIVED")
    return lifecycle_rule("Delete", old)


def lifecycle_rule(
    action: str, condition: gcp.storage.BucketLifecycleRuleConditionArgs
) -> gcp.storage.BucketLifecycleRuleArgs:
    """One lifecycle rule: action and condition."""
    doing = gcp.storage.BucketLifecycleRuleActionArgs(type=action)
    return gcp.storage.BucketLifecycleRuleArgs(action=doing, condition=condition)
