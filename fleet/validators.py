"""What the tools of the releases that a fleet deploys say of the files that it is rendered to."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import render
from settings import Fleet
from settings.errors import Problem

STRICT = ("--lint=all", "--lint-fatal")
UNKNOWN = "https://hub.invalid/api/v1/write"
"""Stands for a hub of another stack, whose URL is known when it is deployed."""


class Check(NamedTuple):
    """What is put before a tool."""

    section: tuple[str, ...]
    """Of the stack file."""
    arguments: Sequence[str]
    files: Mapping[str, str]
    """Name -> text; they follow the arguments."""


class Validator(NamedTuple):
    """A tool that comes with one of the images."""

    tool: str
    image: str
    """Field of `images`."""
    cases: Callable[[Fleet], Iterator[Check]]

    def on_path(self, fleet: Fleet) -> str | None:
        """Find the tool of the release that the fleet deploys; another one refuses what that release knows."""
        command = shutil.which(self.tool)
        return command if command and is_of(command, getattr(fleet.images, self.image)) else None


def is_of(command: str, image: str) -> bool:
    """Tell whether a tool is of the release of an image."""
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"version (\S+)", done.stdout + done.stderr)
    return bool(version) and f":v{version[1]}" in image


def findings(judge: Validator, command: str | Path, fleet: Fleet) -> list[Problem]:
    """Let a tool judge every file of its kind that a fleet is rendered to; what it accepts has no complaint."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            Problem(
                case.section, f"is rendered to a file that {judge.tool} refuses: {verdict}", "This is a bug; report it."
            )
            for case in judge.cases(fleet)
            if (verdict := _finding(command, case, Path(folder)))
        ]


def _finding(command: str | Path, case: Check, folder: Path) -> str:
    """Give the tool's words where it refuses the files, and nothing where it accepts them."""
    for name, text in case.files.items():
        (folder / name).write_text(text)
    arguments = [*case.arguments, *(folder / name for name in case.files)]
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split()) if done.returncode else ""


def _for_promtool(fleet: Fleet) -> Iterator[Check]:
    check = ["check", "config", "--syntax-only", *STRICT]
    if server := fleet.server:
        yield Check((server.section,), check, {"prometheus.yml": render.server_config(server, fleet)})
        yield Check((server.section,), ["check", "rules", *STRICT], render.rules(fleet))
    for cluster, agent in fleet.agents.items():
        own = agent.writes_to_own_hub
        text = render.agent_config(fleet, cluster, UNKNOWN, own=own, ca_file="/ca.crt", token_file="/token")
        yield Check(("agents", cluster), [*check, "--agent"], {"prometheus.yml": text})


def _for_amtool(fleet: Fleet) -> Iterator[Check]:
    if fleet.alertmanager:
        text = render.alertmanager_config(fleet.alertmanager)
        yield Check(("alertmanager",), ["check-config"], {"alertmanager.yml": text})


PROMTOOL = Validator("promtool", "prometheus", _for_promtool)
AMTOOL = Validator("amtool", "alertmanager", _for_amtool)
