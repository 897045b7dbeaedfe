"""What holds for every command."""

import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fleet import __version__
from fleet.cli import COMMANDS, app
from fleet.exits import Exit
from fleet.reports import Checked, FleetStatus
from tests import ROOT

PAGE = (ROOT / "docs/commands.md").read_text(encoding="utf-8")


def test_the_version_is_printed():
    """
    Of what runs, installed or not.
    """
    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.stdout) == (0, f"fleet {__version__}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_explained(command):
    """
    By itself, in the list of all, and on the page.
    """
    alone = CliRunner().invoke(app, [command, "--help"])
    listed = CliRunner().invoke(app, ["--help"])

    assert (alone.exit_code, listed.exit_code) == (0, 0)
    assert command in listed.stdout
    assert re.search(rf"^\| `{command}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("arguments", [["no-such-command"], ["check", "--no-such-option"], ["render", "out"]])
def test_a_wrong_command_line_has_a_code_of_its_own(arguments):
    """
    Nobody takes it for a finding.
    """
    assert CliRunner().invoke(app, arguments).exit_code == Exit.USAGE


def test_the_page_has_every_exit_code():
    """
    One table for all commands.
    """
    rows = re.findall(r"^\| (\d) \| (.+?) \|", PAGE, re.MULTILINE)

    assert [int(code) for code, _ in rows] == [0, *Exit]
    assert len({meaning for _, meaning in rows}) == len(rows)


def test_the_page_shows_json_as_it_is():
    """
    Programs are written by its examples.
    """
    checked, status = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

    assert json.loads(Checked.model_validate_json(checked).model_dump_json(by_alias=True)) == json.loads(checked)
    assert json.loads(FleetStatus.model_validate_json(status).model_dump_json(by_alias=True)) == json.loads(status)


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (["check", "Pulumi.eu1.yaml"], ["pulumi", "kr8s", "httpx", "lab", "matplotlib"]),
        (["render", "--help"], ["pulumi", "kr8s", "httpx", "lab", "matplotlib"]),
        (["status", "--help"], ["pulumi", "lab", "matplotlib"]),
    ],
    ids=["check", "render", "status"],
)
def test_no_command_waits_for_what_another_needs(arguments, spared):
    """
    Libraries that take a second to import are imported by whoever needs them.
    """
    program = (
        "import sys; from fleet.cli import app; app(sys.argv[2:], standalone_mode=False);"
        "print('imported:', *(name for name in sys.argv[1].split() if name in sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, " ".join(spared), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "imported:"
