"""The tools that judge rendered files: those of the releases that a fleet deploys, and scanners."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from fleet.validators import is_of
from lab.build import command
from lab.toolchains import CACHE
from settings.images import ALERTMANAGER, BLACKBOX_EXPORTER, PROMETHEUS
from tests import ROOT

IMAGES = {
    "promtool": PROMETHEUS,
    "amtool": ALERTMANAGER,
    "alertmanager": ALERTMANAGER,
    "blackbox_exporter": BLACKBOX_EXPORTER,
}


@cache
def tool(name: str) -> str:
    """Give a tool: the path's where it is of the release, or else the lab's, which is built if it has to be."""
    found = shutil.which(name)
    return found if found and name in IMAGES and is_of(found, IMAGES[name]) else str(command(name))


@cache
def checkov() -> Path:
    """
    Give the scanner, installed by its own lock file into the cache where it is not there.

    It needs a hundred packages, which would hold back those of the program if they had one environment.
    """
    pins = ROOT / "requirements-scan.txt"
    home = CACHE / f"checkov-{hashlib.sha256(pins.read_bytes()).hexdigest()[:8]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        if not (home / "installed").exists():
            uv = [sys.executable, "-m", "uv"]
            subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
            python = ("--python", str(home / "bin" / "python"))
            subprocess.run([*uv, "pip", "sync", "--quiet", "--require-hashes", *python, str(pins)], check=True)
            (home / "installed").touch()
    return home / "bin" / "checkov"
