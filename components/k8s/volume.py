"""Volumes and their mounts."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.scrape.user_jobs import file_path
from settings.scrape_credentials import MountedFile


class Mounted(NamedTuple):
    """Volumes of a pod, and their mounts in a container."""

    volumes: Sequence[k8s.core.v1.VolumeArgsDict]
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict]


def joined(*parts: Mounted) -> Mounted:
    """Return all volumes and mounts of several parts of a pod."""
    return Mounted([one for part in parts for one in part.volumes], [one for part in parts for one in part.mounts])


def claim(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    size: pulumi.Input[str],
    storage_class: pulumi.Input[str] | None,
    opts: ResourceOptions,
) -> k8s.core.v1.PersistentVolumeClaim:
    """
    Make the volume of a single replica.

    A PersistentVolumeClaim of its own instead of a StatefulSet's template: it can be expanded in place, where a changed
    template would replace the StatefulSet, and the API server refuses to shrink it. Another StorageClass would replace
    it with an empty volume, so that later changes of the class are ignored.
    """
    spec: k8s.core.v1.PersistentVolumeClaimSpecArgsDict = {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if storage_class is not None:
        spec["storage_class_name"] = storage_class
    kept = ResourceOptions(ignore_changes=["spec.storageClassName"])
    return k8s.core.v1.PersistentVolumeClaim(
        f"{name}-volume", metadata=metadata, spec=spec, opts=ResourceOptions.merge(opts, kept)
    )


def projections(files: Sequence[MountedFile]) -> list[k8s.core.v1.VolumeProjectionArgsDict]:
    """The keys of Secrets and ConfigMaps as files of one volume."""
    objects: dict[tuple[str, str], list[k8s.core.v1.KeyToPathArgsDict]] = {}
    for file in files:
        objects.setdefault((file.kind, file.name), []).append({"key": file.key, "path": file_path(file)})
    return [
        {"secret": {"name": name, "items": items}}
        if kind == "secret"
        else {"config_map": {"name": name, "items": items}}
        for (kind, name), items in objects.items()
    ]


def public_certificate(secret: pulumi.Input[str]) -> k8s.core.v1.VolumeArgsDict:
    """The certificate of the server's auth proxies without its key, for clients to verify it."""
    return {
        "name": "certificate",
        "secret": {"secret_name": secret, "items": [{"key": "tls.crt", "path": "tls.crt"}]},
    }
