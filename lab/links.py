"""Folders of links to what was built: one for the nodes, one for the user's path."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from .binaries import BINARIES, PULUMI, Binary
from .build import fetch
from .cluster import state
from .parts import chosen
from .toolchains import CACHE

KUBE = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubectl", "kubelet")
"""What the one binary `kube` becomes, by the name it is called."""
ENGINE = ("pulumi", "pulumi-resource-kubernetes")
FOR_USERS = ("kubectl", "promtool", *ENGINE)
METADATA_SERVER = "metadata-server"
"""This Python, under a name of its own."""
EXECUTOR = "pulumi-language-python-exec"


def user_folder() -> Path:
    """Give the folder that goes onto the user's path."""
    return state() / "path"


def has_official_engine() -> bool:
    """Tell whether the path has a Pulumi that isn't the lab's; it fetches its plugins itself."""
    places = os.environ.get("PATH", "").split(os.pathsep)
    return shutil.which("pulumi", path=os.pathsep.join(p for p in places if Path(p) != user_folder())) is not None


def needed(parts: Iterable[str] = ()) -> list[Binary]:
    """List what must be built on this machine for a lab with these parts."""
    return [binary for binary in chosen(BINARIES, parts) if binary.name not in ENGINE or not has_official_engine()]


def link(built: Mapping[str, Path]) -> None:
    """Fill both folders; the user's has the engine only where it was built."""
    targets = {**built, **dict.fromkeys(KUBE, built["kube"]), METADATA_SERVER: Path(sys.executable).resolve()}
    _fill(state() / "bin", {name: target for name, target in targets.items() if name not in ENGINE})
    _fill(user_folder(), {name: targets[name] for name in FOR_USERS if name in targets})
    if "pulumi" in built:
        _script("pulumi-language-python", str(Path(__file__).parent / "engine" / "language_host.py"), _executor())
    _script("pulumi-resource-gcp", "-m", "lab.gcp.provider")


def _fill(folder: Path, targets: Mapping[str, Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        place = folder / name
        if not place.is_symlink() or place.readlink() != target:
            place.unlink(missing_ok=True)
            place.symlink_to(target)


def _executor() -> str:
    executor = CACHE / f"{EXECUTOR}-{PULUMI}"
    if not executor.exists():
        source = fetch("github.com/pulumi/pulumi/sdk/v3", PULUMI) / "python" / "cmd" / EXECUTOR
        shutil.copyfile(source, executor)
    return str(executor)


def _script(name: str, *arguments: str) -> None:
    """Put a command onto the user's path that runs this Python."""
    place = user_folder() / name
    place.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *arguments])} "$@"\n')
    place.chmod(0o755)
