"""Volumes, and where a container finds them."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


class Mounted(NamedTuple):
    """What a pod has and where its container finds it."""

    volumes: Sequence[k8s.core.v1.VolumeArgsDict]
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict]


def claim(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    size: pulumi.Input[str],
    storage_class: pulumi.Input[str] | None,
    opts: ResourceOptions,
) -> k8s.core.v1.PersistentVolumeClaim:
    """
    Make the volume of a single replica.

    A claim of its own instead of a StatefulSet's template: it grows in place, where a changed template would replace
    the StatefulSet, and the API server refuses to shrink it. Another class would replace it with an empty one, so that
    the class counts when it is made and never again.
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


def public_certificate(secret: pulumi.Input[str]) -> k8s.core.v1.VolumeArgsDict:
    """The certificate that the hub's auth proxies show, to trust it by, without its key."""
    return {
        "name": "certificate",
        "secret": {"secret_name": secret, "items": [{"key": "tls.crt", "path": "tls.crt"}]},
    }
