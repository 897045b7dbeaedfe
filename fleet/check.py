"""`fleet check`: are the stack files right? Needs neither Pulumi nor a cluster."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from settings.errors import FleetError, Problem
from settings.fleet import Fleet
from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs, shared_servers
from settings.loading.load import KEY, from_file

from .judges import AMTOOL, PROMTOOL, complaints

PROJECT = KEY.partition(":")[0]
STACK_FILES = "Pulumi.*.yaml"


def check(
    files: Annotated[list[Path] | None, typer.Argument(help=f"Stack files; {STACK_FILES} by default.")] = None,
) -> None:
    """Check stack files; every problem is named at once."""
    chosen = files or sorted(Path().glob(STACK_FILES))
    if not chosen:
        typer.echo(f"no {STACK_FILES} here", err=True)
        raise typer.Exit(1)
    wrong = [file for file in chosen if not _report(file, chosen)]
    if wrong:
        raise typer.Exit(1)


def _report(file: Path, beside: Collection[Path]) -> bool:
    try:
        fleet = verified(file)
        if problems := list(strangers(fleet, file, beside)):
            raise FleetError(file.name, problems)
        typer.echo(f"{file}: ok: {summary(fleet)}")
    except FleetError as error:
        typer.echo(error.report(), err=True)
        return False
    return True


def verified(file: Path) -> Fleet:
    """
    Read the fleet of a file, with the help of what this machine has.

    Tools on the path, of the releases that it deploys, judge what it renders to; kubeconfigs tell which contexts lead
    to one API server.
    """
    fleet = from_file(file)
    found = [(judge, command) for judge in (PROMTOOL, AMTOOL) if (command := judge.on_path(fleet))]
    complained = [problem for judge, command in found for problem in complaints(judge, command, fleet)]
    if problems := [*_shared_servers(fleet), *complained]:
        raise FleetError(str(file), problems)
    return fleet


def strangers(fleet: Fleet, file: Path, beside: Collection[Path]) -> Iterator[Problem]:
    """Every agent whose hub is in another of these files, and does not know it."""
    for cluster, agent in fleet.agents.items():
        named = agent.hub.stack if agent.hub else None
        _, project, stack = named.split("/") if named else ("", "", "")
        other = file.with_name(f"Pulumi.{stack}.yaml")
        if project != PROJECT or other not in beside:
            continue
        with suppress(FleetError):  # what is wrong with that file is said of that file
            there = from_file(other)
            if not there.hub or cluster not in there.hub.agents:
                rule = "has no hub" if not there.hub else f"has a hub that does not know {cluster}"
                instead = f"Add {cluster} to hub.agents in {other.name}, or write the stack of its hub."
                yield Problem(("agents", cluster, "hub", "stack"), rule, instead, named)


def _shared_servers(fleet: Fleet) -> list[Problem]:
    """Compare the clusters that the kubeconfigs of this machine know; it may have none."""
    try:
        return list(shared_servers(fleet.clusters, Kubeconfigs()))
    except KubeconfigError:
        return []


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
