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

from .exits import Exit
from .reports import Checked, CheckedFile, Finding, Json
from .units import counted
from .validators import AMTOOL, PROMTOOL, findings

PROJECT = KEY.partition(":")[0]
STACK_FILES = "Pulumi.*.yaml"
_NOTHING = f"no {STACK_FILES} here"


def check(
    files: Annotated[list[Path] | None, typer.Argument(help=f"Stack files; {STACK_FILES} by default.")] = None,
    *,
    json: Json = False,
) -> None:
    """Check stack files; every problem is named at once. Exit 1 where there are any."""
    chosen = files or sorted(Path().glob(STACK_FILES))
    checked = [_checked(file, chosen) for file in chosen]
    if json:
        reports = [report for report, _ in checked]
        Checked(files=reports, error=None if chosen else _NOTHING).print()
    elif not chosen:
        typer.echo(_NOTHING, err=True)
    else:
        for report, error in checked:
            typer.echo(error.report() if error else f"{report.file}: ok: {report.summary}", err=bool(error))
    if not chosen:
        raise typer.Exit(Exit.USAGE)
    if not all(report.ok for report, _ in checked):
        raise typer.Exit(Exit.FINDINGS)


def _checked(file: Path, beside: Collection[Path]) -> tuple[CheckedFile, FleetError | None]:
    try:
        fleet = verified(file)
        if problems := list(strangers(fleet, file, beside)):
            raise FleetError(file.name, problems)
    except FleetError as error:
        problems = [Finding.of(problem) for problem in error.problems]
        return CheckedFile(file=str(file), ok=False, summary=None, problems=problems), error
    return CheckedFile(file=str(file), ok=True, summary=summary(fleet), problems=[]), None


def verified(file: Path) -> Fleet:
    """
    Read the fleet of a file, with the help of what this machine has.

    Tools on the path, of the releases that it deploys, judge what it renders to; kubeconfigs tell which contexts lead
    to one API server.
    """
    fleet = from_file(file)
    present = [(validator, command) for validator in (PROMTOOL, AMTOOL) if (command := validator.on_path(fleet))]
    found = [problem for validator, command in present for problem in findings(validator, command, fleet)]
    if problems := [*_shared_servers(fleet), *found]:
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
        "standalone server": int(fleet.standalone is not None),
        "agent": len(fleet.agents),
        "receiver": len(fleet.alertmanager.receivers) if fleet.alertmanager else 0,
        "probe": len(fleet.probes),
    }
    return ", ".join(counted(number, noun) for noun, number in parts.items() if number)
