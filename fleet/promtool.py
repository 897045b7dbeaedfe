"""What promtool says of the files that a fleet is rendered to."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import prometheus
from settings import Fleet
from settings.errors import Problem

STRICT = ("--lint=all", "--lint-fatal")
UNKNOWN = "https://hub.invalid/api/v1/write"
"""Stands for a hub of another stack, whose URL is known when it is deployed."""


def is_of(promtool: str, image: str) -> bool:
    """Tell whether promtool is of the release of an image; another one refuses what that release knows."""
    done = subprocess.run([promtool, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"version (\S+)", done.stdout + done.stderr)
    return bool(version) and f":v{version[1]}" in image


def complaints(promtool: str | Path, fleet: Fleet) -> list[Problem]:
    """Let promtool judge every file that a fleet is rendered to; what it accepts has no complaint."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            Problem(section, f"is rendered to a file that promtool refuses: {verdict}", "This is a bug; report it.")
            for section, arguments, files in _rendered(fleet)
            if (verdict := _judge(promtool, arguments, files, Path(folder)))
        ]


def _rendered(fleet: Fleet) -> Iterator[tuple[tuple[str, ...], list[str], dict[str, str]]]:
    """Give each section of the stack file, promtool's arguments, and the files by name."""
    if fleet.hub:
        yield ("hub",), ["check", "config", "--syntax-only"], {"prometheus.yml": prometheus.hub_config(fleet)}
        yield ("hub",), ["check", "rules"], prometheus.rules(fleet)
    for cluster, agent in fleet.agents.items():
        own = agent.writes_to_own_hub
        text = prometheus.agent_config(fleet, cluster, UNKNOWN, own=own, ca_file="/ca.crt", token_file="/token")
        yield ("agents", cluster), ["check", "config", "--agent", "--syntax-only"], {"prometheus.yml": text}


def _judge(promtool: str | Path, arguments: list[str], files: dict[str, str], folder: Path) -> str:
    """Give promtool's words where it refuses the files, and nothing where it accepts them."""
    for name, text in files.items():
        (folder / name).write_text(text)
    command = [promtool, *arguments, *STRICT, *(folder / name for name in files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split()) if done.returncode else ""
