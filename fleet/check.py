"""`fleet check`: are the stack files right? Needs neither Pulumi nor a cluster."""

from pathlib import Path
from typing import Annotated

import typer

from settings.errors import FleetError
from settings.fleet import Fleet
from settings.load import from_file

from .judges import AMTOOL, PROMTOOL, complaints

STACK_FILES = "Pulumi.*.yaml"


def check(
    files: Annotated[list[Path] | None, typer.Argument(help=f"Stack files; {STACK_FILES} by default.")] = None,
) -> None:
    """Check stack files; every problem is named at once."""
    chosen = files or sorted(Path().glob(STACK_FILES))
    if not chosen:
        typer.echo(f"no {STACK_FILES} here", err=True)
        raise typer.Exit(1)
    wrong = [file for file in chosen if not _report(file)]
    if wrong:
        raise typer.Exit(1)


def _report(file: Path) -> bool:
    try:
        typer.echo(f"{file}: ok: {summary(verified(file))}")
    except FleetError as error:
        typer.echo(error.report(), err=True)
        return False
    return True


def verified(file: Path) -> Fleet:
    """Read the fleet of a file; tools on the path, of the releases that it deploys, judge what it renders to."""
    fleet = from_file(file)
    found = [(judge, command) for judge in (PROMTOOL, AMTOOL) if (command := judge.on_path(fleet))]
    if problems := [problem for judge, command in found for problem in complaints(judge, command, fleet)]:
        raise FleetError(str(file), problems)
    return fleet


def summary(fleet: Fleet) -> str:
    """What a fleet consists of, in one line."""
    parts = {
        "cluster": len(fleet.clusters),
        "hub": int(fleet.hub is not None),
        "agent": len(fleet.agents),
        "receiver": len(fleet.alertmanager.receivers) if fleet.alertmanager else 0,
        "probe": len(fleet.probes),
    }
    return ", ".join(_counted(number, noun) for noun, number in parts.items() if number)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
