"""Where blocks are kept, and how each role of Thanos reaches it."""

import hashlib
from collections.abc import Mapping

import pulumi_gcp as gcp
from pulumi import ResourceOptions

from components.gcs_bucket import Bucket, BucketArgs, Member
from components.hub_prometheus import APP as HUB
from components.thanos.role import Access
from render.thanos.objstore import CREDENTIALS, SHARED
from render.thanos.roles import RECEIVE, RULER, WEB, buckets, compactors, is_stateless, stores
from settings import Fleet, Thanos, seconds
from settings.alertmanager import SecretKey
from settings.storage import S3, Filesystem, Gcs

from .hub import Ways

GOOGLE_ACCOUNT = "iam.gke.io/gcp-service-account"
"""Annotation of a ServiceAccount whose pods act as a Google service account."""
_KEY, _BLOCKS = "google-key", "blocks"


def deploy_storage(fleet: Fleet, thanos: Thanos, cluster: str) -> Ways:
    """Make the buckets, unless they are others', and find how each role reaches them."""
    storage = thanos.storage
    if storage.gcs:
        return _google(fleet, thanos, storage.gcs, cluster)
    access = _s3(storage.s3) if storage.s3 else _shared(storage.filesystem) if storage.filesystem else Access()
    return {account: access for ending in buckets(thanos) for account in _accounts(thanos, ending)}


def members(thanos: Thanos, ending: str) -> Mapping[str, Member]:
    """Who works on a bucket, by the short name of the role; `ending` is that of the bucket's own roles."""
    compacting = tuple(app for app, work in compactors(thanos).items() if work.bucket == ending)
    own = {
        f"store{ending}": Member(tuple(app for app, work in stores(thanos).items() if work.bucket == ending), "read"),
        **({f"compactor{ending}": Member(compacting, "administer")} if compacting else {}),
    }
    ruler = {"ruler": Member((RULER,), "write")} if thanos.ruler and not is_stateless(thanos) else {}
    if ending:
        return own | ruler
    receive = {"receive": Member((RECEIVE,), "write")} if thanos.receive else {}
    web = {"web": Member((WEB,), "read")} if thanos.bucket_web else {}
    return {"sidecar": Member((HUB,), "write"), **own, **receive, **web, **(ruler if len(buckets(thanos)) == 1 else {})}


def _accounts(thanos: Thanos, ending: str) -> list[str]:
    return [account for member in members(thanos, ending).values() for account in member.accounts]


def _google(fleet: Fleet, thanos: Thanos, gcs: Gcs, cluster: str) -> Ways:
    """One Google service account per role, or the key that the stack file names for all."""
    provider = ResourceOptions(provider=gcp.Provider("gcp", project=gcs.project))
    ways: dict[str, Access] = {}
    for ending, bucket in buckets(thanos).items():
        who = members(thanos, ending)
        made = Bucket(f"{cluster}{ending}", bucket_args(fleet, gcs, bucket, cluster, {} if gcs.key else who), provider)
        for name, member in who.items():
            access = _with_key(gcs.key) if gcs.key else Access({GOOGLE_ACCOUNT: made.accounts[name]})
            ways |= dict.fromkeys(member.accounts, access)
    return ways


def bucket_args(fleet: Fleet, gcs: Gcs, bucket: str | None, cluster: str, who: Mapping[str, Member]) -> BucketArgs:
    """Turn the stack file's words into the component's; ids of service accounts have 30 characters at most."""
    unique = hashlib.sha256(f"{gcs.bucket}/{cluster}".encode()).hexdigest()[:6]
    args: BucketArgs = {
        "project": gcs.project,
        "bucket": bucket or gcs.bucket,
        "namespace": fleet.namespace,
        "members": who,
        "prefix": f"thanos-{unique}",
        "adopt": gcs.adopt,
        "location": gcs.location,
        "storage_class": gcs.storage_class,
        "versioning": gcs.versioning,
        "soft_delete": 0 if gcs.soft_delete == "none" else seconds(gcs.soft_delete),
        "protect": gcs.protect,
    }
    if pool := fleet.clusters[cluster].pool:
        args["pool"] = pool
    if gcs.retention:
        args["retention"] = seconds(gcs.retention)
    if gcs.kms_key:
        args["kms_key"] = gcs.kms_key
    return args


def _with_key(key: SecretKey) -> Access:
    folder, _, file = CREDENTIALS.rpartition("/")
    return Access(
        env=[{"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": CREDENTIALS}],
        volumes=[{"name": _KEY, "secret": {"secret_name": key.name, "items": [{"key": key.key, "path": file}]}}],
        mounts=[{"name": _KEY, "mount_path": folder, "read_only": True}],
    )


def _s3(s3: S3) -> Access:
    """Thanos takes what its file does not say from AWS' own variables."""
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    return Access(
        env=[
            {"name": name, "value_from": {"secret_key_ref": {"name": place.name, "key": place.key}}}
            for name, place in keys.items()
        ]
    )


def _shared(filesystem: Filesystem) -> Access:
    return Access(
        volumes=[{"name": _BLOCKS, "persistent_volume_claim": {"claim_name": filesystem.claim}}],
        mounts=[{"name": _BLOCKS, "mount_path": SHARED}],
    )
