"""Files in ConfigMaps: as many as they need, because each holds 1 MiB at most."""

from collections.abc import Mapping

import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

LARGEST = 1_000_000
"""Bytes of all files of one ConfigMap; the API server refuses more than 1 MiB."""


def file_volume(
    volume: str,
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    files: Mapping[str, str],
    child_opts: ResourceOptions,
) -> k8s.core.v1.VolumeArgsDict:
    """
    Make the ConfigMaps of files, and return a volume with all of them.

    The first has the names that are given, a further one these with its number. The files keep their order, so that one
    more does not move the others.
    """
    maps = [
        k8s.core.v1.ConfigMap(
            name if number == 1 else f"{name}-{number}",
            metadata=metadata if number == 1 else {**metadata, "name": f"{metadata['name']}-{number}"},
            data=part,
            opts=child_opts,
        )
        for number, part in enumerate(parts(files), start=1)
    ]
    if len(maps) == 1:
        return {"name": volume, "config_map": {"name": maps[0].metadata.name}}
    return {"name": volume, "projected": {"sources": [{"config_map": {"name": one.metadata.name}} for one in maps]}}


def parts(files: Mapping[str, str]) -> list[dict[str, str]]:
    """The files by the ConfigMap that they are in, at least one; none has more than `LARGEST` bytes and two files."""
    found: list[dict[str, str]] = [{}]
    size = 0
    for file, text in files.items():
        size += len(text.encode())
        if size > LARGEST and found[-1]:
            found.append({})
            size = len(text.encode())
        found[-1][file] = text
    return found
