"""
Prometheus' web UI, which its Go module has as sources only: built and embedded as for its releases.

The packages that it is made of come from npm. Node.js and pnpm are held to the hashes of our lock files, the packages
to those of the module's. No script of a package is run, and nothing but the result is kept.
"""

import os
import shutil
import tempfile
from pathlib import Path

from .toolchains import node, run

PNPM = Path(__file__).with_name("pnpm")
"""The package.json and package-lock.json by which npm installs pnpm."""


def recipe() -> str:
    """Give what is ours in it."""
    return (PNPM / "package-lock.json").read_text(encoding="utf-8")


def embed(module: Path, work: Path) -> None:
    """
    Build the pages in a copy of Prometheus' module, which is then built with the tag `builtinassets`.

    `work` is a folder that goes with it. BuildError if anything is refused or fails.
    """
    ui, pnpm = module / "web" / "ui", work / "pnpm"
    shutil.copytree(PNPM, pnpm)
    environment = _environment(work, pnpm / "node_modules" / ".bin")
    run(pnpm, [*_npm(), "ci"], environment)
    run(ui, ["pnpm", "install", "--frozen-lockfile"], environment)
    run(ui, ["pnpm", "run", "build:mantine-ui"], environment)
    run(module, ["bash", "scripts/compress_assets.sh"], environment)


def lock() -> None:
    """Renew the hash of the pnpm that package.json names."""
    with tempfile.TemporaryDirectory() as folder:
        run(PNPM, [*_npm(), "install", "--package-lock-only"], _environment(Path(folder)))


def _npm() -> list[str]:
    return [str(node() / "bin" / "node"), str(node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _environment(work: Path, *commands: Path) -> dict[str, str]:
    """Let everything be kept in a folder, and find Node.js and these commands first."""
    return {
        "PATH": os.pathsep.join([*map(str, commands), str(node() / "bin"), os.environ["PATH"]]),
        "npm_config_audit": "false",
        "npm_config_cache": str(work / "npm"),
        "npm_config_fund": "false",
        "npm_config_ignore_scripts": "true",
        "npm_config_update_notifier": "false",
        **{f"XDG_{kind}_HOME": str(work / kind) for kind in ("CACHE", "DATA", "STATE")},
    }
