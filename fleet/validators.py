"""What the tools of the releases that a fleet deploys say of the files that it is rendered to."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
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
    version = _version(command)
    return bool(version) and f":v{version}" in image


@cache
def _version(command: str) -> str:
    """The release of a tool, asked once however many stack files it judges."""
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\S+)", done.stdout + done.stderr)
    return found[1] if found else ""


def findings(judge: Validator, command: str | Path, fleets: Sequence[Fleet]) -> list[list[Problem]]:
    """
    Let a tool judge every file of its kind that fleets are rendered to; what it accepts of a fleet has no complaint.

    It is started once for all that it is asked in one way, and for each by itself only where it refuses one of them.
    """
    found: list[list[Problem]] = [[] for _ in fleets]
    with tempfile.TemporaryDirectory() as folder:
        asked: dict[tuple[str, ...], list[tuple[int, Check, list[Path]]]] = {}
        for number, fleet in enumerate(fleets):
            for index, case in enumerate(judge.cases(fleet)):
                files = _written(case, Path(folder) / f"{number}-{index}")
                asked.setdefault(tuple(case.arguments), []).append((number, case, files))
        for arguments, cases in asked.items():
            if not _complaint([command, *arguments, *(file for _, _, files in cases for file in files)]):
                continue
            for number, case, files in cases:
                if said := _complaint([command, *arguments, *files]):
                    rule = f"is rendered to a file that {judge.tool} refuses: {said}"
                    found[number].append(Problem(case.section, rule, "This is a bug; report it."))
    return found


def _written(case: Check, folder: Path) -> list[Path]:
    """Write the files of a case into a folder of its own."""
    folder.mkdir()
    for name, text in case.files.items():
        (folder / name).write_text(text)
    return [folder / name for name in case.files]


def _complaint(command: Sequence[str | Path]) -> str:
    """Give the tool's words where it refuses a file, and nothing where it accepts all."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
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
