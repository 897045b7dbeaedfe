"""The object store of Thanos, and the access of each component to it."""

import hashlib
from collections.abc import Mapping

import pulumi_gcp as gcp
import pulumi_kubernetes as k8s
from pulumi import Alias, ResourceOptions

from components.gcs_bucket import Bucket, BucketArgs, Member
from components.thanos.role import BucketAccess
from render.thanos.bucket_roles import buckets, compactors, stores
from render.thanos.names import RECEIVE, RULER, WEB
from render.thanos.objstore import AUTHORITY, AZURE_CREDENTIAL, CREDENTIALS, SHARED
from render.thanos.ruler import is_stateless
from settings import Fleet, Server, Thanos, seconds
from settings.secret_reference import SecretKey
from settings.storage import GOOGLE_ACCOUNT, S3, Azure, Filesystem, Gcs

from .server import BucketAccesses

AZURE_IDENTITY = "azure.workload.identity/use"
"""Label of such pods."""
_KEY, _BLOCKS, _STORE = "google-key", "blocks", "store-authority"


def deploy_storage(fleet: Fleet, thanos: Thanos, server: Server) -> BucketAccesses:
    """Create the buckets, unless they are adopted, and return the access of each component."""
    storage = thanos.storage
    if storage.gcs:
        return _google(fleet, thanos, storage.gcs, server)
    access = BucketAccess()
    if storage.s3:
        access = _s3(storage.s3)
    elif storage.azure:
        access = _azure(storage.azure)
    elif storage.filesystem:
        access = _shared(storage.filesystem)
    return {
        account: access
        for suffix in buckets(thanos)
        for member in members(server, thanos, suffix).values()
        for account in member.accounts
    }


def members(server: Server, thanos: Thanos, suffix: str) -> Mapping[str, Member]:
    """Components with access to a bucket, by short name; `suffix` is that of the components of this bucket only."""
    compacting = tuple(app for app, work in compactors(thanos).items() if work.bucket == suffix)
    own = {
        f"store{suffix}": Member(tuple(app for app, work in stores(thanos).items() if work.bucket == suffix), "read"),
        **({f"compactor{suffix}": Member(compacting, "administer")} if compacting else {}),
    }
    ruler = {"ruler": Member((RULER,), "write")} if thanos.ruler and not is_stateless(thanos) else {}
    if suffix:
        return own | ruler
    receive = {"receive": Member((RECEIVE,), "write")} if thanos.receive else {}
    web = {"web": Member((WEB,), "read")} if thanos.bucket_web else {}
    return {
        "sidecar": Member((server.app,), "write"),
        **own,
        **receive,
        **web,
        **(ruler if len(buckets(thanos)) == 1 else {}),
    }


def _google(fleet: Fleet, thanos: Thanos, gcs: Gcs, server: Server) -> BucketAccesses:
    """Access through one Google service account per component, or through a key that all share."""
    provider = gcp.Provider("gcp", project=gcs.project)
    bucket_access: dict[str, BucketAccess] = {}
    for suffix, bucket in buckets(thanos).items():
        bucket_members = members(server, thanos, suffix)
        args = bucket_args(fleet, gcs, bucket, server.cluster, {} if gcs.key else bucket_members)
        # Not after the cluster: the bucket stays where the server moves to another one.
        before = Alias(name=f"{server.cluster}{suffix}")
        component = Bucket(f"thanos{suffix}", args, ResourceOptions(provider=provider, aliases=[before]))
        for name, member in bucket_members.items():
            access = _with_key(gcs.key) if gcs.key else BucketAccess({GOOGLE_ACCOUNT: component.accounts[name]})
            bucket_access |= dict.fromkeys(member.accounts, access)
    return bucket_access


def bucket_args(
    fleet: Fleet, gcs: Gcs, bucket: str | None, cluster: str, bucket_members: Mapping[str, Member]
) -> BucketArgs:
    """Return the arguments of a bucket; ids of service accounts have 30 characters at most."""
    unique = hashlib.sha256(f"{gcs.bucket}/{cluster}".encode()).hexdigest()[:6]
    args: BucketArgs = {
        "project": gcs.project,
        "bucket": bucket or gcs.bucket,
        "namespace": fleet.namespace,
        "members": bucket_members,
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


def _with_key(key: SecretKey) -> BucketAccess:
    folder, _, file = CREDENTIALS.rpartition("/")
    return BucketAccess(
        env=[{"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": CREDENTIALS}],
        volumes=[{"name": _KEY, "secret": {"secret_name": key.name, "items": [{"key": key.key, "path": file}]}}],
        mounts=[{"name": _KEY, "mount_path": folder, "read_only": True}],
    )


def _s3(s3: S3) -> BucketAccess:
    """Access by keys in variables of AWS, which Thanos reads if its file has none, or by a role of the pods."""
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    access = BucketAccess(
        annotations=s3.account_annotations,
        env=[_from_secret(name, place) for name, place in keys.items() if place],
    )
    if not s3.ca_config_map:
        return access
    folder, _, file = AUTHORITY.rpartition("/")
    return access._replace(
        volumes=[{"name": _STORE, "config_map": {"name": s3.ca_config_map, "items": [{"key": file, "path": file}]}}],
        mounts=[{"name": _STORE, "mount_path": folder, "read_only": True}],
    )


def _azure(azure: Azure) -> BucketAccess:
    """Access as a managed identity, or by a credential in a variable, which the file refers to."""
    if azure.client_id:
        return BucketAccess(azure.account_annotations, labels={AZURE_IDENTITY: "true"})
    credentials = (azure.key, azure.connection_string)
    return BucketAccess(env=[_from_secret(AZURE_CREDENTIAL, place) for place in credentials if place])


def _from_secret(name: str, place: SecretKey) -> k8s.core.v1.EnvVarArgsDict:
    return {"name": name, "value_from": {"secret_key_ref": {"name": place.name, "key": place.key}}}


def _shared(filesystem: Filesystem) -> BucketAccess:
    return BucketAccess(
        volumes=[{"name": _BLOCKS, "persistent_volume_claim": {"claim_name": filesystem.claim}}],
        mounts=[{"name": _BLOCKS, "mount_path": SHARED}],
    )
