"""Objects of a stack as `fleet render` writes them, and as they stand in a cluster."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from .clusters import Lab
from .stack import Stack

Place = tuple[str, str, str]
"""Kind, namespace and name of an object."""
OF_ONE_LIFE = {
    "annotations": ("kubernetes.io/service-account.uid", "promfleet.io/cluster-uid"),
    "metadata": ("creationTimestamp", "uid"),
    "spec": ("clusterIP", "clusterIPs", "volumeName"),
}
"""What is not rendered, and otherwise when the same object is made again: of which part of it, and the keys."""


def render(stack: Stack, folder: Path) -> Path:
    """Let `fleet render` write a stack's objects into a folder, where nothing leads to a cluster."""
    environment = {"PATH": stack.environment["PATH"], "KUBECONFIG": str(folder.parent / "none")}
    command = [sys.executable, "-m", "fleet", "render", "--stack", stack.name, str(folder)]
    subprocess.run(command, cwd=stack.root, env=environment, check=True)
    return folder


def by_place(objects: Iterable[dict[str, Any]]) -> dict[Place, dict[str, Any]]:
    return {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in objects}


def files(folder: Path) -> dict[Place, dict[str, Any]]:
    return by_place(yaml.safe_load(file.read_text()) for file in folder.iterdir())


def kubectl(lab: Lab, cluster: str, folder: Path, *arguments: str) -> dict[Place, dict[str, Any]]:
    """Give what kubectl says of the objects in a folder, without what changes all the time."""
    said = json.loads(lab.kubectl(cluster, *arguments, "--output=json", "--recursive", f"--filename={folder}"))
    for one in said["items"]:
        one.pop("status", None)
        for key in ("managedFields", "resourceVersion", "generation"):
            one["metadata"].pop(key, None)
    return by_place(said["items"])


def made(lab: Lab, cluster: str, folder: Path) -> dict[Place, dict[str, Any]]:
    """Give the objects of a folder as they stand, of Secrets the keys alone, without what is of one life."""
    found = kubectl(lab, cluster, folder, "get")
    for one in found.values():
        parts = {"metadata": one["metadata"], "annotations": one["metadata"].setdefault("annotations", {}), **one}
        for part, keys in OF_ONE_LIFE.items():
            for key in keys:
                parts.get(part, {}).pop(key, None)
        if one["kind"] == "Secret":
            one["data"] = sorted(one["data"])
    return found
